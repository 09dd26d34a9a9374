"""Where the program's own data files lie."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


CATALOGUE = ROOT / "data" / "services.toml"


MODELS = ROOT / "data" / "model"


REDDIT_BOTS = ROOT / "data" / "reddit_bots.toml"


PLACES = ROOT / "data" / "places.toml"


OUTAGES = ROOT / "data" / "incidents.csv"


PRESS = ROOT / "data" / "press_claims.csv"


LABELS = ROOT / "data" / "labels"


DASHBOARDS = ROOT / "dashboards"


LEXICON = ROOT / "data" / "lexicon"
