-- As the code of commit 3a11a8c left it; never changed.

CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);
CREATE TABLE posts (
  source TEXT NOT NULL, native_id TEXT NOT NULL, kind TEXT NOT NULL, community TEXT NOT NULL,
  author_key TEXT NOT NULL,             -- keyed hash of source and author; names are never stored
  author_created TEXT, created TEXT NOT NULL, collected TEXT NOT NULL, edited TEXT,
  deleted INTEGER NOT NULL DEFAULT 0, parent_id TEXT NOT NULL, title TEXT NOT NULL, text TEXT NOT NULL,
  url TEXT NOT NULL,
  tagged_by TEXT,                       -- the model that last read it; NULL = not read yet
  PRIMARY KEY (source, native_id)) STRICT;
CREATE TABLE post_tags (
  source TEXT NOT NULL, native_id TEXT NOT NULL, service TEXT NOT NULL,
  created TEXT NOT NULL,                -- of the post, repeated so that a span is one index range
  p_outage REAL NOT NULL, components TEXT NOT NULL, symptom TEXT NOT NULL, region TEXT NOT NULL,
  language TEXT NOT NULL, anger REAL NOT NULL, exonerates TEXT NOT NULL, model TEXT NOT NULL,
  PRIMARY KEY (source, native_id, service),
  FOREIGN KEY (source, native_id) REFERENCES posts (source, native_id)) STRICT, WITHOUT ROWID;
CREATE TABLE votes (                    -- posts that counted as one person's report, and why others did not
  source TEXT NOT NULL, native_id TEXT NOT NULL, service TEXT NOT NULL, created TEXT NOT NULL,
  weight REAL NOT NULL,                 -- 1 counted, 0 not
  reason TEXT NOT NULL,
  PRIMARY KEY (source, native_id, service)) STRICT, WITHOUT ROWID;
CREATE TABLE news_items (
  source TEXT NOT NULL, native_id TEXT NOT NULL, outlet TEXT NOT NULL, published TEXT NOT NULL,
  collected TEXT NOT NULL, title TEXT NOT NULL, summary TEXT NOT NULL, url TEXT NOT NULL,
  PRIMARY KEY (source, native_id)) STRICT;
CREATE TABLE item_revisions (           -- earlier wordings of entries that were rewritten in place
  source TEXT NOT NULL, native_id TEXT NOT NULL, replaced_at TEXT NOT NULL, title TEXT NOT NULL,
  summary TEXT NOT NULL, PRIMARY KEY (source, native_id, replaced_at)) STRICT;
CREATE TABLE complaint_counts (
  service TEXT NOT NULL, source TEXT NOT NULL, region TEXT NOT NULL, indicator TEXT NOT NULL,
  start TEXT NOT NULL, interval_s INTEGER NOT NULL, total INTEGER NOT NULL, baseline REAL,
  window TEXT NOT NULL,                 -- interval: counts add up; rolling: a moving total, never summed
  collected TEXT NOT NULL,
  PRIMARY KEY (source, service, region, indicator, start, interval_s, window)) STRICT, WITHOUT ROWID;
CREATE TABLE status_updates (
  page TEXT NOT NULL, incident_id TEXT NOT NULL, update_id TEXT NOT NULL, name TEXT NOT NULL,
  status TEXT NOT NULL, impact TEXT NOT NULL,
  components TEXT NOT NULL,             -- JSON list of [official name, old status, new status]
  displayed_at TEXT NOT NULL, created_at TEXT NOT NULL, collected TEXT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (page, incident_id, update_id)) STRICT, WITHOUT ROWID;
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
CREATE TABLE services (id TEXT PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL, vendor TEXT NOT NULL,
  status_page TEXT NOT NULL, watched INTEGER NOT NULL) STRICT;
CREATE TABLE components (service TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL,
  PRIMARY KEY (service, id)) STRICT, WITHOUT ROWID;
CREATE TABLE runs (
  id INTEGER PRIMARY KEY, stage TEXT NOT NULL, subject TEXT NOT NULL, started TEXT NOT NULL,
  outcome TEXT NOT NULL, seen INTEGER NOT NULL, new INTEGER NOT NULL, rejected INTEGER NOT NULL,
  covered_from TEXT, covered_to TEXT, error TEXT NOT NULL) STRICT;
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
CREATE VIRTUAL TABLE "posts_fts" USING FTS5 (
    "title", "text",
    tokenize='porter',
    content="posts"
);
CREATE VIRTUAL TABLE "news_items_fts" USING FTS5 (
    "title", "summary",
    tokenize='porter',
    content="news_items"
);
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
CREATE INDEX posts_created ON posts (created);
CREATE INDEX posts_collected ON posts (source, collected);
CREATE INDEX posts_untagged ON posts (created) WHERE tagged_by IS NULL;
CREATE INDEX post_tags_created ON post_tags (source, created, service);
CREATE INDEX votes_created ON votes (service, created);
CREATE INDEX news_items_published ON news_items (published);
CREATE INDEX complaint_counts_start ON complaint_counts (source, interval_s, start);
CREATE INDEX complaint_counts_collected ON complaint_counts (source, collected);
CREATE INDEX status_updates_displayed ON status_updates (displayed_at);
CREATE INDEX verdicts_bin ON verdicts (bin_start);
CREATE INDEX alerts_due ON alerts (due_at) WHERE sent_at IS NULL;
CREATE INDEX runs_stage ON runs (stage, subject, started);
CREATE TRIGGER "posts_ai" AFTER INSERT ON "posts" BEGIN
  INSERT INTO "posts_fts" (rowid, "title", "text") VALUES (new.rowid, new."title", new."text");
END;
CREATE TRIGGER "posts_ad" AFTER DELETE ON "posts" BEGIN
  INSERT INTO "posts_fts" ("posts_fts", rowid, "title", "text") VALUES('delete', old.rowid, old."title", old."text");
END;
CREATE TRIGGER "posts_au" AFTER UPDATE ON "posts" BEGIN
  INSERT INTO "posts_fts" ("posts_fts", rowid, "title", "text") VALUES('delete', old.rowid, old."title", old."text");
  INSERT INTO "posts_fts" (rowid, "title", "text") VALUES (new.rowid, new."title", new."text");
END;
CREATE TRIGGER "news_items_ai" AFTER INSERT ON "news_items" BEGIN
  INSERT INTO "news_items_fts" (rowid, "title", "summary") VALUES (new.rowid, new."title", new."summary");
END;
CREATE TRIGGER "news_items_ad" AFTER DELETE ON "news_items" BEGIN
  INSERT INTO "news_items_fts" ("news_items_fts", rowid, "title", "summary") VALUES('delete', old.rowid, old."title", old."summary");
END;
CREATE TRIGGER "news_items_au" AFTER UPDATE ON "news_items" BEGIN
  INSERT INTO "news_items_fts" ("news_items_fts", rowid, "title", "summary") VALUES('delete', old.rowid, old."title", old."summary");
  INSERT INTO "news_items_fts" (rowid, "title", "summary") VALUES (new.rowid, new."title", new."summary");
END;
INSERT INTO "_sqlite_migrations" VALUES (1,'groundswell','create_tables','2026-11-27 18:40:13.264438+00:00');
INSERT INTO "posts" VALUES ('source of old','native_id of old','kind of old','community of old','author_key of old','2026-03-02T11:15:00Z','2026-03-02T11:16:00Z','2026-03-02T11:17:00Z','edited of old',1,'parent_id of old','title of old','text of old','url of old','tagged_by of old');
INSERT INTO "post_tags" VALUES ('source of old','native_id of old','claude','2026-03-02T11:13:00Z',0.5,'[]','symptom of old','region of old','language of old',0.5,'2026-03-02T11:20:00Z','model of old');
INSERT INTO "votes" VALUES ('source of old','native_id of old','claude','2026-03-02T11:13:00Z',0.5,'reason of old');
INSERT INTO "news_items" VALUES ('source of old','native_id of old','outlet of old','2026-03-02T11:13:00Z','2026-03-02T11:14:00Z','title of old','summary of old','url of old');
INSERT INTO "item_revisions" VALUES ('source of old','native_id of old','2026-03-02T11:12:00Z','title of old','summary of old');
INSERT INTO "complaint_counts" VALUES ('claude','source of old','region of old','2026-03-02T11:13:00Z','2026-03-02T11:14:00Z',1,1,0.5,'window of old','2026-03-02T11:19:00Z');
INSERT INTO "status_updates" VALUES ('claude','incident_id of old','2026-03-02T11:12:00Z','name of old','status of old','minor','[]','2026-03-02T11:17:00Z','2026-03-02T11:18:00Z','2026-03-02T11:19:00Z','body of old');
INSERT INTO "chart_ranks" VALUES ('store of old','country of old','chart of old','app of old',1,'2026-03-02T11:15:00Z','2026-03-02T11:16:00Z');
INSERT INTO "series" VALUES ('series of old','claude','channel of old','source of old','region of old','2026-03-02T11:15:00Z',1);
INSERT INTO "verdicts" VALUES ('series of old','2026-03-02T11:11:00Z',0.5,0.5,0.5,0.5,0.5,1,1,'detector of old');
INSERT INTO "incidents" VALUES ('id of old','claude','possible','2026-03-02T11:13:00Z','2026-03-02T11:14:00Z','2026-03-02T11:15:00Z','2026-03-02T11:16:00Z','low','symptom of old','2026-03-02T11:19:00Z',1,1);
INSERT INTO "incident_phases" VALUES ('id of old',1,'onset','2026-03-02T11:13:00Z','2026-03-02T11:14:00Z','low','why of old');
INSERT INTO "incident_components" VALUES ('id of old','component of old','votes','affected','2026-03-02T11:14:00Z','2026-03-02T11:15:00Z','detail of old');
INSERT INTO "incident_evidence" VALUES ('id of old','votes','2026-03-02T11:12:00Z','2026-03-02T11:13:00Z','');
INSERT INTO "news_events" VALUES ('id of old','kind of old','title of old','entities of old',1,'2026-03-02T11:15:00Z');
INSERT INTO "news_event_items" VALUES ('id of old','source of old','native_id of old');
INSERT INTO "links" VALUES ('id of old','id of old','2026-03-02T11:12:00Z',0.5,'evidence_for of old','evidence_against of old');
INSERT INTO "alerts" VALUES ('message_id of old','incident of old','claude','opened','file','2026-03-02T11:15:00Z','2026-03-02T11:16:00Z','2026-03-02T11:12:00Z',1,'error of old',1,'subject of old','{"affected": [], "affected_names": [], "at": "2026-03-02T11:46:00Z", "chart": {"expected": [4.77, 5.75, 4.83, 5.23, 5.14, 5.74, 5.01, 4.81, 4.73, 5.64, 4.79, 5.14, 5.08, 4.37, 4.25], "label": "complaints in 15 min", "observed": [5.0, 3.0, 4.0, 6.0, 5.0, 4.0, 3.0, 4.0, 5.0, 3.0, 4.0, 6.0, 125.0, 124.0, 123.0], "t": [1772438400, 1772439300, 1772440200, 1772441100, 1772442000, 1772442900, 1772443800, 1772444700, 1772445600, 1772446500, 1772447400, 1772448300, 1772449200, 1772450100, 1772451000], "upper": [17.0, 20.0, 18.0, 18.0, 18.0, 20.0, 18.0, 18.0, 17.0, 19.0, 17.0, 18.0, 18.0, 17.0, 16.0]}, "components": [], "end": null, "episodes": 1, "evidence": ["125 complaints in 15 min at 11:00 UTC, 5.1 expected (score 494)"], "impact": "critical", "links": [], "next_after": "2026-03-02T12:01:00Z", "official": [], "official_first_at": null, "onset": "2026-03-02T11:00:00Z", "peak": "2026-03-02T11:00:00Z", "quotes": ["claude code not working at all", "Claude is down for me"], "service": "Claude", "service_id": "claude", "simulated": false, "sources": ["complaint counts"], "state": "likely", "symptom": "all", "transition": "under_way", "votes": 2, "works_names": []}');
INSERT INTO "services" VALUES ('id of old','name of old','kind of old','2026-03-02T11:13:00Z','2026-03-02T11:14:00Z',1);
INSERT INTO "components" VALUES ('claude','id of old','name of old','role of old');
INSERT INTO "runs" VALUES (NULL,'stage of old','subject of old','2026-03-02T11:13:00Z','outcome of old',1,1,1,'covered_from of old','covered_to of old','error of old');
INSERT INTO "coverage" VALUES ('source of old','2026-03-02T11:11:00Z','2026-03-02T11:12:00Z');
INSERT INTO "source_memory" VALUES ('source of old','key of old','value of old');
INSERT INTO "stage_memory" VALUES ('stage of old','key of old','value of old');
INSERT INTO "quarantine" VALUES ('source of old','digest of old','place of old','reason of old','head of old','2026-03-02T11:15:00Z');
