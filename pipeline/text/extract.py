"""What one text says: of which service, whether it is out, which parts, how, where and since when it fails."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.text.components import parts_named
from pipeline.text.error_codes import error_codes
from pipeline.text.models.outage import OutageModel
from pipeline.text.normalize import fold
from pipeline.text.onset_time import since_when
from pipeline.text.places import where
from pipeline.text.services import TARGET, Hit, ServiceMatcher
from pipeline.text.symptoms import anger, symptom

REPORT = 0.5
EXACT = timedelta(hours=1)  # what is less sure of when it began is not stored as a moment
# short posts are taken for small neighbours of large languages (Galician, Luxembourgish); few of those are posted
LANGUAGES = (
    "en",
    "es",
    "pt",
    "fr",
    "de",
    "it",
    "nl",
    "pl",
    "tr",
    "id",
    "ja",
    "ar",
    "bn",
    "cs",
    "da",
    "el",
    "fi",
    "he",
    "hi",
    "hu",
    "ko",
    "no",
    "ro",
    "ru",
    "sv",
    "ta",
    "th",
    "tl",
    "uk",
    "ur",
    "vi",
    "zh",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A text and the service it is read about: one of the catalogue, any other name, or empty for whatever it is."""

    text: str
    service: str
    hits: Sequence[Hit]
    posted: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a text says of its service; all but the probability, the parts and the language only of reports."""

    p_outage: float
    service: str
    components: tuple[str, ...]
    exonerates: tuple[str, ...]
    language: str
    symptom: str = ""
    codes: tuple[str, ...] = ()
    region: str = ""
    began: datetime | None = None
    anger: float = 0.0

    @property
    def outage(self) -> bool:
        """Say whether it counts as a report."""
        return self.p_outage >= REPORT


def ask_about(text: str, service: str, matcher: ServiceMatcher) -> Asked:
    """Return the question about a service, or where none is given about the one the text names most."""
    service = matcher.id_of(service)
    about = matcher.about(text)
    best = max(about, key=lambda named: len(about[named])) if about else ""
    return Asked(text=text, service=service or best, hits=about.get(service or best, ()))


def read_texts(
    asked: Sequence[Asked], matcher: ServiceMatcher, model: OutageModel, places: Path, most: int | None = None
) -> list[Reading]:
    """Read texts; `most` caps the second looks of the model and its symptoms, which rules tell then. `places` is the list of places."""
    masked = [masked_for(a.text, a.service, matcher) for a in asked]
    scores = model.scores(masked, most)
    found = []
    reports = 0
    for one, hidden, p in zip(asked, masked, scores, strict=True):
        reading = _reading(one, p, matcher, places)
        if reading.outage:
            by_rules = most is not None and reports >= most
            kind = symptom(one.text) if by_rules else model.symptom(one.text, hidden)
            reading, reports = replace(reading, symptom=kind), reports + 1
        found.append(reading)
    return found


def _reading(asked: Asked, p: float, matcher: ServiceMatcher, places: Path) -> Reading:
    failing: list[str] = []
    working: list[str] = []
    if asked.service in matcher.catalogue:
        named = [(hit.start, hit.end, hit.component) for hit in asked.hits]
        failing, working = parts_named(asked.text, matcher.catalogue[asked.service], named)
    known = Reading(
        p_outage=p,
        service=asked.service,
        components=tuple(failing),
        exonerates=tuple(working),
        language=language_of(asked.text),
        anger=anger(asked.text),
    )
    if not known.outage:
        return known
    began = since_when(asked.text, asked.posted) if asked.posted else None
    return replace(
        known,
        codes=error_codes(asked.text),
        region=where(asked.text, places),
        began=began.at if began and began.within <= EXACT else None,
    )


def masked_for(text: str, service: str, matcher: ServiceMatcher) -> str:
    """Return the masked text for a service, which is the target even where the catalogue lacks it."""
    masked = matcher.masked(text, service)
    name = fold(service)[:60].strip()
    if service in matcher.catalogue or len(name) < 3:
        return masked
    return re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", TARGET, masked)


def language_of(text: str) -> str:
    """Return the ISO 639-1 code, `und` where there is too little to tell."""
    letters = sum(char.isalpha() for char in text[:400])
    return str(_identifier().classify(text[:400].replace(chr(0), " "))[0]) if letters >= 6 else "und"


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
    identifier.set_languages(list(LANGUAGES))
    return identifier
