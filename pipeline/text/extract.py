"""What one text says: of which service, whether it is out, which parts, how, where and since when it fails."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import chain, islice
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct, structs

from pipeline.text.components import parts_named
from pipeline.text.error_codes import error_codes
from pipeline.text.language import languages_of
from pipeline.text.masking import TARGET
from pipeline.text.models.outage import OutageModel
from pipeline.text.names import NameMatch
from pipeline.text.normalize import normalize
from pipeline.text.onset_time import since_when
from pipeline.text.places import where
from pipeline.text.services import ServiceMatcher
from pipeline.text.stances import UNLIKELY
from pipeline.text.stances import reading as stance_reading
from pipeline.text.symptoms import anger

REPORT = 0.5
AT_ONCE = 4_000  # requests; what is kept of them meanwhile is bounded
EXACT = timedelta(hours=1)  # what is less sure of when it began is not stored as a moment


class PostText(NamedTuple):
    """A text, and the service it is read about: of the catalogue, any other name, or empty for each that it names."""

    text: str
    service: str = ""


class ExtractionRequest(Struct, frozen=True, kw_only=True):
    """A text and the service it is read about: one of the catalogue, any other name, or empty for whatever it is."""

    text: str
    service: str
    matches: Sequence[NameMatch]
    posted: datetime | None = None


class Extraction(Struct, frozen=True, kw_only=True):
    """What a text says of its service; all but the probability, the parts and the language only of reports."""

    p_outage: float
    service: str
    components: tuple[str, ...]
    working_components: tuple[str, ...]
    language: str = "und"
    symptom: str = ""
    codes: tuple[str, ...] = ()
    region: str = ""
    began: datetime | None = None
    anger: float = 0.0

    @property
    def outage(self) -> bool:
        """Say whether it counts as a report."""
        return self.p_outage >= REPORT


def _requests(post: PostText, matcher: ServiceMatcher) -> list[ExtractionRequest]:
    """Return a request for the service that a post is given with, or for each that it names; one at least."""
    service = matcher.id_of(post.service)
    about = matcher.about(post.text)
    named = [service] if service or not about else sorted(about, key=lambda each: -len(about[each]))
    return [ExtractionRequest(text=post.text, service=each, matches=about.get(each, ())) for each in named]


def read_posts(
    posts: Sequence[PostText], matcher: ServiceMatcher, model: OutageModel, places: Path
) -> list[Extraction]:
    """Return what each post says, in order, of the service that most likely fails of those it names.

    One that the text clears is taken only where it clears all. Of services that are equally likely the one named most
    often, then first; `places` is the list of places.
    """
    requests = [_requests(post, matcher) for post in posts]
    extractions = iter(extract(list(chain.from_iterable(requests)), matcher, model, places))
    return [_likeliest(list(islice(extractions, len(each))), each[0].text, matcher) for each in requests]


def _likeliest(extractions: Sequence[Extraction], text: str, matcher: ServiceMatcher) -> Extraction:
    if len(extractions) == 1 or any(each.outage for each in extractions):
        return max(extractions, key=attrgetter("p_outage"))
    suspected = [e for e in extractions if stance_reading(masked_for(text, e.service, matcher)).most > UNLIKELY]
    return max(suspected or extractions, key=attrgetter("p_outage"))


def extract(
    requests: Sequence[ExtractionRequest], matcher: ServiceMatcher, model: OutageModel, places: Path
) -> list[Extraction]:
    """Return what each text says, in order; `places` is the list of places.

    What is read of a text is the same whatever it is asked for with; a text that comes again is read once.
    """
    extractions: list[Extraction] = []
    for start in range(0, len(requests), AT_ONCE):
        extractions += _extracted(requests[start : start + AT_ONCE], matcher, model, places)
    return extractions


class _Reading(NamedTuple):
    """A text and the service that it is read about."""

    text: str
    service: str


def _extracted(
    requests: Sequence[ExtractionRequest], matcher: ServiceMatcher, model: OutageModel, places: Path
) -> list[Extraction]:
    distinct = {_Reading(request.text, request.service): request for request in requests}
    masked = {reading: masked_for(reading.text, reading.service, matcher) for reading in distinct}
    languages = dict(zip(distinct, languages_of([reading.text for reading in distinct]), strict=True))
    probabilities = dict(zip(distinct, outage_probabilities(list(masked.values()), model), strict=True))
    reports = [reading for reading, p in probabilities.items() if p >= REPORT]
    names = model.symptoms_of([report.text for report in reports], [masked[report] for report in reports])
    symptoms = dict(zip(reports, names, strict=True))
    timeless = {
        reading: structs.replace(
            _extraction(request, probabilities[reading], matcher, places),
            symptom=symptoms.get(reading, ""),
            language=languages[reading],
        )
        for reading, request in distinct.items()
    }
    return [_with_onset(timeless[_Reading(request.text, request.service)], request) for request in requests]


def _with_onset(extraction: Extraction, request: ExtractionRequest) -> Extraction:
    """Return an extraction with the moment since when it fails, which hangs on when the text was posted."""
    began = since_when(request.text, request.posted) if request.posted and extraction.outage else None
    return structs.replace(extraction, began=began.at if began and began.within <= EXACT else None)


def outage_probabilities(masked: Sequence[str], model: OutageModel) -> list[float]:
    """Return the probability that each masked text reports that its target fails now."""
    readings = [stance_reading(text) for text in masked]
    scores = model.scores([each.text for each in readings])
    return [min(p, each.most) for p, each in zip(scores, readings, strict=True)]


def _extraction(request: ExtractionRequest, p: float, matcher: ServiceMatcher, places: Path) -> Extraction:
    text = request.text
    failing: list[str] = []
    working: list[str] = []
    if request.service in matcher.catalogue:
        failing, working = parts_named(text, matcher.catalogue[request.service], request.matches)
    reports = p >= REPORT
    return Extraction(
        p_outage=p,
        service=request.service,
        components=tuple(failing),
        working_components=tuple(working),
        anger=anger(text),
        codes=error_codes(text) if reports else (),
        region=where(text, places) if reports else "",
    )


def masked_for(text: str, service: str, matcher: ServiceMatcher) -> str:
    """Return the masked text for a service, which is the target even where the catalogue lacks it."""
    masked = matcher.masked(text, service)
    name = normalize(service)[:60].strip()
    if service in matcher.catalogue or len(name) < 3:
        return masked
    return re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", TARGET, masked)
