"""JSON posted to a receiver's address, and what its answer means: given up, or tried again.

The address and what is in the headers may be secret: neither is ever in an error, a log or the database.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime

from pipeline.core.errors import ChannelError, SourceError
from pipeline.http.session import HttpClient

MAY_PASS = (401, 403, 404, 407, 408, 425, 429)  # what settings, a proxy or time mend; and whatever is not 4xx
DEADLINE = 20.0  # seconds


class JsonPoster:
    """Posts for one channel, each time once."""

    def __init__(self, channel: str, *, allow: Iterable[str] = ()) -> None:
        """`allow` are private hosts and networks that may be posted to."""
        self._channel = channel
        self._client = HttpClient(allow=allow, deadline=DEADLINE)

    def post(self, url: str, body: bytes, at: datetime, headers: Mapping[str, str]) -> None:
        """Post once. Raises ChannelError: permanent on an answer that another try cannot better."""
        session = self._client.session_for(self._channel, {}, at, limit=1)
        try:
            answer = session.request("POST", url, headers={"Content-Type": "application/json", **headers}, data=body)
        except SourceError as error:
            raise ChannelError(f"{self._channel}: {error.message}") from None
        except (OSError, ValueError) as error:
            # an address that cannot be asked is named by what went wrong, not by itself; requests' errors are OSErrors
            raise ChannelError(f"{self._channel}: {error.__class__.__name__}") from None
        finally:
            session.close()
        if not 200 <= answer.status_code < 300:
            code = answer.status_code
            is_final = 400 <= code < 500 and code not in MAY_PASS
            raise ChannelError(f"{self._channel}: answered {code}", permanent=is_final)

    def probe(self, url: str, setting: str) -> str:
        """Look up an address's host and check that it may be reached; nothing is posted. Raises ChannelError.

        `setting` is what the address is called where people set it.
        """
        try:
            self._client.check_host(url)
        except SourceError as error:
            raise ChannelError(f"{setting}: {error.message}") from None
        return "its host is found; nothing was posted"


def as_json(values: object) -> bytes:
    """Return the bytes of JSON values: the same for the same values."""
    return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")
