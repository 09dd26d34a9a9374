-- As the code of commit 8b86376 left it; never changed.

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
  language TEXT NOT NULL, anger REAL NOT NULL, exonerates TEXT NOT NULL, model TEXT NOT NULL, codes TEXT NOT NULL DEFAULT '[]', began TEXT,
  PRIMARY KEY (source, native_id, service),
  FOREIGN KEY (source, native_id) REFERENCES posts (source, native_id)) STRICT, WITHOUT ROWID;
CREATE TABLE votes (                    -- posts that counted as one person's report, and why others did not
  source TEXT NOT NULL, native_id TEXT NOT NULL, service TEXT NOT NULL, created TEXT NOT NULL,
  weight REAL NOT NULL,                 -- 1 counted, 0 not
  reason TEXT NOT NULL,
  author_key TEXT NOT NULL,
  shape TEXT NOT NULL,                  -- digest of the text without case, punctuation, links: copies share it
  PRIMARY KEY (source, native_id, service)) STRICT, WITHOUT ROWID;
CREATE TABLE news_items (
  source TEXT NOT NULL, native_id TEXT NOT NULL, outlet TEXT NOT NULL, collected TEXT NOT NULL, title TEXT NOT NULL, summary TEXT NOT NULL, url TEXT NOT NULL, published TEXT,
  PRIMARY KEY (source, native_id)) STRICT;
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
CREATE TABLE status_updates (
  page TEXT NOT NULL, incident_id TEXT NOT NULL, update_id TEXT NOT NULL, name TEXT NOT NULL,
  status TEXT NOT NULL, impact TEXT NOT NULL,
  components TEXT NOT NULL,             -- JSON list of [official name, old status, new status]
  displayed_at TEXT NOT NULL, created_at TEXT NOT NULL, collected TEXT NOT NULL, body TEXT NOT NULL, timing TEXT NOT NULL DEFAULT '', read_at TEXT,
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
  detector TEXT NOT NULL, version INTEGER NOT NULL, through TEXT NOT NULL,
  PRIMARY KEY (subject, slot)) STRICT;
CREATE TABLE incidents (
  id TEXT PRIMARY KEY, service TEXT NOT NULL, state TEXT NOT NULL,
  opened_at TEXT NOT NULL,              -- when a run first knew of it
  onset TEXT NOT NULL, peak TEXT,
  "end" TEXT, impact TEXT NOT NULL, symptom TEXT NOT NULL, official_first_at TEXT,
  episodes INTEGER NOT NULL, active INTEGER NOT NULL, probability REAL, part_of TEXT NOT NULL DEFAULT '') STRICT;
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
  rows TEXT NOT NULL, subject TEXT NOT NULL DEFAULT '', value REAL, beside REAL,                   -- table:key of each stored row behind the statement
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
  score REAL NOT NULL, evidence_for TEXT NOT NULL, evidence_against TEXT NOT NULL, p REAL, shown INTEGER NOT NULL DEFAULT 1,
  PRIMARY KEY (incident, news_event)) STRICT, WITHOUT ROWID;
CREATE TABLE alerts (                   -- the outbox: the row first, then the message, then sent_at
  message_id TEXT PRIMARY KEY, incident TEXT NOT NULL, service TEXT NOT NULL, transition TEXT NOT NULL,
  channel TEXT NOT NULL, created TEXT NOT NULL, due_at TEXT NOT NULL, sent_at TEXT,
  attempts INTEGER NOT NULL DEFAULT 0, error TEXT NOT NULL DEFAULT '', failed INTEGER NOT NULL DEFAULT 0,
  subject TEXT NOT NULL, facts TEXT NOT NULL, route TEXT NOT NULL DEFAULT '', merged_into TEXT, left_out TEXT NOT NULL DEFAULT '', refused TEXT NOT NULL DEFAULT '') STRICT;
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
CREATE TABLE claims (                   -- what a news item says of an outage, in its own words' terms
  source TEXT NOT NULL, native_id TEXT NOT NULL, kind TEXT NOT NULL,
  value TEXT NOT NULL,                  -- start, end: HH:MM in UTC; up, down: component; reports: a number; cause: words
  said_by TEXT NOT NULL,                -- company, tracker, or the outlet itself
  definition TEXT NOT NULL,             -- of a number: peak, total or unknown
  PRIMARY KEY (source, native_id, kind, value)) STRICT, WITHOUT ROWID;
CREATE TABLE labels (                   -- what a person says of a post about a service: 1 reports an outage, 0 does not
  source TEXT NOT NULL, native_id TEXT NOT NULL, service TEXT NOT NULL, outage INTEGER NOT NULL,
  labelled_at TEXT NOT NULL,
  PRIMARY KEY (source, native_id, service)) STRICT, WITHOUT ROWID;
CREATE TABLE outside_verdicts (         -- what other monitors say of a service, in their words; not ours, never mixed
  source TEXT NOT NULL, service TEXT NOT NULL, verdict TEXT NOT NULL, observed TEXT NOT NULL, collected TEXT NOT NULL,
  PRIMARY KEY (source, service, observed)) STRICT, WITHOUT ROWID;
CREATE TABLE incident_episodes (
  incident TEXT NOT NULL REFERENCES incidents (id) ON DELETE CASCADE, number INTEGER NOT NULL, onset TEXT NOT NULL,
  "end" TEXT, impact TEXT NOT NULL, components TEXT NOT NULL, official_first_at TEXT,
  by_crowd INTEGER NOT NULL, crowd_since TEXT, crowd_until TEXT, crowd_spans TEXT NOT NULL DEFAULT '[]',            -- 1 when complaints or reports rose, 0 when only the page speaks of it
  PRIMARY KEY (incident, number)) STRICT, WITHOUT ROWID;
CREATE TABLE advisories (               -- likely to be overrun, said before anything breaks
  service TEXT NOT NULL, since TEXT NOT NULL, until TEXT, level TEXT NOT NULL, reasons TEXT NOT NULL,
  signals TEXT NOT NULL,                -- JSON list of [name, value, usual]
  PRIMARY KEY (service, since)) STRICT, WITHOUT ROWID;
CREATE TABLE silences (                 -- nothing is told of a service while one lasts
  id INTEGER PRIMARY KEY, service TEXT NOT NULL,
  component TEXT NOT NULL,              -- only while no other part is affected; empty for the whole service
  since TEXT NOT NULL, until TEXT NOT NULL, reason TEXT NOT NULL, author TEXT NOT NULL) STRICT;
CREATE TABLE feedback (                 -- what a person says of an incident's alerts
  incident TEXT PRIMARY KEY, verdict TEXT NOT NULL, note TEXT NOT NULL, said_at TEXT NOT NULL) STRICT;
CREATE TABLE availability (             -- by month, worked out anew by publish
  service TEXT NOT NULL, month TEXT NOT NULL,
  said_by TEXT NOT NULL,                -- page: by the provider's own notices; crowd: by what people reported
  incidents INTEGER NOT NULL, down_minutes REAL NOT NULL, availability REAL NOT NULL, mttr_minutes REAL, mtbf_hours REAL, observed_minutes REAL NOT NULL DEFAULT 0,
  PRIMARY KEY (service, month, said_by)) STRICT, WITHOUT ROWID;
CREATE TABLE detector_state_parts (     -- a state cut into parts: of a large one few change with a bin, and only these are written
  subject TEXT NOT NULL, slot TEXT NOT NULL, part INTEGER NOT NULL, bytes BLOB NOT NULL,
  PRIMARY KEY (subject, slot, part),
  FOREIGN KEY (subject, slot) REFERENCES detector_state (subject, slot) ON DELETE CASCADE) STRICT;
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
;
CREATE TABLE incident_successors (      -- ids that messages may name, of incidents that became part of others
  id TEXT PRIMARY KEY, successor TEXT NOT NULL,
  messages TEXT NOT NULL                -- JSON list of the Message-IDs that named it
) STRICT, WITHOUT ROWID;
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
CREATE INDEX votes_created ON votes (created);
CREATE INDEX news_items_collected ON news_items (collected);
CREATE INDEX complaint_counts_collected ON complaint_counts (source, collected);
CREATE INDEX status_updates_displayed ON status_updates (displayed_at);
CREATE INDEX status_updates_collected ON status_updates (collected);
CREATE INDEX verdicts_bin ON verdicts (bin_start);
CREATE INDEX verdicts_alarm ON verdicts (bin_start) WHERE alarm = 1;
CREATE INDEX alerts_due ON alerts (due_at) WHERE sent_at IS NULL;
CREATE INDEX runs_stage ON runs (stage, subject, started);
CREATE INDEX complaint_counts_start ON complaint_counts (source, interval_s, window, start);
CREATE INDEX post_tags_service ON post_tags (service, created, anger);
CREATE INDEX alerts_incident ON alerts (incident, created);
CREATE INDEX alerts_sent ON alerts (channel, route, sent_at);
CREATE INDEX runs_started ON runs (stage, started);
CREATE INDEX series_service ON series (service);
CREATE INDEX complaint_counts_hour ON complaint_counts (service, substr(start, 1, 13) || ':00:00Z')
  WHERE region = '' AND indicator = '' AND "window" != 'rolling';
CREATE INDEX verdicts_loud ON verdicts (bin_start, series, score) WHERE score >= 2;
CREATE INDEX news_items_published ON news_items (published);
CREATE INDEX news_items_undated ON news_items (collected) WHERE published IS NULL;
CREATE INDEX incident_successors_successor ON incident_successors (successor)
;
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
INSERT INTO "_sqlite_migrations" VALUES (1,'groundswell','create_tables','2026-11-27 19:29:45.738942+00:00');
INSERT INTO "_sqlite_migrations" VALUES (2,'groundswell','read_more','2026-11-27 19:29:45.740141+00:00');
INSERT INTO "_sqlite_migrations" VALUES (3,'groundswell','hear_more','2026-11-27 19:29:45.870940+00:00');
INSERT INTO "_sqlite_migrations" VALUES (4,'groundswell','tell_stories','2026-11-27 19:29:45.925842+00:00');
INSERT INTO "_sqlite_migrations" VALUES (5,'groundswell','tell_routes','2026-11-27 19:29:45.928540+00:00');
INSERT INTO "_sqlite_migrations" VALUES (6,'groundswell','tell_the_rest','2026-11-27 19:29:45.975588+00:00');
INSERT INTO "_sqlite_migrations" VALUES (7,'groundswell','cut_states','2026-11-27 19:29:45.985455+00:00');
INSERT INTO "_sqlite_migrations" VALUES (8,'groundswell','keep_official_incidents','2026-11-27 19:29:46.006769+00:00');
INSERT INTO "_sqlite_migrations" VALUES (9,'groundswell','leave_unknown_times_open','2026-11-27 19:29:46.215991+00:00');
INSERT INTO "_sqlite_migrations" VALUES (10,'groundswell','keep_crowd_spans','2026-11-27 19:29:46.224687+00:00');
INSERT INTO "_sqlite_migrations" VALUES (11,'groundswell','keep_successors','2026-11-27 19:29:46.225064+00:00');
INSERT INTO "_sqlite_migrations" VALUES (12,'groundswell','keep_refused_recipients','2026-11-27 19:29:46.225703+00:00');
INSERT INTO "posts" VALUES ('reddit','t3_p0','post','ClaudeAI','d97a1fa636696cbd',NULL,'2026-03-02T11:10:00Z','2026-03-02T11:46:00Z',NULL,0,'','Claude is down for me','','https://www.reddit.com/r/ClaudeAI/comments/p0/x/','19da233cab2e-1695ffefc299-77f1b86944db');
INSERT INTO "posts" VALUES ('reddit','t3_p1','post','ClaudeAI','c92e52e46ab38d6b',NULL,'2026-03-02T11:11:00Z','2026-03-02T11:46:00Z',NULL,0,'','claude code not working at all','','https://www.reddit.com/r/ClaudeAI/comments/p1/x/','19da233cab2e-1695ffefc299-77f1b86944db');
INSERT INTO "posts" VALUES ('reddit','t3_p2','post','ClaudeAI','39783c82885d1897',NULL,'2026-03-02T11:12:00Z','2026-03-02T11:46:00Z',NULL,0,'','I like Claude','','https://www.reddit.com/r/ClaudeAI/comments/p2/x/','19da233cab2e-1695ffefc299-77f1b86944db');
INSERT INTO "post_tags" VALUES ('reddit','t3_p0','claude','2026-03-02T11:10:00Z',0.9216,'[]','all','','en',0.0,'[]','19da233cab2e-1695ffefc299-77f1b86944db','[]',NULL);
INSERT INTO "post_tags" VALUES ('reddit','t3_p1','claude','2026-03-02T11:11:00Z',0.99,'["code"]','error','','en',0.0,'[]','19da233cab2e-1695ffefc299-77f1b86944db','[]',NULL);
INSERT INTO "post_tags" VALUES ('reddit','t3_p2','claude','2026-03-02T11:12:00Z',0.0444,'[]','','','en',0.0,'[]','19da233cab2e-1695ffefc299-77f1b86944db','[]',NULL);
INSERT INTO "votes" VALUES ('reddit','t3_p0','claude','2026-03-02T11:10:00Z',1.0,'counted','d97a1fa636696cbd','598f45f5de95d800');
INSERT INTO "votes" VALUES ('reddit','t3_p1','claude','2026-03-02T11:11:00Z',1.0,'counted','c92e52e46ab38d6b','7877e1cfb0c593b0');
INSERT INTO "votes" VALUES ('reddit','t3_p2','claude','2026-03-02T11:12:00Z',0.0,'not about an outage','39783c82885d1897','599c2bf805ebd77f');
INSERT INTO "news_items" VALUES ('source of old','native_id of old','outlet of old','2026-03-02T11:13:00Z','title of old','summary of old','url of old','2026-03-02T11:17:00Z');
INSERT INTO "item_revisions" VALUES ('source of old','native_id of old','2026-03-02T11:12:00Z','title of old','summary of old');
INSERT INTO "complaint_counts" VALUES ('netflix','counts:tickets.csv','','','2026-03-02T08:15:00Z',900,3,NULL,'interval','2026-03-02T11:46:00Z');
INSERT INTO "complaint_counts" VALUES ('netflix','counts:tickets.csv','','','2026-03-02T08:30:00Z',900,4,NULL,'interval','2026-03-02T11:46:00Z');
INSERT INTO "complaint_counts" VALUES ('netflix','counts:tickets.csv','','','2026-03-02T08:45:00Z',900,6,NULL,'interval','2026-03-02T11:46:00Z');
INSERT INTO "complaint_counts" VALUES ('netflix','counts:tickets.csv','','','2026-03-02T09:00:00Z',900,5,NULL,'interval','2026-03-02T11:46:00Z');
INSERT INTO "complaint_counts" VALUES ('netflix','counts:tickets.csv','','','2026-03-02T09:15:00Z',900,4,NULL,'interval','2026-03-02T11:46:00Z');
INSERT INTO "complaint_counts" VALUES ('netflix','counts:tickets.csv','','','2026-03-02T09:30:00Z',900,3,NULL,'interval','2026-03-02T11:46:00Z');
INSERT INTO "complaint_counts" VALUES ('netflix','counts:tickets.csv','','','2026-03-02T09:45:00Z',900,4,NULL,'interval','2026-03-02T11:46:00Z');
INSERT INTO "complaint_counts" VALUES ('netflix','counts:tickets.csv','','','2026-03-02T10:00:00Z',900,5,NULL,'interval','2026-03-02T11:46:00Z');
INSERT INTO "complaint_counts" VALUES ('netflix','counts:tickets.csv','','','2026-03-02T10:15:00Z',900,3,NULL,'interval','2026-03-02T11:46:00Z');
INSERT INTO "complaint_counts" VALUES ('netflix','counts:tickets.csv','','','2026-03-02T10:30:00Z',900,4,NULL,'interval','2026-03-02T11:46:00Z');
INSERT INTO "complaint_counts" VALUES ('netflix','counts:tickets.csv','','','2026-03-02T10:45:00Z',900,6,NULL,'interval','2026-03-02T11:46:00Z');
INSERT INTO "complaint_counts" VALUES ('netflix','counts:tickets.csv','','','2026-03-02T11:00:00Z',900,125,NULL,'interval','2026-03-02T11:46:00Z');
INSERT INTO "complaint_counts" VALUES ('netflix','counts:tickets.csv','','','2026-03-02T11:15:00Z',900,124,NULL,'interval','2026-03-02T11:46:00Z');
INSERT INTO "complaint_counts" VALUES ('netflix','counts:tickets.csv','','','2026-03-02T11:30:00Z',900,123,NULL,'interval','2026-03-02T11:46:00Z');
INSERT INTO "status_updates" VALUES ('claude','incident_id of old','2026-03-02T11:12:00Z','name of old','status of old','minor','[]','2026-03-02T11:17:00Z','2026-03-02T11:18:00Z','2026-03-02T11:19:00Z','body of old','timing of old','2026-03-02T11:22:00Z');
INSERT INTO "chart_ranks" VALUES ('store of old','country of old','chart of old','app of old',1,'2026-03-02T11:15:00Z','2026-03-02T11:16:00Z');
INSERT INTO "series" VALUES ('claude/votes/reddit///60','claude','votes','reddit','','',60);
INSERT INTO "series" VALUES ('netflix/votes/reddit///60','netflix','votes','reddit','','',60);
INSERT INTO "series" VALUES ('claude/complaints/counts:tickets.csv///900','claude','complaints','counts:tickets.csv','','',900);
INSERT INTO "series" VALUES ('netflix/complaints/counts:tickets.csv///900','netflix','complaints','counts:tickets.csv','','',900);
INSERT INTO "verdicts" VALUES ('netflix/complaints/counts:tickets.csv///900','2026-03-02T08:45:00Z',6.0,4.2336,33.0,0.0,1.0,0,0,'SeasonalNB/4()');
INSERT INTO "verdicts" VALUES ('netflix/complaints/counts:tickets.csv///900','2026-03-02T09:00:00Z',5.0,4.232,33.0,0.0,1.0,0,0,'SeasonalNB/4()');
INSERT INTO "verdicts" VALUES ('netflix/complaints/counts:tickets.csv///900','2026-03-02T09:15:00Z',4.0,4.2264,33.0,0.0,1.0,0,0,'SeasonalNB/4()');
INSERT INTO "verdicts" VALUES ('netflix/complaints/counts:tickets.csv///900','2026-03-02T09:30:00Z',3.0,4.2316,33.0,0.0,1.0,0,0,'SeasonalNB/4()');
INSERT INTO "verdicts" VALUES ('netflix/complaints/counts:tickets.csv///900','2026-03-02T09:45:00Z',4.0,4.2598,33.0,0.0,1.0,0,0,'SeasonalNB/4()');
INSERT INTO "verdicts" VALUES ('netflix/complaints/counts:tickets.csv///900','2026-03-02T10:00:00Z',5.0,4.2511,33.0,0.0,1.0,0,0,'SeasonalNB/4()');
INSERT INTO "verdicts" VALUES ('netflix/complaints/counts:tickets.csv///900','2026-03-02T10:15:00Z',3.0,4.232,33.0,0.0,1.0,0,0,'SeasonalNB/4()');
INSERT INTO "verdicts" VALUES ('netflix/complaints/counts:tickets.csv///900','2026-03-02T10:30:00Z',4.0,4.2374,33.0,0.0,1.0,0,0,'SeasonalNB/4()');
INSERT INTO "verdicts" VALUES ('netflix/complaints/counts:tickets.csv///900','2026-03-02T10:45:00Z',6.0,4.2343,33.0,0.0,1.0,0,0,'SeasonalNB/4()');
INSERT INTO "verdicts" VALUES ('netflix/complaints/counts:tickets.csv///900','2026-03-02T11:00:00Z',125.0,4.2326,33.0,53.2143,0.0,2,1,'SeasonalNB/4()');
INSERT INTO "verdicts" VALUES ('netflix/complaints/counts:tickets.csv///900','2026-03-02T11:15:00Z',124.0,4.2051,33.0,100.9763,0.0,2,1,'SeasonalNB/4()');
INSERT INTO "verdicts" VALUES ('netflix/complaints/counts:tickets.csv///900','2026-03-02T11:30:00Z',123.0,4.1814,33.0,125.5239,0.0,2,1,'SeasonalNB/4()');
INSERT INTO "detector_state" VALUES ('complaints:counts:tickets.csv:900:interval','now','SeasonalNB/4()',1,'2026-03-02T11:45:00Z');
INSERT INTO "incidents" VALUES ('claude-20260302T1100Z','claude','likely','2026-03-02T11:46:00Z','2026-03-02T11:00:00Z','2026-03-02T11:00:00Z',NULL,'high','error',NULL,1,1,0.993,'');
INSERT INTO "incidents" VALUES ('netflix-20260302T1100Z','netflix','likely','2026-03-02T11:46:00Z','2026-03-02T11:00:00Z','2026-03-02T11:00:00Z',NULL,'high','',NULL,1,1,0.993,'');
INSERT INTO "incident_phases" VALUES ('claude-20260302T1100Z',1,'onset','2026-03-02T11:00:00Z',NULL,'high','complaints in 15 min rise above what is expected');
INSERT INTO "incident_phases" VALUES ('netflix-20260302T1100Z',1,'onset','2026-03-02T11:00:00Z',NULL,'high','complaints in 15 min rise above what is expected');
INSERT INTO "incident_components" VALUES ('claude-20260302T1100Z','component of old','votes','affected','2026-03-02T11:14:00Z','2026-03-02T11:15:00Z','detail of old');
INSERT INTO "incident_evidence" VALUES ('claude-20260302T1100Z','unknown','2026-03-02T11:00:00Z','nobody speaks of claude.ai, Claude API, Claude Console, Claude Desktop, Claude mobile app, Claude for Government','components:claude','web api console desktop mobile gov',6.0,7.0);
INSERT INTO "incident_evidence" VALUES ('netflix-20260302T1100Z','certainty','2026-03-02T11:00:00Z','120 complaints above what is usual, at the peak: for (+8.3)','incidents:netflix-20260302T1100Z','voters',8.3,0.993);
INSERT INTO "incident_evidence" VALUES ('netflix-20260302T1100Z','certainty','2026-03-02T11:00:00Z','before anything else is known: against (-3.5)','incidents:netflix-20260302T1100Z','base',-3.5,0.993);
INSERT INTO "incident_evidence" VALUES ('netflix-20260302T1100Z','certainty','2026-03-02T11:00:00Z','how far above the alarm the loudest channel is: for (+0.2)','incidents:netflix-20260302T1100Z','loudest',0.19,0.993);
INSERT INTO "incident_evidence" VALUES ('netflix-20260302T1100Z','comparable','2026-03-02T11:00:00Z','Anthropic, 18 September 2025: api, code, console, web, error, impact high, lasted 58 min (65% alike; status.claude.com/incidents/pstkfl3t9jfd)','incidents.csv:pstkfl3t9jfd','pstkfl3t9jfd',58.0,0.65);
INSERT INTO "incident_evidence" VALUES ('netflix-20260302T1100Z','comparable','2026-03-02T11:00:00Z','Anthropic, 20 November 2025: api, code, console, web, error, impact high, lasted 3.9 h (65% alike; status.claude.com/incidents/xbbf1wq2dlz7)','incidents.csv:xbbf1wq2dlz7','xbbf1wq2dlz7',233.0,0.65);
INSERT INTO "incident_evidence" VALUES ('netflix-20260302T1100Z','comparable','2026-03-02T11:00:00Z','Anthropic, 22 August 2025: web, error, impact high, lasted 53 min (65% alike; status.claude.com/incidents/4nh4b5yflbws)','incidents.csv:4nh4b5yflbws','4nh4b5yflbws',53.0,0.65);
INSERT INTO "incident_evidence" VALUES ('netflix-20260302T1100Z','comparable','2026-03-02T11:00:00Z','Anthropic, 22 July 2025: console, web, error, impact high, lasted 7.0 h (65% alike; status.claude.com/incidents/s8t7ls5t5j61)','incidents.csv:s8t7ls5t5j61','s8t7ls5t5j61',422.0,0.65);
INSERT INTO "incident_evidence" VALUES ('netflix-20260302T1100Z','comparable','2026-03-02T11:00:00Z','Anthropic, 28 October 2025: web, error, impact high, lasted 6.4 h (65% alike; status.claude.com/incidents/k1hywp210cxl)','incidents.csv:k1hywp210cxl','k1hywp210cxl',387.0,0.65);
INSERT INTO "incident_evidence" VALUES ('netflix-20260302T1100Z','complaints','2026-03-02T11:00:00Z','125 complaints in 15 min at 11:00 UTC, 4.2 expected (score 126)','verdicts:netflix/complaints/counts:tickets.csv///900@2026-03-02T11:00:00Z','counts:tickets.csv',125.0,4.2);
INSERT INTO "incident_evidence" VALUES ('netflix-20260302T1100Z','figure','2026-03-02T11:00:00Z','125 complaints in the highest 15 min','complaint_counts:netflix@2026-03-02T00:00:00Z/2026-03-02T11:46:00Z','peak',125.0,NULL);
INSERT INTO "incident_evidence" VALUES ('netflix-20260302T1100Z','figure','2026-03-02T11:00:00Z','372 complaints in the first 45 min','complaint_counts:netflix@2026-03-02T00:00:00Z/2026-03-02T11:46:00Z','first 45 minutes',372.0,NULL);
INSERT INTO "incident_evidence" VALUES ('netflix-20260302T1100Z','figure','2026-03-02T11:00:00Z','560 complaints on 2 March','complaint_counts:netflix@2026-03-02T00:00:00Z/2026-03-02T11:46:00Z','total',560.0,NULL);
INSERT INTO "incident_evidence" VALUES ('netflix-20260302T1100Z','outlook','2026-03-02T11:00:00Z','the 5 most alike lasted 53 min to 7.0 h, 3.9 h in the middle','incidents.csv:xbbf1wq2dlz7 incidents.csv:k1hywp210cxl incidents.csv:pstkfl3t9jfd incidents.csv:4nh4b5yflbws incidents.csv:s8t7ls5t5j61','duration',233.0,422.0);
INSERT INTO "news_events" VALUES ('id of old','kind of old','title of old','entities of old',1,'2026-03-02T11:15:00Z');
INSERT INTO "news_event_items" VALUES ('id of old','source of old','native_id of old');
INSERT INTO "links" VALUES ('claude-20260302T1100Z','id of old','2026-03-02T11:12:00Z',0.5,'evidence_for of old','evidence_against of old',0.5,1);
INSERT INTO "alerts" VALUES ('<fe2530f41143971e806de37c@groundswell>','claude-20260302T1100Z','claude','under_way','file','2026-03-02T11:46:00Z','2026-03-02T11:46:00Z','2026-03-02T11:46:00Z',1,'',0,'Claude: already under way when we began (error; impact high)','{"affected": [], "affected_names": [], "at": "2026-03-02T11:46:00Z", "chart": {"expected": [4.25, 4.23, 4.24, 4.23, 4.23, 4.23, 4.23, 4.26, 4.25, 4.23, 4.24, 4.23, 4.23, 4.21, 4.18], "label": "complaints in 15 min", "observed": [5.0, 3.0, 4.0, 6.0, 5.0, 4.0, 3.0, 4.0, 5.0, 3.0, 4.0, 6.0, 125.0, 124.0, 123.0], "t": [1772438400, 1772439300, 1772440200, 1772441100, 1772442000, 1772442900, 1772443800, 1772444700, 1772445600, 1772446500, 1772447400, 1772448300, 1772449200, 1772450100, 1772451000], "upper": [33.0, 33.0, 33.0, 33.0, 33.0, 33.0, 33.0, 33.0, 33.0, 33.0, 33.0, 33.0, 33.0, 33.0, 33.0]}, "comparable": ["Anthropic, 18 September 2025: api, code, console, web, error, impact high, lasted 58 min (79% alike; status.claude.com/incidents/pstkfl3t9jfd)", "Anthropic, 20 November 2025: api, code, console, web, error, impact high, lasted 3.9 h (79% alike; status.claude.com/incidents/xbbf1wq2dlz7)", "Anthropic, 22 August 2025: web, error, impact high, lasted 53 min (79% alike; status.claude.com/incidents/4nh4b5yflbws)"], "components": [], "confirmed_by": null, "differs": [], "end": null, "episodes": 1, "evidence": ["125 complaints in 15 min at 11:00 UTC, 4.2 expected (score 126)"], "fallback": "", "hit": [], "impact": "high", "links": [], "missing": [], "new_level": [], "next_after": "2026-03-02T12:01:00Z", "official": [], "official_first_at": null, "onset": "2026-03-02T11:00:00Z", "peak": "2026-03-02T11:00:00Z", "probability": 0.993, "quotes": ["claude code not working at all", "Claude is down for me"], "refused": {}, "service": "Claude", "service_id": "claude", "simulated": false, "sources": ["complaint counts"], "state": "likely", "symptom": "error", "transition": "under_way", "votes": 2, "where": "", "works_names": []}','',NULL,'','');
INSERT INTO "alerts" VALUES ('<9b04447ad9214f7ff20b81aa@groundswell>','netflix-20260302T1100Z','netflix','under_way','file','2026-03-02T11:46:00Z','2026-03-02T11:46:00Z','2026-03-02T11:46:00Z',1,'',0,'Netflix: already under way when we began (impact high)','{"affected": [], "affected_names": [], "at": "2026-03-02T11:46:00Z", "chart": {"expected": [4.25, 4.23, 4.24, 4.23, 4.23, 4.23, 4.23, 4.26, 4.25, 4.23, 4.24, 4.23, 4.23, 4.21, 4.18], "label": "complaints in 15 min", "observed": [5.0, 3.0, 4.0, 6.0, 5.0, 4.0, 3.0, 4.0, 5.0, 3.0, 4.0, 6.0, 125.0, 124.0, 123.0], "t": [1772438400, 1772439300, 1772440200, 1772441100, 1772442000, 1772442900, 1772443800, 1772444700, 1772445600, 1772446500, 1772447400, 1772448300, 1772449200, 1772450100, 1772451000], "upper": [33.0, 33.0, 33.0, 33.0, 33.0, 33.0, 33.0, 33.0, 33.0, 33.0, 33.0, 33.0, 33.0, 33.0, 33.0]}, "comparable": ["Anthropic, 18 September 2025: api, code, console, web, error, impact high, lasted 58 min (65% alike; status.claude.com/incidents/pstkfl3t9jfd)", "Anthropic, 20 November 2025: api, code, console, web, error, impact high, lasted 3.9 h (65% alike; status.claude.com/incidents/xbbf1wq2dlz7)", "Anthropic, 22 August 2025: web, error, impact high, lasted 53 min (65% alike; status.claude.com/incidents/4nh4b5yflbws)"], "components": [], "confirmed_by": null, "differs": [], "end": null, "episodes": 1, "evidence": ["125 complaints in 15 min at 11:00 UTC, 4.2 expected (score 126)"], "fallback": "", "hit": [], "impact": "high", "links": [], "missing": [], "new_level": [], "next_after": "2026-03-02T12:01:00Z", "official": [], "official_first_at": null, "onset": "2026-03-02T11:00:00Z", "peak": "2026-03-02T11:00:00Z", "probability": 0.993, "quotes": [], "refused": {}, "service": "Netflix", "service_id": "netflix", "simulated": false, "sources": ["complaint counts"], "state": "likely", "symptom": "", "transition": "under_way", "votes": 0, "where": "", "works_names": []}','',NULL,'','');
INSERT INTO "services" VALUES ('claude','Claude','ai','Anthropic','https://status.claude.com',1);
INSERT INTO "services" VALUES ('netflix','Netflix','streaming','Netflix','https://help.netflix.com/en/is-netflix-down',1);
INSERT INTO "components" VALUES ('claude','api','Claude API','api');
INSERT INTO "components" VALUES ('claude','code','Claude Code','code');
INSERT INTO "components" VALUES ('claude','console','Claude Console','console');
INSERT INTO "components" VALUES ('claude','desktop','Claude Desktop','desktop');
INSERT INTO "components" VALUES ('claude','gov','Claude for Government','other');
INSERT INTO "components" VALUES ('claude','mobile','Claude mobile app','mobile');
INSERT INTO "components" VALUES ('claude','web','claude.ai','web');
INSERT INTO "runs" VALUES (1,'import','counts:tickets.csv','2026-03-02T11:46:00Z','ok',192,192,0,NULL,NULL,'');
INSERT INTO "runs" VALUES (2,'import','reddit','2026-03-02T11:46:00Z','ok',3,3,0,NULL,NULL,'');
INSERT INTO "runs" VALUES (3,'import','reddit','2026-03-02T11:46:00Z','empty',0,0,0,'2026-03-02T11:10:00Z','2026-03-02T11:13:00Z','');
INSERT INTO "runs" VALUES (4,'tag','posts','2026-03-02T11:46:00Z','ok',3,3,0,NULL,NULL,'');
INSERT INTO "runs" VALUES (5,'detect','series','2026-03-02T11:46:00Z','ok',1632,288,0,NULL,NULL,'');
INSERT INTO "runs" VALUES (6,'explain','incidents','2026-03-02T11:46:00Z','ok',286,2,0,NULL,NULL,'');
INSERT INTO "runs" VALUES (7,'alert','outbox','2026-03-02T11:46:00Z','ok',2,2,0,NULL,NULL,'');
INSERT INTO "runs" VALUES (8,'publish','report','2026-03-02T11:46:00Z','ok',2,0,0,NULL,NULL,'');
INSERT INTO "coverage" VALUES ('reddit','2026-03-02T11:10:00Z','2026-03-02T11:13:00Z');
INSERT INTO "source_memory" VALUES ('counts:tickets.csv','kind','reports');
INSERT INTO "stage_memory" VALUES ('alert','since','2026-03-02T11:46:00Z');
INSERT INTO "stage_memory" VALUES ('detect','alarmed','2026-03-02T11:46:00Z');
INSERT INTO "stage_memory" VALUES ('detect','alarmed_bin','2026-03-02T11:00:00Z');
INSERT INTO "stage_memory" VALUES ('detect','complaints:counts:tickets.csv:900:interval','2026-03-02T11:46:00Z');
INSERT INTO "stage_memory" VALUES ('detect','votes:reddit','2026-03-02T11:46:00Z');
INSERT INTO "stage_memory" VALUES ('explain','news','4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945');
INSERT INTO "stage_memory" VALUES ('explain','surge','2026-03-02T11:00:00Z');
INSERT INTO "stage_memory" VALUES ('explain','through','2026-03-02T11:46:00Z');
INSERT INTO "stage_memory" VALUES ('publish','availability','2026-03-02T11:00:00Z');
INSERT INTO "stage_memory" VALUES ('publish','look','276feb3120b924e8');
INSERT INTO "stage_memory" VALUES ('publish','rows','2026-03-02T11:46:00Z{"posts": 3, "votes": 3, "news_items": 0, "complaint_counts": 192, "status_updates": 0, "chart_ranks": 0, "verdicts": 288, "incidents": 2, "links": 0, "alerts": 2, "quarantine": 0}');
INSERT INTO "stage_memory" VALUES ('store','author_salt','6958b76f0b3bd523');
INSERT INTO "quarantine" VALUES ('source of old','digest of old','place of old','reason of old','head of old','2026-03-02T11:15:00Z');
INSERT INTO "claims" VALUES ('source of old','native_id of old','kind of old','value of old','said_by of old','definition of old');
INSERT INTO "labels" VALUES ('source of old','native_id of old','claude',1,'2026-03-02T11:14:00Z');
INSERT INTO "outside_verdicts" VALUES ('source of old','claude','verdict of old','2026-03-02T11:13:00Z','2026-03-02T11:14:00Z');
INSERT INTO "incident_episodes" VALUES ('claude-20260302T1100Z',1,'2026-03-02T11:00:00Z',NULL,'high','[]',NULL,1,'2026-03-02T11:00:00Z',NULL,'[["2026-03-02T11:00:00Z", null]]');
INSERT INTO "incident_episodes" VALUES ('netflix-20260302T1100Z',1,'2026-03-02T11:00:00Z',NULL,'high','[]',NULL,1,'2026-03-02T11:00:00Z',NULL,'[["2026-03-02T11:00:00Z", null]]');
INSERT INTO "advisories" VALUES ('claude','2026-03-02T11:11:00Z','2026-03-02T11:12:00Z','level of old','[]','[]');
INSERT INTO "silences" VALUES (NULL,'claude','component of old','2026-03-02T11:13:00Z','2026-03-02T11:14:00Z','reason of old','author of old');
INSERT INTO "feedback" VALUES ('incident of old','verdict of old','note of old','2026-03-02T11:13:00Z');
INSERT INTO "availability" VALUES ('claude','2026-03','crowd',1,3.0,0.0,46.0,0.0,3.0);
INSERT INTO "availability" VALUES ('netflix','2026-03','crowd',1,3.0,0.0,46.0,0.0,3.0);
INSERT INTO "status_wordings" VALUES ('claude','incident_id of old','2026-03-02T11:12:00Z','2026-03-02T11:13:00Z','body of old');
INSERT INTO "official_incidents" VALUES ('claude','incident_id of old','name of old','status of old','impact of old','2026-03-02T11:15:00Z','2026-03-02T11:16:00Z','scheduled_for of old','2026-03-02T11:18:00Z','[]','url of old','2026-03-02T11:21:00Z','2026-03-02T11:22:00Z','2026-03-02T11:23:00Z');
INSERT INTO "incident_successors" VALUES ('id of old','successor of old','messages of old');
