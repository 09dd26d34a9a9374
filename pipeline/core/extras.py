"""What the base install leaves out, and how a person gets it."""

from __future__ import annotations

from importlib.util import find_spec

EXTRA_OF = {
    "apprise": "apprise",
    "bokeh": "scale",
    "dask": "scale",
    "datasette": "serve",
    "distributed": "scale",
    "duckdb": "scale",
    "fsspec": "scale",
    "matplotlib": "charts",
    "numba": "fast",
    "prometheus_client": "metrics",
    "pyarrow": "scale",
    "sklearn": "train",
    "statsmodels": "evaluate",
}


def is_present(library: str) -> bool:
    """Return whether a library of an extra is installed, without importing it."""
    return find_spec(library) is not None


def how_to_install(library: str) -> str:
    """Return which extra brings a library and how to install it; raises KeyError on one that no extra brings."""
    extra = EXTRA_OF[library]
    named = {"prometheus_client": "prometheus-client", "sklearn": "scikit-learn"}.get(library, library)
    return f"{named} (the extra {extra}): pip install {named}, or in a checkout pip install -e '.[{extra}]'"


def missing_extra(error: ImportError) -> str | None:
    """Return how to install what an import did not find; None where no extra brings it."""
    library = (error.name or "").partition(".")[0]
    return how_to_install(library) if library in EXTRA_OF else None
