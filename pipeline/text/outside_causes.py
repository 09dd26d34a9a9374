"""What a text names as failing that is no service of the catalogue: a power cut, a cable, a registrar."""

from __future__ import annotations

from pipeline.text.normalize import normalize
from pipeline.text.patterns import PatternSet

CAP = 20_000  # characters of a text that are read
# what a reader sees, by the name of the list in data/lexicon/outside_causes.toml
CAUSES = {
    "power_cut": "a power cut",
    "cut_cable": "a cut cable",
    "network_operator": "a network operator",
    "domain_names": "a registrar or operator of domain names",
    "data_centre": "a fire, flood or heat in a data centre",
    "certificate": "an expired certificate",
    "faulty_update": "a faulty update",
}
_PATTERNS = PatternSet("outside_causes")


def outside_causes_in(text: str) -> frozenset[str]:
    """Return the causes outside the catalogue that a text names, as a reader sees them."""
    return frozenset(CAUSES[name] for name in _PATTERNS.matched(normalize(text[:CAP])))
