"""What one text says: of which service, whether it is out, which parts, how, where and since when it fails."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.text.components import parts_named
from pipeline.text.error_codes import error_codes
from pipeline.text.models.outage import OutageModel
from pipeline.text.normalize import normalize
from pipeline.text.onset_time import since_when
from pipeline.text.places import where
from pipeline.text.services import TARGET, NameMatch, ServiceMatcher
from pipeline.text.symptoms import anger, symptom

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

REPORT = 0.5
EXACT = timedelta(hours=1)  # what is less sure of when it began is not stored as a moment
# short posts are taken for small neighbours of large languages (Galician, Luxembourgish); few of those are posted
LANGUAGES = [
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
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractionRequest:
    """A text and the service it is read about: one of the catalogue, any other name, or empty for whatever it is."""

    text: str
    service: str
    matches: Sequence[NameMatch]
    posted: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """What a text says of its service; all but the probability, the parts and the language only of reports."""

    p_outage: float
    service: str
    components: tuple[str, ...]
    working_components: tuple[str, ...]
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


def extraction_request(text: str, service: str, matcher: ServiceMatcher) -> ExtractionRequest:
    """Return the request to read a text about a service, or where none is given about the one the text names most."""
    service = matcher.id_of(service)
    about = matcher.about(text)
    best = max(about, key=lambda named: len(about[named])) if about else ""
    return ExtractionRequest(text=text, service=service or best, matches=about.get(service or best, ()))


def extract(
    requests: Sequence[ExtractionRequest],
    matcher: ServiceMatcher,
    model: OutageModel,
    places: Path,
    most: int | None = None,
) -> list[Extraction]:
    """Return what each text says, in order.

    `most` caps how many texts the slower models read: the stacked classifier, and the symptom model, for which rules
    stand in beyond it. `places` is the list of places.
    """
    masked = [masked_for(request.text, request.service, matcher) for request in requests]
    extractions = []
    reports = 0
    for request, hidden, p in zip(requests, masked, model.scores(masked, most), strict=True):
        extraction = _extraction(request, p, matcher, places)
        if extraction.outage:
            by_rules = most is not None and reports >= most
            kind = symptom(request.text) if by_rules else model.symptom(request.text, hidden)
            extraction, reports = replace(extraction, symptom=kind), reports + 1
        extractions.append(extraction)
    return extractions


def _extraction(request: ExtractionRequest, p: float, matcher: ServiceMatcher, places: Path) -> Extraction:
    text = request.text
    failing: list[str] = []
    working: list[str] = []
    if request.service in matcher.catalogue:
        failing, working = parts_named(text, matcher.catalogue[request.service], request.matches)
    of_any_post = Extraction(
        p_outage=p,
        service=request.service,
        components=tuple(failing),
        working_components=tuple(working),
        language=language_of(text),
        anger=anger(text),
    )
    if not of_any_post.outage:
        return of_any_post
    began = since_when(text, request.posted) if request.posted else None
    return replace(
        of_any_post,
        codes=error_codes(text),
        region=where(text, places),
        began=began.at if began and began.within <= EXACT else None,
    )


def masked_for(text: str, service: str, matcher: ServiceMatcher) -> str:
    """Return the masked text for a service, which is the target even where the catalogue lacks it."""
    masked = matcher.masked(text, service)
    name = normalize(service)[:60].strip()
    if service in matcher.catalogue or len(name) < 3:
        return masked
    return re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", TARGET, masked)


def language_of(text: str) -> str:
    """Return the ISO 639-1 code, `und` where there is too little to tell."""
    letters = sum(char.isalpha() for char in text[:400])
    return str(_identifier().classify(text[:400].replace(chr(0), " "))[0]) if letters >= 6 else "und"


@cache
def _identifier() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
    identifier.set_languages(list(LANGUAGES))
    return identifier
