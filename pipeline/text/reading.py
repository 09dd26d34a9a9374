"""What one text says: of which service, whether it is out, which parts, how it fails, in which language."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.text.classifier import OutageModel
from pipeline.text.normal import fold
from pipeline.text.services import TARGET, Hit, ServiceMatcher
from pipeline.text.symptoms import parts_named, symptom

REPORT = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """`p_outage` is about `service`, or about whatever the text speaks of where `service` is empty."""

    p_outage: float
    service: str
    components: tuple[str, ...]
    symptom: str

    @property
    def outage(self) -> bool:
        """Say whether it counts as a report."""
        return self.p_outage >= REPORT


def read_texts(texts: Sequence[tuple[str, str]], matcher: ServiceMatcher, model: OutageModel) -> list[Reading]:
    """Read (text, service) pairs; a service may be given, one of the catalogue or any name, or empty."""
    found: list[tuple[str, str, list[Hit]]] = []
    masked: list[str] = []
    for text, given in texts:
        about = matcher.about(text)
        best = max(about, key=lambda service: len(about[service])) if about else ""
        service = given or best
        found.append((text, service, list(about.get(service, ()))))
        masked.append(_named(matcher.masked(text, service), service, matcher))
    scores = model.scores(masked)
    readings = []
    for (text, service, hits), p in zip(found, scores, strict=True):
        failing: list[str] = []
        if service in matcher.catalogue:
            named = [(hit.start, hit.end, hit.component) for hit in hits]
            failing, _ = parts_named(text, matcher.catalogue[service], named)
        readings.append(
            Reading(
                p_outage=p, service=service, components=tuple(failing), symptom=symptom(text) if p >= REPORT else ""
            )
        )
    return readings


def _named(masked: str, service: str, matcher: ServiceMatcher) -> str:
    """Return a masked text in which a service the catalogue lacks is the target too."""
    name = fold(service)[:60].strip()
    if service in matcher.catalogue or len(name) < 3:
        return masked
    return re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", TARGET, masked)


def language_of(text: str) -> str:
    """Return the ISO 639-1 code, `und` where there is too little to tell."""
    import py3langid

    letters = sum(char.isalpha() for char in text[:400])
    return str(py3langid.classify(text[:400])[0]) if letters >= 6 else "und"
