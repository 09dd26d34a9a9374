"""What is read out of texts beyond yes or no: fields of reports and claims of articles on rows we labelled, and
components of providers' incident titles where EVAL_DATA points.

The rules were mended until they read details.csv and claims.csv; the files named unseen are kept from that, and say how
well other texts are read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

from pipeline.core.incidents import Claim
from pipeline.core.times import utc
from pipeline.evaluation import csv_rows
from pipeline.text.claims import claims
from pipeline.text.components import official_parts, parts_named
from pipeline.text.error_codes import error_codes
from pipeline.text.extract import language_of, masked_for
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
class Score:
    """Sets compared row by row."""

    exact: int = 0
    rows: int = 0
    both: int = 0
    said: int = 0
    true: int = 0
    wrong: list[str] = field(default_factory=list)

    def add(self, got: Iterable[str], truth: Iterable[str], text: str) -> None:
        """Count one row."""
        mine, theirs = set(got) - {""}, set(truth) - {""}
        self.rows += 1
        self.exact += mine == theirs
        self.both += len(mine & theirs)
        self.said += len(mine)
        self.true += len(theirs)
        if mine != theirs:
            self.wrong.append(f"{text!r}: {sorted(mine)} for {sorted(theirs)}")

    def __str__(self) -> str:
        """Return exact share, precision and recall."""
        precision, recall = self.both / max(1, self.said), self.both / max(1, self.true)
        return f"{self.rows:5d} rows  exact {self.exact / max(1, self.rows):.3f}  precision {precision:.3f}  recall {recall:.3f}"


def of_reports(path: Path, places: Path, matcher: ServiceMatcher, model: OutageModel) -> dict[str, Score]:
    """Compare each field of details.csv with what is read out of its text."""
    scores = {
        name: Score() for name in ("service", "failing", "working", "symptom", "codes", "region", "since", "language")
    }
    for row in csv_rows(path):
        text, service = row["text"], matcher.catalogue[row["service"]]
        named = any(alias in text.lower() for alias in service.aliases)
        about = matcher.about(text, "" if named else service.communities[0])
        failing, working = parts_named(text, service, about.get(service.id, ()))
        got = {
            "service": [service.id] if service.id in about else [],
            "failing": failing,
            "working": working,
            "symptom": [model.symptom(text, masked_for(text, service.id, matcher))] if row["symptom"] else [],
            "codes": error_codes(text),
            "region": where(text, places).split("; "),
            "language": [language_of(text)],
            "since": [_since(text, row["minutes"])],
        }
        truth = {
            "service": [service.id],
            "failing": row["failing"].split(";"),
            "working": row["working"].split(";"),
            "symptom": [row["symptom"]],
            "codes": row["codes"].split(";"),
            "language": [row["lang"]],
            "region": row["region"].split("; "),
            "since": [row["minutes"]],
        }
        for name, score in scores.items():
            score.add(got[name], truth[name], text)
    return scores


def _since(text: str, wanted: str) -> str:
    """Return the minutes since it began as the labels have them: PART for a part of a day."""
    began = since_when(text, POSTED)
    if began is None:
        return ""
    if wanted == "PART":
        return "PART" if began.within > timedelta(hours=3) else "too exact"
    return f"{(POSTED - began.at).total_seconds() / 60:.0f}"


def of_claims(path: Path) -> Score:
    """Compare the claims of claims.csv, written kind=value[:definition][@who], with those read."""
    score = Score()
    for row in csv_rows(path):
        score.add([_written(claim) for claim in claims(row["text"], DAY)], row["claims"].split(";"), row["text"])
    return score


def _written(claim: Claim) -> str:
    who = "" if claim.said_by == "outlet" else f"@{claim.said_by}"
    return f"{claim.kind}={claim.value}{who}{f':{claim.definition}' if claim.definition else ''}"


def of_corpus(rows: Iterable[Labelled], model: OutageModel) -> dict[str, Score]:
    """Compare symptoms and languages of the corpus with what is read: rules on every row, the model on those held back."""
    scores = {"symptom by rules": Score(), "symptom": Score(), "language": Score()}
    for row in rows:
        scores["language"].add([language_of(row.text)], [row.language], row.text)
        if row.symptom:
            scores["symptom by rules"].add([symptom(row.text)], [row.symptom], row.text)
        if row.symptom and row.is_holdout:
            scores["symptom"].add([model.symptom(row.text, row.masked)], [row.symptom], row.text)
    return scores


@dataclass(frozen=True, slots=True, kw_only=True)
class Titled:
    """An incident of a provider: when, what it was called, and the parts it listed."""

    at: datetime
    title: str
    parts: frozenset[str]


def read_official(path: Path, service: str, matcher: ServiceMatcher) -> list[Titled]:
    """Read incidents.csv of a provider: those that list parts the catalogue knows, maintenance aside, oldest first."""
    known = matcher.catalogue[service]
    found = []
    for row in csv_rows(path):
        listed = [part.strip() for part in row["components"].replace(";", "|").split("|") if part.strip()]
        parts = frozenset(part for name in listed if (part := known.component_named(name)))
        if parts and row["impact"] != "maintenance" and row["started_at"]:
            found.append(Titled(at=utc(row["started_at"]), title=row["name"], parts=parts))
    return sorted(found, key=lambda t: (t.at, t.title))


def of_titles(titled: Iterable[Titled], service: str, matcher: ServiceMatcher) -> Score:
    """Compare parts named in titles with the parts listed."""
    score = Score()
    for incident in titled:
        named = [
            match.component
            for match in matcher.name_matches(normalize(incident.title))
            if match.service == service and match.component
        ]
        score.add(official_parts(incident.title, matcher.catalogue[service], named), incident.parts, incident.title)
    return score


def best_lookup(titled: list[Titled]) -> Score:
    """Return what a table from title to its commonest set would reach on the very rows it was made from."""
    seen: dict[str, Counter[frozenset[str]]] = {}
    for incident in titled:
        seen.setdefault(incident.title, Counter())[incident.parts] += 1
    score = Score()
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
    yield f"headlines held back, kind   {len(headlines):4d} rows  right by rules {rules:.3f}, by the model {learned:.3f}"
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
