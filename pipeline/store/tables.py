"""The tables of the first schema, with what each column means where its name does not say it.

Natural keys throughout: offering the same row twice stores it once, whatever order rows arrive in. Times are text
`YYYY-MM-DDTHH:MM:SSZ` in UTC. NULL means not observed or not said; it is never zero.
"""

from __future__ import annotations

TABLES = """
CREATE TABLE posts (
  source TEXT NOT NULL, native_id TEXT NOT NULL, kind TEXT NOT NULL, community TEXT NOT NULL,
  author_key TEXT NOT NULL,             -- keyed hash of source and author; names are never stored
  author_created TEXT, created TEXT NOT NULL, collected TEXT NOT NULL, edited TEXT,
  deleted INTEGER NOT NULL DEFAULT 0, parent_id TEXT NOT NULL, title TEXT NOT NULL, text TEXT NOT NULL,
  url TEXT NOT NULL,
  tagged_by TEXT,                       -- the model that last read it; NULL = not read yet
  PRIMARY KEY (source, native_id)) STRICT;
CREATE INDEX posts_created ON posts (created);
CREATE INDEX posts_collected ON posts (source, collected);
CREATE INDEX posts_untagged ON posts (created) WHERE tagged_by IS NULL;

CREATE TABLE post_tags (
  source TEXT NOT NULL, native_id TEXT NOT NULL, service TEXT NOT NULL,
  created TEXT NOT NULL,                -- of the post, repeated so that a span is one index range
  p_outage REAL NOT NULL, components TEXT NOT NULL, symptom TEXT NOT NULL, region TEXT NOT NULL,
  language TEXT NOT NULL, anger REAL NOT NULL, exonerates TEXT NOT NULL, model TEXT NOT NULL,
  PRIMARY KEY (source, native_id, service),
  FOREIGN KEY (source, native_id) REFERENCES posts (source, native_id)) STRICT, WITHOUT ROWID;
CREATE INDEX post_tags_created ON post_tags (source, created, service);

CREATE TABLE votes (                    -- posts that counted as one person's report, and why others did not
  source TEXT NOT NULL, native_id TEXT NOT NULL, service TEXT NOT NULL, created TEXT NOT NULL,
  weight REAL NOT NULL,                 -- 1 counted, 0 not
  reason TEXT NOT NULL,
  author_key TEXT NOT NULL,
  shape TEXT NOT NULL,                  -- digest of the text without case, punctuation, links: copies share it
  PRIMARY KEY (source, native_id, service)) STRICT, WITHOUT ROWID;
CREATE INDEX votes_created ON votes (created);

CREATE TABLE news_items (
  source TEXT NOT NULL, native_id TEXT NOT NULL, outlet TEXT NOT NULL, published TEXT NOT NULL,
  collected TEXT NOT NULL, title TEXT NOT NULL, summary TEXT NOT NULL, url TEXT NOT NULL,
  PRIMARY KEY (source, native_id)) STRICT;
CREATE INDEX news_items_published ON news_items (published);
CREATE INDEX news_items_collected ON news_items (collected);
CREATE TABLE item_revisions (           -- earlier wordings of entries that were rewritten in place
  source TEXT NOT NULL, native_id TEXT NOT NULL, replaced_at TEXT NOT NULL, title TEXT NOT NULL,
  summary TEXT NOT NULL, PRIMARY KEY (source, native_id, replaced_at)) STRICT;

CREATE TABLE complaint_counts (
  service TEXT NOT NULL, source TEXT NOT NULL, region TEXT NOT NULL, indicator TEXT NOT NULL,
  start TEXT NOT NULL, interval_s INTEGER NOT NULL, total INTEGER NOT NULL, baseline REAL,
  window TEXT NOT NULL,                 -- interval: counts add up; rolling: a moving total, never summed
                                        -- (recovered: counts worked out from how a moving total changed)
  collected TEXT NOT NULL,
  PRIMARY KEY (source, service, region, indicator, start, interval_s, window)) STRICT, WITHOUT ROWID;
CREATE INDEX complaint_counts_start ON complaint_counts (source, interval_s, start);
CREATE INDEX complaint_counts_collected ON complaint_counts (source, collected);

CREATE TABLE status_updates (
  page TEXT NOT NULL, incident_id TEXT NOT NULL, update_id TEXT NOT NULL, name TEXT NOT NULL,
  status TEXT NOT NULL, impact TEXT NOT NULL,
  components TEXT NOT NULL,             -- JSON list of [official name, old status, new status]
  displayed_at TEXT NOT NULL, created_at TEXT NOT NULL, collected TEXT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (page, incident_id, update_id)) STRICT, WITHOUT ROWID;
CREATE INDEX status_updates_displayed ON status_updates (displayed_at);
CREATE INDEX status_updates_collected ON status_updates (collected);

CREATE TABLE chart_ranks (
  store TEXT NOT NULL, country TEXT NOT NULL, chart TEXT NOT NULL, app TEXT NOT NULL, rank INTEGER NOT NULL,
  observed TEXT NOT NULL, collected TEXT NOT NULL,
  PRIMARY KEY (store, country, chart, app, observed)) STRICT, WITHOUT ROWID;

CREATE TABLE series (
  series TEXT PRIMARY KEY, service TEXT NOT NULL, channel TEXT NOT NULL, source TEXT NOT NULL,
  region TEXT NOT NULL, indicator TEXT NOT NULL, bin_s INTEGER NOT NULL) STRICT;
CREATE TABLE verdicts (                 -- kept where something was observed, a count was missing or the score is >= 2
  series TEXT NOT NULL, bin_start TEXT NOT NULL, observed REAL, expected REAL, upperbound REAL,
  score REAL, p REAL, level INTEGER NOT NULL, alarm INTEGER NOT NULL, detector TEXT NOT NULL,
  PRIMARY KEY (series, bin_start), FOREIGN KEY (series) REFERENCES series (series)) STRICT, WITHOUT ROWID;
CREATE INDEX verdicts_bin ON verdicts (bin_start);
CREATE INDEX verdicts_alarm ON verdicts (bin_start) WHERE alarm = 1;
CREATE TABLE detector_state (
  subject TEXT NOT NULL, slot TEXT NOT NULL,   -- slot: now, or day (the last midnight, to re-judge late bins from)
  detector TEXT NOT NULL, version INTEGER NOT NULL, through TEXT NOT NULL, blob BLOB NOT NULL,
  PRIMARY KEY (subject, slot)) STRICT;

CREATE TABLE incidents (
  id TEXT PRIMARY KEY, service TEXT NOT NULL, state TEXT NOT NULL,
  opened_at TEXT NOT NULL,              -- when a run first knew of it
  onset TEXT NOT NULL, peak TEXT,
  "end" TEXT, impact TEXT NOT NULL, symptom TEXT NOT NULL, official_first_at TEXT,
  episodes INTEGER NOT NULL, active INTEGER NOT NULL) STRICT;
CREATE TABLE incident_phases (
  incident TEXT NOT NULL REFERENCES incidents (id) ON DELETE CASCADE, episode INTEGER NOT NULL,
  phase TEXT NOT NULL, since TEXT NOT NULL, until TEXT, impact TEXT NOT NULL, why TEXT NOT NULL,
  PRIMARY KEY (incident, episode, phase, since)) STRICT, WITHOUT ROWID;
CREATE TABLE incident_components (
  incident TEXT NOT NULL REFERENCES incidents (id) ON DELETE CASCADE, component TEXT NOT NULL,
  source TEXT NOT NULL,                 -- votes, official
  status TEXT NOT NULL,                 -- affected, works
  since TEXT NOT NULL, until TEXT, detail TEXT NOT NULL,
  PRIMARY KEY (incident, component, source, status, since)) STRICT, WITHOUT ROWID;
CREATE TABLE incident_evidence (
  incident TEXT NOT NULL REFERENCES incidents (id) ON DELETE CASCADE, kind TEXT NOT NULL, at TEXT NOT NULL,
  statement TEXT NOT NULL,
  rows TEXT NOT NULL,                   -- table:key of each stored row behind the statement
  PRIMARY KEY (incident, kind, at, statement)) STRICT, WITHOUT ROWID;

CREATE TABLE news_events (
  id TEXT PRIMARY KEY, kind TEXT NOT NULL, title TEXT NOT NULL, entities TEXT NOT NULL, outlets INTEGER NOT NULL,
  first_seen TEXT NOT NULL) STRICT;
CREATE TABLE news_event_items (
  news_event TEXT NOT NULL REFERENCES news_events (id) ON DELETE CASCADE, source TEXT NOT NULL,
  native_id TEXT NOT NULL, PRIMARY KEY (source, native_id)) STRICT, WITHOUT ROWID;
CREATE TABLE links (
  incident TEXT NOT NULL REFERENCES incidents (id) ON DELETE CASCADE,
  news_event TEXT NOT NULL REFERENCES news_events (id) ON DELETE CASCADE, relation TEXT NOT NULL,
  score REAL NOT NULL, evidence_for TEXT NOT NULL, evidence_against TEXT NOT NULL,
  PRIMARY KEY (incident, news_event)) STRICT, WITHOUT ROWID;

CREATE TABLE alerts (                   -- the outbox: the row first, then the message, then sent_at
  message_id TEXT PRIMARY KEY, incident TEXT NOT NULL, service TEXT NOT NULL, transition TEXT NOT NULL,
  channel TEXT NOT NULL, created TEXT NOT NULL, due_at TEXT NOT NULL, sent_at TEXT,
  attempts INTEGER NOT NULL DEFAULT 0, error TEXT NOT NULL DEFAULT '', failed INTEGER NOT NULL DEFAULT 0,
  subject TEXT NOT NULL, facts TEXT NOT NULL) STRICT;
CREATE INDEX alerts_due ON alerts (due_at) WHERE sent_at IS NULL;

CREATE TABLE services (id TEXT PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL, vendor TEXT NOT NULL,
  status_page TEXT NOT NULL, watched INTEGER NOT NULL) STRICT;
CREATE TABLE components (service TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL,
  PRIMARY KEY (service, id)) STRICT, WITHOUT ROWID;

CREATE TABLE runs (
  id INTEGER PRIMARY KEY, stage TEXT NOT NULL, subject TEXT NOT NULL, started TEXT NOT NULL,
  outcome TEXT NOT NULL, seen INTEGER NOT NULL, new INTEGER NOT NULL, rejected INTEGER NOT NULL,
  covered_from TEXT, covered_to TEXT, error TEXT NOT NULL) STRICT;
CREATE INDEX runs_stage ON runs (stage, subject, started);
CREATE TABLE coverage (                 -- spans in which a source was truly read; outside them silence means nothing
  source TEXT NOT NULL, since TEXT NOT NULL, until TEXT NOT NULL, PRIMARY KEY (source, since)) STRICT;
CREATE TABLE source_memory (source TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (source, key)) STRICT, WITHOUT ROWID;
CREATE TABLE stage_memory (stage TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (stage, key)) STRICT, WITHOUT ROWID;
CREATE TABLE quarantine (
  source TEXT NOT NULL, digest TEXT NOT NULL,  -- of the row, so that the same bad row is kept once
  place TEXT NOT NULL, reason TEXT NOT NULL, head TEXT NOT NULL, seen_at TEXT NOT NULL,
  PRIMARY KEY (source, digest)) STRICT;
"""
