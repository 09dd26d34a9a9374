"""Every analysts' view worked out a second time, in pandas from the tables: `RECOMPUTED` has one function a view."""

from tests.recomputed_views import availability, incidents, record
from tests.recomputed_views.tables import RECOMPUTED, Tables, difference

__all__ = ["RECOMPUTED", "Tables", "availability", "difference", "incidents", "record"]
