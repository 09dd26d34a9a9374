"""The steps from an empty file to the present schema, in their order; the first one creates `tables.TABLES`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pipeline.store.count_tables import (
    COUNTS_SELECT,
    COUNTS_VIEW,
    GAPS_SELECT,
    GAPS_VIEW,
    HOURS_SELECT,
    HOURS_VIEW,
    create_count_tables,
    create_gaps_table,
)
from pipeline.store.kept_views import add_kept_view, replace_by_view
from pipeline.store.tables import TABLES

if TYPE_CHECKING:
    from sqlite_utils import Database

Step = Callable[["Database"], None]
MIGRATION_SET = "groundswell"
STEPS: dict[str, Step] = {}  # by name, in the order they are taken

READ_MORE = """
ALTER TABLE post_tags                   -- error codes and names quoted, a JSON list
  ADD COLUMN codes TEXT NOT NULL DEFAULT '[]';
ALTER TABLE post_tags                   -- since when the author says it fails; NULL = not said
  ADD COLUMN began TEXT;
CREATE TABLE claims (                   -- what a news item says of an outage, in its own words' terms
  source TEXT NOT NULL, native_id TEXT NOT NULL, kind TEXT NOT NULL,
  value TEXT NOT NULL, \
                 -- start, end: HH:MM in UTC; up, down: component; reports: a number; cause: words
  said_by TEXT NOT NULL,                -- company, tracker, or the outlet itself
  definition TEXT NOT NULL,             -- of a number: peak, total or unknown
  PRIMARY KEY (source, native_id, kind, value)) STRICT, WITHOUT ROWID;
CREATE TABLE labels (                   -- what a person says of a post about a service: 1 reports an outage, 0 does not
  source TEXT NOT NULL, native_id TEXT NOT NULL, service TEXT NOT NULL, outage INTEGER NOT NULL,
  labelled_at TEXT NOT NULL,
  PRIMARY KEY (source, native_id, service)) STRICT, WITHOUT ROWID;
"""

WIDER = """
CREATE TABLE outside_verdicts (         -- what other monitors say of a service, in their words; not ours, never mixed
  source TEXT NOT NULL, service TEXT NOT NULL, verdict TEXT NOT NULL, observed TEXT NOT NULL, collected TEXT NOT NULL,
  PRIMARY KEY (source, service, observed)) STRICT, WITHOUT ROWID;
DROP INDEX complaint_counts_start;
CREATE INDEX complaint_counts_start ON complaint_counts (source, interval_s, window, start);
"""

STORIES = """
ALTER TABLE incidents                   -- that something is really broken, 0 to 1; NULL = not judged
  ADD COLUMN probability REAL;
ALTER TABLE incidents                   -- the incident of a shared dependency it belongs to
  ADD COLUMN part_of TEXT NOT NULL DEFAULT '';
ALTER TABLE incident_evidence           -- whom or what the statement is about
  ADD COLUMN subject TEXT NOT NULL DEFAULT '';
ALTER TABLE incident_evidence           -- the number the statement holds; NULL = none
  ADD COLUMN value REAL;
ALTER TABLE incident_evidence           -- what the number is compared with: expected, claimed, the other side
  ADD COLUMN beside REAL;
CREATE TABLE incident_episodes (
  incident TEXT NOT NULL REFERENCES incidents (id) ON DELETE CASCADE, number INTEGER NOT NULL, onset TEXT NOT NULL,
  "end" TEXT, impact TEXT NOT NULL, components TEXT NOT NULL, official_first_at TEXT,
  by_crowd INTEGER NOT NULL,            -- 1 when complaints or reports rose, 0 when only the page speaks of it
  PRIMARY KEY (incident, number)) STRICT, WITHOUT ROWID;
ALTER TABLE links                       -- share of random dates linked as well to an incident as large; NULL = unknown
  ADD COLUMN p REAL;
ALTER TABLE links                       -- 0: kept for analysts, not told, since chance does as well
  ADD COLUMN shown INTEGER NOT NULL DEFAULT 1;
CREATE TABLE advisories (               -- likely to be overrun, said before anything breaks
  service TEXT NOT NULL, since TEXT NOT NULL, until TEXT, level TEXT NOT NULL, reasons TEXT NOT NULL,
  signals TEXT NOT NULL,                -- JSON list of [name, value, usual]
  PRIMARY KEY (service, since)) STRICT, WITHOUT ROWID;
CREATE INDEX post_tags_service ON post_tags (service, created, anger);
ALTER TABLE status_updates              -- of imported archives: unposted (no posting time), doubtful; else empty
  ADD COLUMN timing TEXT NOT NULL DEFAULT '';
"""

ROUTES = """
ALTER TABLE incident_episodes \
          -- the crowd rose from here; NULL where only the page speaks, or told before this was kept
  ADD COLUMN crowd_since TEXT;
ALTER TABLE incident_episodes           -- to here; NULL while it is up
  ADD COLUMN crowd_until TEXT;
ALTER TABLE alerts                      -- whose mail it is; empty where no routes are configured
  ADD COLUMN route TEXT NOT NULL DEFAULT '';
ALTER TABLE alerts                      -- the message that told it together with others; NULL = it goes alone
  ADD COLUMN merged_into TEXT;
CREATE TABLE silences (                 -- nothing is told of a service while one lasts
  id INTEGER PRIMARY KEY, service TEXT NOT NULL,
  component TEXT NOT NULL,              -- only while no other part is affected; empty for the whole service
  since TEXT NOT NULL, until TEXT NOT NULL, reason TEXT NOT NULL, author TEXT NOT NULL) STRICT;
CREATE TABLE feedback (                 -- what a person says of an incident's alerts
  incident TEXT PRIMARY KEY, verdict TEXT NOT NULL, note TEXT NOT NULL, said_at TEXT NOT NULL) STRICT;
CREATE TABLE availability (             -- by month, worked out anew by publish
  service TEXT NOT NULL, month TEXT NOT NULL,
  said_by TEXT NOT NULL,                -- page: by the provider's own notices; crowd: by what people reported
  incidents INTEGER NOT NULL, down_minutes REAL NOT NULL, availability REAL NOT NULL,\
 mttr_minutes REAL, mtbf_hours REAL,
  PRIMARY KEY (service, month, said_by)) STRICT, WITHOUT ROWID;
"""

REST = """
ALTER TABLE alerts \
                     -- addresses a mail server put off while the others have it, by blanks; empty: all
  ADD COLUMN left_out TEXT NOT NULL DEFAULT '';
CREATE INDEX alerts_incident ON alerts (incident, created);
CREATE INDEX alerts_sent ON alerts (channel, route, sent_at);
CREATE INDEX runs_started ON runs (stage, started);
CREATE INDEX series_service ON series (service);
CREATE INDEX complaint_counts_hour ON complaint_counts (service, substr(start, 1, 13) || ':00:00Z')
  WHERE region = '' AND indicator = '' AND "window" != 'rolling';
CREATE INDEX verdicts_loud ON verdicts (bin_start, series, score) WHERE score >= 2;
ALTER TABLE availability \
               -- minutes of the month in which it was watched; availability is a share of these
  ADD COLUMN observed_minutes REAL NOT NULL DEFAULT 0;
"""

PARTS = """
CREATE TABLE detector_state_parts ( \
    -- a state cut into parts: of a large one few change with a bin, and only these are written
  subject TEXT NOT NULL, slot TEXT NOT NULL, part INTEGER NOT NULL, bytes BLOB NOT NULL,
  PRIMARY KEY (subject, slot, part),
  FOREIGN KEY (subject, slot) REFERENCES detector_state (subject, slot) ON DELETE CASCADE) STRICT;
INSERT INTO detector_state_parts WITH RECURSIVE cut (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM cut
  WHERE (n + 1) * 32768 < (SELECT max(length(blob)) FROM detector_state))
  SELECT subject, slot, n, substr(blob, n * 32768 + 1, 32768) FROM detector_state, cut WHERE n * 32768 < length(blob);
ALTER TABLE detector_state DROP COLUMN blob
"""

OFFICIAL = """
ALTER TABLE status_updates              -- when the answer that says so was read; NULL: at `collected`
  ADD COLUMN read_at TEXT;
CREATE TABLE status_wordings (          -- the texts of updates that were reworded, each with when it was first read
  page TEXT NOT NULL, incident_id TEXT NOT NULL, update_id TEXT NOT NULL, first_seen TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (page, incident_id, update_id, first_seen)) STRICT, WITHOUT ROWID;
CREATE TABLE official_incidents (       -- what a page says of an incident as a whole; NULL = it does not say
  page TEXT NOT NULL, incident_id TEXT NOT NULL, name TEXT NOT NULL, status TEXT NOT NULL, impact TEXT NOT NULL,
  started_at TEXT, resolved_at TEXT,
  scheduled_for TEXT, scheduled_until TEXT,   -- of planned maintenance
  components TEXT NOT NULL,             -- JSON list of the names of parts
  url TEXT NOT NULL, collected TEXT NOT NULL, read_at TEXT NOT NULL,
  taken_back_at TEXT,                   -- since when the page's list no longer holds it
  PRIMARY KEY (page, incident_id)) STRICT, WITHOUT ROWID
"""

UNKNOWN_TIMES = """
ALTER TABLE news_items                  -- when, as the entry says; NULL where its time is unknown
  ADD COLUMN published_at TEXT;
UPDATE news_items SET published_at = published WHERE published != collected;
DROP INDEX news_items_published;
ALTER TABLE news_items DROP COLUMN published;
ALTER TABLE news_items RENAME COLUMN published_at TO published;
CREATE INDEX news_items_published ON news_items (published);
CREATE INDEX news_items_undated ON news_items (collected) WHERE published IS NULL;
DELETE FROM claims WHERE EXISTS (SELECT 1 FROM news_items n WHERE n.source = claims.source
  AND n.native_id = claims.native_id AND n.published IS NULL);
DELETE FROM news_event_items WHERE EXISTS (SELECT 1 FROM news_items n WHERE n.source = news_event_items.source
  AND n.native_id = news_event_items.native_id AND n.published IS NULL);
DELETE FROM links WHERE NOT EXISTS (SELECT 1 FROM news_event_items m WHERE m.news_event = links.news_event);
DELETE FROM news_events WHERE NOT EXISTS (SELECT 1 FROM news_event_items m WHERE m.news_event = news_events.id);
UPDATE news_events SET outlets = (SELECT count(DISTINCT n.outlet) FROM news_event_items m
  JOIN news_items n USING (source, native_id) WHERE m.news_event = news_events.id)
"""

SUCCESSORS = """
CREATE TABLE incident_successors (      -- ids that messages may name, of incidents that became part of others
  id TEXT PRIMARY KEY, successor TEXT NOT NULL,
  messages TEXT NOT NULL                -- JSON list of the Message-IDs that named it
) STRICT, WITHOUT ROWID;
CREATE INDEX incident_successors_successor ON incident_successors (successor)
"""

CROWD_SPANS = """
ALTER TABLE incident_episodes \
          -- JSON list of [since, until]: where the crowd was really above; empty where that was not kept
  ADD COLUMN crowd_spans TEXT NOT NULL DEFAULT '[]'
"""


KEYS_FIRST = """
CREATE TABLE news_event_items_by_key (
  source TEXT NOT NULL, native_id TEXT NOT NULL,
  news_event TEXT NOT NULL REFERENCES news_events (id) ON DELETE CASCADE,
  PRIMARY KEY (source, native_id)) STRICT, WITHOUT ROWID;
INSERT INTO news_event_items_by_key SELECT source, native_id, news_event FROM news_event_items;
DROP TABLE news_event_items;
ALTER TABLE news_event_items_by_key RENAME TO news_event_items
"""

LOCAL_TIME = """
CREATE TABLE local_time (               -- the clock of display_timezone
  since TEXT PRIMARY KEY, offset_minutes INTEGER NOT NULL, zone TEXT NOT NULL) STRICT
"""

REFUSED = """
ALTER TABLE alerts \
                     -- addresses a mail server refused for good while others have it, by blanks
  ADD COLUMN refused TEXT NOT NULL DEFAULT ''
"""

# each was added to a step that earlier databases had taken already
LATE_INDEXES = """
CREATE INDEX IF NOT EXISTS verdicts_alarm ON verdicts (bin_start) WHERE alarm = 1;
CREATE INDEX IF NOT EXISTS verdicts_loud ON verdicts (bin_start, series, score) WHERE score >= 2;
CREATE INDEX IF NOT EXISTS status_updates_collected ON status_updates (collected);
CREATE INDEX IF NOT EXISTS news_items_collected ON news_items (collected);
CREATE INDEX IF NOT EXISTS post_tags_service ON post_tags (service, created, anger);
CREATE INDEX IF NOT EXISTS series_service ON series (service)
"""


def _step(function: Step) -> Step:
    """Add a step under its function's name, which is never changed: databases have it on record."""
    STEPS[function.__name__] = function
    return function


def _execute(db: Database, script: str) -> None:
    """Run the statements of a script one by one: executescript would commit what is open."""
    for statement in script.split(";\n"):
        if statement.strip():
            db.execute(statement)


@_step
def create_tables(db: Database) -> None:
    """Create the first schema, and full-text search over posts and news kept in step by triggers."""
    _execute(db, TABLES)
    db.table("posts").enable_fts(["title", "text"], create_triggers=True, tokenize="porter")
    db.table("news_items").enable_fts(["title", "summary"], create_triggers=True, tokenize="porter")


@_step
def read_more(db: Database) -> None:
    """Keep what else a post says, what articles claim, and what people said of single posts."""
    _execute(db, READ_MORE)


@_step
def hear_more(db: Database) -> None:
    """Keep other monitors' verdicts."""
    _execute(db, WIDER)


@_step
def tell_stories(db: Database) -> None:
    """Keep episodes, how sure, what numbers statements hold, how often chance links as well, advisories."""
    _execute(db, STORIES)


@_step
def tell_routes(db: Database) -> None:
    """Keep routes, messages told together, silences, and what people say of alerts."""
    _execute(db, ROUTES)


@_step
def tell_the_rest(db: Database) -> None:
    """Keep who has yet to hear of a message, how much of a month was watched; find runs by time, alerts by incident."""
    _execute(db, REST)


@_step
def cut_states(db: Database) -> None:
    """Keep detector states in parts, so that a run writes what changed."""
    _execute(db, PARTS)


@_step
def keep_official_incidents(db: Database) -> None:
    """Keep what pages say of incidents as a whole, earlier wordings of updates, and what was taken back."""
    _execute(db, OFFICIAL)


@_step
def leave_unknown_times_open(db: Database) -> None:
    """Keep the time of a news item as unknown where its entry tells none.

    What used to be kept instead was the time of collection: such rows, and what was concluded of them, are taken back.
    """
    _execute(db, UNKNOWN_TIMES)


@_step
def keep_crowd_spans(db: Database) -> None:
    """Keep in which spans of an episode the crowd was really above: there may be hours between them."""
    _execute(db, CROWD_SPANS)


@_step
def keep_successors(db: Database) -> None:
    """Keep of an incident that became part of another which one that is: messages may have named it."""
    _execute(db, SUCCESSORS)


@_step
def keep_refused_recipients(db: Database) -> None:
    """Keep to whom of several a message cannot be delivered, so that the others do not have it again."""
    _execute(db, REFUSED)


@_step
def find_put_off_messages(db: Database) -> None:
    """Find messages that some recipients are still to have, now that `sent_at` is when the first had them."""
    db.execute("DROP INDEX IF EXISTS alerts_due")
    db.execute("CREATE INDEX alerts_due ON alerts (due_at) WHERE sent_at IS NULL OR left_out != ''")


@_step
def put_keys_first(db: Database) -> None:
    """Put the key of a table without row ids first: SQLite 3.40.0 to 3.41.0 take it for damaged otherwise."""
    _execute(db, KEYS_FIRST)


@_step
def keep_local_time(db: Database) -> None:
    """Keep from when on the reader's clock is how far from UTC, for views by local hour."""
    _execute(db, LOCAL_TIME)


@_step
def search_parts_of_words(db: Database) -> None:
    """Search posts and news by runs of three characters: by beginnings of words, and in scripts without blanks."""
    for table, columns in (("posts", ["title", "text"]), ("news_items", ["title", "summary"])):
        db.table(table).disable_fts()
        db.table(table).enable_fts(columns, create_triggers=True, tokenize="trigram")
        db.table(table).populate_fts(columns)


@_step
def key_counts_by_series(db: Database) -> None:
    """Keep counts as numbers under the number of their series, and their sums by hour; the old name is a view."""
    create_count_tables(db.conn)
    replace_by_view(db.conn, COUNTS_VIEW, COUNTS_SELECT)
    add_kept_view(db.conn, HOURS_VIEW, HOURS_SELECT)


@_step
def add_what_early_databases_lack(db: Database) -> None:
    """Add the columns and indexes that steps were given after some databases had taken them."""
    present = {column.name for column in db["votes"].columns}
    for column in ("author_key", "shape"):
        if column not in present:
            db.execute(f"ALTER TABLE votes ADD COLUMN {column} TEXT NOT NULL DEFAULT ''")
    _execute(db, LATE_INDEXES)


@_step
def keep_gaps_between_counts(db: Database) -> None:
    """Keep where counts are missing between others, which a question would else read every count for."""
    create_gaps_table(db.conn)
    add_kept_view(db.conn, GAPS_VIEW, GAPS_SELECT)


@_step
def leave_search_alone_where_no_word_changes(db: Database) -> None:
    """Index a post or an item of news again only when its words change, and not when it was read."""
    for table, second in (("posts", "text"), ("news_items", "summary")):
        index = f"{table}_fts"
        db.execute(f"DROP TRIGGER IF EXISTS {table}_au")
        db.execute(
            f"CREATE TRIGGER {table}_au AFTER UPDATE OF title, {second} ON {table} BEGIN"
            f" INSERT INTO {index} ({index}, rowid, title, {second}) VALUES ('delete', old.rowid, old.title,"
            f" old.{second}); INSERT INTO {index} (rowid, title, {second}) VALUES (new.rowid, new.title, new.{second});"
            " END"
        )
