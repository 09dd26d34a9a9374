"""Where the data files lie: in a checkout at its top level, in an installed package in its folder `_assets`."""

from __future__ import annotations

import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]
_ASSETS = _PACKAGE / "_assets"
IS_INSTALLED = _ASSETS.is_dir()
ROOT = _ASSETS if IS_INSTALLED else _PACKAGE.parent

CATALOGUE = ROOT / "data" / "services.toml"
REDDIT_BOTS = ROOT / "data" / "reddit_bots.toml"
PLACES = ROOT / "data" / "places.toml"
OUTAGES = ROOT / "data" / "incidents.csv"
PRESS = ROOT / "data" / "press_claims.csv"
LABELS = ROOT / "data" / "labels"
LEXICON = ROOT / "data" / "lexicon"
SCENARIOS = ROOT / "data" / "scenarios"
DASHBOARDS = ROOT / "dashboards"
EXAMPLE = ROOT / "groundswell.toml.example"

# what can be worked out again at any time; the variable is that of the XDG base directory specification
_CACHE_HOME = os.path.expandvars("$XDG_CACHE_HOME")
CACHE = Path(_CACHE_HOME if os.path.isabs(_CACHE_HOME) else os.path.expanduser("~/.cache")) / "groundswell"

SHIPPED_MODELS = ROOT / "data" / "model"


def trained_models(data_home: Path, *, is_installed: bool) -> Path:
    """Return where `train` writes: the checkout's own models, or a folder of the user that an upgrade leaves alone."""
    return data_home / "groundswell" / "model" if is_installed else SHIPPED_MODELS


TRAINED_MODELS = trained_models(Path(os.path.expanduser("~/.local/share")), is_installed=IS_INSTALLED)
MODELS = TRAINED_MODELS if TRAINED_MODELS.is_dir() else SHIPPED_MODELS
