"""What is read out of texts beyond yes or no: fields of reports and claims of articles on rows we labelled, and
components of providers' incident titles where EVAL_DATA points.

The rules were mended until they read details.csv and claims.csv; the files named unseen are kept from that, and say how
well other texts are read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

from pipeline.core.news_events import Claim
from pipeline.core.times import utc
from pipeline.core.vocabulary import SaidBy
from pipeline.evaluation import csv_rows
from pipeline.text.claims import claims
from pipeline.text.components import official_parts, parts_named
from pipeline.text.error_codes import error_codes
from pipeline.text.extract import masked_for
from pipeline.text.language import language_of
from pipeline.text.models.kinds import RULES, NewsModel
from pipeline.text.models.outage import OutageModel
from pipeline.text.models.training import Labelled, accuracy, read_headlines, read_labels
from pipeline.text.normalize import normalize
from pipeline.text.onset_time import since_when
from pipeline.text.places import where
from pipeline.text.services import ServiceMatcher
from pipeline.text.symptoms import symptom

POSTED = utc("2026-07-14T18:00:00Z")  # when the labelled posts are taken to be written
DAY = date(2026, 3, 2)  # the day the labelled claims are taken to be of


@dataclass
class SetScore:
    """Sets of predicted values compared with sets of labels, row by row."""

    rows: int = 0
    exact: int = 0  # rows whose two sets are equal
    correct: int = 0  # values in both sets
    predicted: int = 0
    labelled: int = 0
    wrong: list[str] = field(default_factory=list)  # a line for each row that is not exact

    def add(self, predicted: Iterable[str], labels: Iterable[str], text: str) -> None:
        """Count one row; empty values count for nothing."""
        ours, theirs = set(predicted) - {""}, set(labels) - {""}
        self.rows += 1
        self.exact += ours == theirs
        self.correct += len(ours & theirs)
        self.predicted += len(ours)
        self.labelled += len(theirs)
        if ours != theirs:
            self.wrong.append(f"{text!r}: {sorted(ours)} for {sorted(theirs)}")

    def __str__(self) -> str:
        """Return exact share, precision and recall."""
        exact, precision = self.exact / max(1, self.rows), self.correct / max(1, self.predicted)
        recall = self.correct / max(1, self.labelled)
        return f"{self.rows:5d} rows  exact {exact:.3f}  precision {precision:.3f}  recall {recall:.3f}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFields:
    """The fields of a report, as labelled or as read; each a set of values in no order."""

    service: Sequence[str]
    failing: Sequence[str]
    working: Sequence[str]
    symptom: Sequence[str]
    codes: Sequence[str]
    region: Sequence[str]
    since: Sequence[str]
    language: Sequence[str]


FIELDS = ("service", "failing", "working", "symptom", "codes", "region", "since", "language")


def of_reports(path: Path, places: Path, matcher: ServiceMatcher, model: OutageModel) -> dict[str, SetScore]:
    """Compare each field of details.csv with what is read out of its text; by the names of FIELDS."""
    scores = {name: SetScore() for name in FIELDS}
    for row in csv_rows(path):
        read, labels = _read(row, places, matcher, model), _labels(row)
        for name, score in scores.items():
            score.add(getattr(read, name), getattr(labels, name), row["text"])
    return scores


def _read(row: Mapping[str, str], places: Path, matcher: ServiceMatcher, model: OutageModel) -> ReportFields:
    text, service = row["text"], matcher.catalogue[row["service"]]
    named = any(alias in text.lower() for alias in service.aliases)
    about = matcher.about(text, "" if named else service.communities[0])
    failing, working = parts_named(text, service, about.get(service.id, ()))
    return ReportFields(
        service=[service.id] if service.id in about else [],
        failing=failing,
        working=working,
        symptom=model.symptoms_of([text], [masked_for(text, service.id, matcher)]) if row["symptom"] else [],
        codes=error_codes(text),
        region=where(text, places).split("; "),
        since=[_since(text, row["minutes"])],
        language=[language_of(text)],
    )


def _labels(row: Mapping[str, str]) -> ReportFields:
    return ReportFields(
        service=[row["service"]],
        failing=row["failing"].split(";"),
        working=row["working"].split(";"),
        symptom=[row["symptom"]],
        codes=row["codes"].split(";"),
        region=row["region"].split("; "),
        since=[row["minutes"]],
        language=[row["lang"]],
    )


def _since(text: str, wanted: str) -> str:
    """Return the minutes since it began as the labels have them: PART for a part of a day."""
    began = since_when(text, POSTED)
    if began is None:
        return ""
    if wanted == "PART":
        return "PART" if began.within > timedelta(hours=3) else "too exact"
    return f"{(POSTED - began.at).total_seconds() / 60:.0f}"


def of_claims(path: Path) -> SetScore:
    """Compare the claims of claims.csv, written kind=value[:definition][@who], with those read."""
    score = SetScore()
    for row in csv_rows(path):
        score.add([_written(claim) for claim in claims(row["text"], DAY)], row["claims"].split(";"), row["text"])
    return score


def _written(claim: Claim) -> str:
    who = "" if claim.said_by is SaidBy.OUTLET else f"@{claim.said_by}"
    return f"{claim.kind}={claim.value}{who}{f':{claim.definition}' if claim.definition else ''}"


def of_corpus(rows: Iterable[Labelled], model: OutageModel) -> dict[str, SetScore]:
    """Compare symptoms and languages of the corpus with what is read.

    Rules and languages are tried on every row, the model on the rows held back; keys are the names printed.
    """
    scores = {"symptom by rules": SetScore(), "symptom": SetScore(), "language": SetScore()}
    for row in rows:
        scores["language"].add([language_of(row.text)], [row.language], row.text)
        if row.symptom:
            scores["symptom by rules"].add([symptom(row.text)], [row.symptom], row.text)
        if row.symptom and row.is_holdout:
            scores["symptom"].add(model.symptoms_of([row.text], [row.masked]), [row.symptom], row.text)
    return scores


@dataclass(frozen=True, slots=True, kw_only=True)
class TitledIncident:
    """A provider's incident: when it started, its title, and the ids of the components it listed."""

    at: datetime
    title: str
    parts: frozenset[str]


def read_official(path: Path, service: str, matcher: ServiceMatcher) -> list[TitledIncident]:
    """Read incidents.csv of a provider: those that list parts the catalogue knows, maintenance aside, oldest first."""
    known = matcher.catalogue[service]
    titled = []
    for row in csv_rows(path):
        listed = [part.strip() for part in row["components"].replace(";", "|").split("|") if part.strip()]
        parts = frozenset(part for name in listed if (part := known.component_named(name)))
        if parts and row["impact"] != "maintenance" and row["started_at"]:
            titled.append(TitledIncident(at=utc(row["started_at"]), title=row["name"], parts=parts))
    return sorted(titled, key=lambda t: (t.at, t.title))


def of_titles(titled: Iterable[TitledIncident], service: str, matcher: ServiceMatcher) -> SetScore:
    """Compare parts named in titles with the parts listed."""
    score = SetScore()
    for incident in titled:
        named = [
            match.component
            for match in matcher.name_matches(normalize(incident.title))
            if match.service == service and match.component
        ]
        score.add(official_parts(incident.title, matcher.catalogue[service], named), incident.parts, incident.title)
    return score


def best_lookup(titled: list[TitledIncident]) -> SetScore:
    """Return what a table from title to its commonest set would reach on the very rows it was made from."""
    seen: dict[str, Counter[frozenset[str]]] = {}
    for incident in titled:
        seen.setdefault(incident.title, Counter())[incident.parts] += 1
    score = SetScore()
    for incident in titled:
        score.add(seen[incident.title].most_common(1)[0][0], incident.parts, incident.title)
    return score


def report(
    labels: Path, places: Path, folder: Path | None, matcher: ServiceMatcher, model: OutageModel, news: NewsModel
) -> Iterator[str]:
    """Yield the lines of the section."""
    for words, file in (("mended on", "details.csv"), ("unseen", "details-unseen.csv")):
        for name, score in of_reports(labels / file, places, matcher, model).items():
            yield f"reports {words + ',':<11}{name:<16}{score}"
    for words, file in (("mended on", "claims.csv"), ("unseen", "claims-unseen.csv")):
        yield f"articles {words + ',':<10}{'claims':<16}{of_claims(labels / file)}"
    headlines = [row for row in read_headlines(labels) if row.is_holdout]
    rules, learned = accuracy(NewsModel(RULES, ""), headlines), accuracy(news, headlines)
    shares = f"right by rules {rules:.3f}, by the model {learned:.3f}"
    yield f"headlines held back, kind   {len(headlines):4d} rows  {shares}"
    for name, score in of_corpus(read_labels(labels, matcher), model).items():
        yield f"corpus, {name:<17}{score}"
    if folder is None:
        yield "titles of providers' incidents: skipped, EVAL_DATA is not set"
        return
    for service in ("github", "claude"):
        titled = read_official(folder / "series" / f"{service}_status" / "incidents.csv", service, matcher)
        half = len(titled) // 2
        yield f"{service} titles, older half  {of_titles(titled[:half], service, matcher)}"
        yield f"{service} titles, newer half  {of_titles(titled[half:], service, matcher)}"
        yield f"{service} titles, all         {of_titles(titled, service, matcher)}"
        yield f"{service} best lookup, all    {best_lookup(titled)}"
