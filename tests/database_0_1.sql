-- The schema as databases of version 0.1 have it (with its views), and a few rows of each kind; never changed.

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
                                        -- (recovered: counts worked out from how a moving total changed)
  collected TEXT NOT NULL,
  PRIMARY KEY (source, service, region, indicator, start, interval_s, window)) STRICT, WITHOUT ROWID;
CREATE TABLE status_updates (
  page TEXT NOT NULL, incident_id TEXT NOT NULL, update_id TEXT NOT NULL, name TEXT NOT NULL,
  status TEXT NOT NULL, impact TEXT NOT NULL,
  components TEXT NOT NULL,             -- JSON list of [official name, old status, new status]
  displayed_at TEXT NOT NULL, created_at TEXT NOT NULL, collected TEXT NOT NULL, body TEXT NOT NULL, timing TEXT NOT NULL DEFAULT '',
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
  subject TEXT NOT NULL, facts TEXT NOT NULL, route TEXT NOT NULL DEFAULT '', merged_into TEXT, left_out TEXT NOT NULL DEFAULT '') STRICT;
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
  by_crowd INTEGER NOT NULL, crowd_since TEXT, crowd_until TEXT,            -- 1 when complaints or reports rose, 0 when only the page speaks of it
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
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
CREATE INDEX posts_created ON posts (created);
CREATE INDEX posts_collected ON posts (source, collected);
CREATE INDEX posts_untagged ON posts (created) WHERE tagged_by IS NULL;
CREATE INDEX post_tags_created ON post_tags (source, created, service);
CREATE INDEX votes_created ON votes (created);
CREATE INDEX news_items_published ON news_items (published);
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
CREATE VIEW first_alerts AS
SELECT i.id AS incident, min(a.sent_at) AS first_alert_at
FROM incidents i JOIN alerts a ON a.incident IN (i.id, i.part_of) AND a.incident != '' AND a.sent_at IS NOT NULL GROUP BY i.id;
CREATE VIEW what_is_wrong_now AS
SELECT i.id AS incident, s.name AS service, i.state, i.impact, i.symptom, i.probability, i.onset, i.official_first_at, i.part_of
FROM incidents i JOIN services s ON s.id = i.service WHERE i.active = 1 ORDER BY i.onset DESC;
CREATE VIEW incident_overview AS
SELECT i.id AS incident, s.name AS service, i.state, i.impact, i.symptom, i.onset, i.peak, i."end" AS ended_at,
  i.official_first_at, f.first_alert_at,
  round((julianday(i.official_first_at) - julianday(f.first_alert_at)) * 1440, 1) AS lead_minutes, i.episodes, i.part_of
FROM incidents i JOIN services s ON s.id = i.service LEFT JOIN first_alerts f ON f.incident = i.id ORDER BY i.onset DESC;
CREATE VIEW who_said_it_began AS
SELECT incident, kind AS said_by, "at" AS concerns_from, statement, "rows" AS evidence_rows FROM incident_evidence
WHERE kind IN ('complaints', 'votes', 'official', 'shared', 'page', 'disagreement') ORDER BY incident, "at";
CREATE VIEW which_component AS
SELECT c.incident, i.service, ifnull(k.name, c.component) AS component, c.status, c.source AS said_by, c.since, c.until, c.detail
FROM incident_components c JOIN incidents i ON i.id = c.incident
LEFT JOIN components k ON k.service = i.service AND k.id = c.component ORDER BY c.incident, c.since;
CREATE VIEW official_lag AS
SELECT i.id AS incident, i.service, i.onset, i.official_first_at,
  CASE WHEN i.official_first_at IS NULL THEN 'no' WHEN c.incident IS NULL THEN 'only the page' ELSE 'yes' END AS said,
  round((julianday(i.official_first_at) - julianday(i.onset)) * 1440, 1) AS minutes_after_onset
FROM incidents i LEFT JOIN (SELECT DISTINCT incident FROM incident_episodes WHERE by_crowd = 1) c ON c.incident = i.id
ORDER BY i.onset;
CREATE VIEW news_around AS
SELECT l.incident, l.relation, e.first_seen, e.kind, e.title, e.outlets, l.score, l.p, l.evidence_for, l.evidence_against
FROM links l JOIN news_events e ON e.id = l.news_event WHERE l.shown = 1 ORDER BY l.incident, l.relation, l.score DESC;
CREATE VIEW counted_votes AS
SELECT v.service, v.created, p.source, p.community, t.p_outage, t.components, t.symptom, t.language, p.title, p.text,
  v.weight, v.reason
FROM votes v JOIN posts p ON p.source = v.source AND p.native_id = v.native_id
JOIN post_tags t ON t.source = v.source AND t.native_id = v.native_id AND t.service = v.service
ORDER BY v.created;
CREATE VIEW complaints_by_hour AS
SELECT service, substr(start, 1, 13) || ':00:00Z' AS hour, sum(total) AS complaints, count(*) AS intervals, source, interval_s, "window"
FROM complaint_counts WHERE "window" != 'rolling' AND region = '' AND indicator = ''
GROUP BY service, substr(start, 1, 13) || ':00:00Z', source, interval_s, "window";
CREATE VIEW alarms AS
SELECT v.series, s.service, s.channel, s.region, s.indicator, v.bin_start, v.observed, v.expected, v.upperbound, v.score, v.p, v.level
FROM verdicts v JOIN series s ON s.series = v.series WHERE v.alarm = 1 ORDER BY v.bin_start;
CREATE VIEW blind_sources AS
SELECT r.source, r.last_good, r.last_tried, r.failures, r.last_failure,
  round((julianday(n.newest) - julianday(r.last_good)) * 1440, 0) AS minutes_silent,
  r.last_good IS NULL OR r.last_good < r.last_tried OR julianday(n.newest) - julianday(r.last_good) > 2.0 / 24 AS blind
FROM (SELECT subject AS source, max(CASE WHEN outcome IN ('ok', 'empty', 'not_modified') THEN started END) AS last_good,
    max(started) AS last_tried, sum(CASE WHEN outcome IN ('error', 'blocked') THEN 1 ELSE 0 END) AS failures,
    max(CASE WHEN outcome IN ('error', 'blocked') THEN started || ' ' || error END) AS last_failure
  FROM runs WHERE stage = 'collect' GROUP BY subject) r
JOIN (SELECT max(started) AS newest FROM runs WHERE stage = 'collect') n ON 1 = 1 ORDER BY r.source;
CREATE VIEW messages AS
SELECT a.created, a.service, a.incident, a.transition, a.channel, a.subject, a.sent_at, a.attempts, a.error, a.failed
FROM alerts a ORDER BY a.created;
CREATE VIEW chart_history AS
SELECT app, country, chart, observed, rank FROM chart_ranks ORDER BY app, observed;
CREATE VIEW what_the_press_claims AS
SELECT n.published, n.outlet, c.kind, c.value, c.said_by, c.definition, n.title, n.url
FROM claims c JOIN news_items n USING (source, native_id) ORDER BY n.published, n.outlet, c.kind;
CREATE VIEW official_updates AS
SELECT page, incident_id, name, status, impact, displayed_at, created_at,
  round((julianday(created_at) - julianday(displayed_at)) * 1440, 1) AS minutes_late,
  julianday(created_at) - julianday(displayed_at) > 10.0 / 1440 AS after_the_fact
FROM status_updates ORDER BY displayed_at;
CREATE VIEW what_others_say AS
SELECT source, service, observed, verdict FROM outside_verdicts ORDER BY observed;
CREATE VIEW episodes AS
SELECT e.incident, i.service, e.number, e.onset, e."end" AS ended_at,
  round((julianday(e."end") - julianday(e.onset)) * 1440, 1) AS minutes, e.impact, e.components, e.official_first_at, e.by_crowd,
  e.crowd_since, e.crowd_until
FROM incident_episodes e JOIN incidents i ON i.id = e.incident ORDER BY e.onset;
CREATE VIEW who_said_what AS
SELECT incident, kind, "at", subject, value, beside, statement, "rows" AS evidence_rows FROM incident_evidence
WHERE kind IN ('disagreement', 'figure', 'comparison', 'page', 'differs') ORDER BY incident, "at";
CREATE VIEW rivals_meanwhile AS
SELECT incident, subject AS rival, value AS seen, beside AS usual, statement, "rows" AS evidence_rows FROM incident_evidence
WHERE kind IN ('rival', 'fallback') ORDER BY incident, subject;
CREATE VIEW outages_like_it AS
SELECT incident, subject AS outage, value AS lasted_minutes, beside AS alike, statement FROM incident_evidence
WHERE kind = 'comparable' ORDER BY incident, beside DESC;
CREATE VIEW surge_watch AS
SELECT a.since, a.until, s.name AS service, a.level, a.reasons FROM advisories a JOIN services s ON s.id = a.service ORDER BY a.since;
CREATE VIEW what_else_was_wrong AS
SELECT i.id AS incident, i.service, o.id AS other, o.service AS other_service, o.state, o.impact, o.onset, o."end" AS ended_at,
  (i.part_of != '' AND i.part_of IN (o.part_of, o.id)) OR o.part_of = i.id AS same_group
FROM incidents i JOIN incidents o ON o.id != i.id AND (o.service != i.service OR o.part_of = i.id OR i.part_of = o.id)
  AND o.onset <= ifnull(i."end", '9999') AND ifnull(o."end", '9999') >= i.onset
ORDER BY i.onset, o.onset;
CREATE VIEW how_sure AS
SELECT e.incident, i.service, i.state, i.probability, e.subject AS part, e.value AS log_odds, e.statement
FROM incident_evidence e JOIN incidents i ON i.id = e.incident WHERE e.kind = 'certainty' ORDER BY e.incident, e.value DESC;
CREATE VIEW how_it_went AS
SELECT p.incident, i.service, p.episode, p.phase, p.since, p.until, p.impact, p.why
FROM incident_phases p JOIN incidents i ON i.id = p.incident ORDER BY p.since, p.phase;
CREATE VIEW availability_by_month AS
SELECT service, month, said_by, incidents, down_minutes, observed_minutes, availability, mttr_minutes, mtbf_hours FROM availability
ORDER BY service, month, said_by;
CREATE VIEW how_good_are_we AS
SELECT i.id AS incident, i.service, f.first_alert_at, i.official_first_at,
  round((julianday(i.official_first_at) - julianday(f.first_alert_at)) * 1440, 1) AS lead_minutes,
  CASE WHEN b.verdict IS NOT NULL THEN b.verdict
    WHEN abs(julianday(i.official_first_at) - julianday(f.first_alert_at)) <= 2.0 / 24 THEN 'right'
    WHEN i.official_first_at < f.first_alert_at THEN 'late'
    WHEN f.first_alert_at IS NULL AND i.opened_at >= i."end" THEN 'before we began'
    WHEN f.first_alert_at IS NULL AND i.official_first_at IS NOT NULL THEN 'missed' ELSE 'unknown' END AS verdict,
  CASE WHEN b.verdict IS NOT NULL THEN 'a person' WHEN i.official_first_at IS NOT NULL THEN 'the provider' ELSE '' END AS said_by
FROM incidents i JOIN services s ON s.id = i.service AND s.watched = 1
LEFT JOIN first_alerts f ON f.incident = i.id LEFT JOIN feedback b ON b.incident = i.id
WHERE f.first_alert_at IS NOT NULL OR i.official_first_at IS NOT NULL ORDER BY i.onset;
CREATE VIEW silences_on_record AS
SELECT id, service, component, since, until, reason, author FROM silences ORDER BY since;

INSERT INTO _sqlite_migrations VALUES (1, 'groundswell', 'create_tables', '2026-02-16 00:00:00.000001+00:00');
INSERT INTO _sqlite_migrations VALUES (2, 'groundswell', 'read_more', '2026-02-16 00:00:00.000002+00:00');
INSERT INTO _sqlite_migrations VALUES (3, 'groundswell', 'hear_more', '2026-02-16 00:00:00.000003+00:00');
INSERT INTO _sqlite_migrations VALUES (4, 'groundswell', 'tell_stories', '2026-02-16 00:00:00.000004+00:00');
INSERT INTO _sqlite_migrations VALUES (5, 'groundswell', 'tell_routes', '2026-02-16 00:00:00.000005+00:00');
INSERT INTO _sqlite_migrations VALUES (6, 'groundswell', 'tell_the_rest', '2026-02-16 00:00:00.000006+00:00');
INSERT INTO _sqlite_migrations VALUES (7, 'groundswell', 'cut_states', '2026-02-16 00:00:00.000007+00:00');
INSERT INTO services ("id","name","kind","vendor","status_page","watched") VALUES ('chatgpt','ChatGPT','ai','OpenAI','https://status.openai.com',1);
INSERT INTO services ("id","name","kind","vendor","status_page","watched") VALUES ('claude','Claude','ai','Anthropic','https://status.claude.com',1);
INSERT INTO services ("id","name","kind","vendor","status_page","watched") VALUES ('gemini','Gemini','ai','Google','https://aistudio.google.com/status',1);
INSERT INTO components ("service","id","name","role") VALUES ('claude','api','Claude API','api');
INSERT INTO components ("service","id","name","role") VALUES ('claude','code','Claude Code','code');
INSERT INTO components ("service","id","name","role") VALUES ('claude','console','Claude Console','console');
INSERT INTO components ("service","id","name","role") VALUES ('claude','desktop','Claude Desktop','desktop');
INSERT INTO components ("service","id","name","role") VALUES ('claude','gov','Claude for Government','other');
INSERT INTO components ("service","id","name","role") VALUES ('claude','mobile','Claude mobile app','mobile');
INSERT INTO components ("service","id","name","role") VALUES ('claude','web','claude.ai','web');
INSERT INTO incidents ("id","service","state","opened_at","onset","peak","end","impact","symptom","official_first_at","episodes","active","probability","part_of") VALUES ('claude-20260302T1137Z','claude','resolved','2026-03-02T11:40:00Z','2026-03-02T11:37:00Z','2026-03-02T12:30:00Z','2026-03-02T21:16:28Z','critical','login','2026-03-02T11:49:20Z',1,0,1.0,'');
INSERT INTO incident_phases ("incident","episode","phase","since","until","impact","why") VALUES ('claude-20260302T1137Z',1,'easing','2026-03-02T12:21:24Z','2026-03-02T12:30:00Z','critical','it takes back Claude API, Claude for Government; its words: login and web fails; its words: api works');
INSERT INTO incident_phases ("incident","episode","phase","since","until","impact","why") VALUES ('claude-20260302T1137Z',1,'easing','2026-03-02T14:15:00Z','2026-03-02T14:35:06Z','critical','546 complaints in 15 min, less than half of the peak from here on');
INSERT INTO incident_phases ("incident","episode","phase","since","until","impact","why") VALUES ('claude-20260302T1137Z',1,'easing','2026-03-02T15:25:23Z','2026-03-02T15:47:09Z','critical','the provider: monitoring');
INSERT INTO incident_phases ("incident","episode","phase","since","until","impact","why") VALUES ('claude-20260302T1137Z',1,'easing','2026-03-02T15:47:09Z','2026-03-02T15:49:26Z','high','the provider: resolved');
INSERT INTO incident_evidence ("incident","kind","at","statement","rows","subject","value","beside") VALUES ('claude-20260302T1137Z','certainty','2026-03-02T11:37:00Z','1,112 complaints above what is usual, at the peak: for (+9.2)','incidents:claude-20260302T1137Z','voters',9.18,1.0);
INSERT INTO incident_evidence ("incident","kind","at","statement","rows","subject","value","beside") VALUES ('claude-20260302T1137Z','certainty','2026-03-02T11:37:00Z','14 outlets report it: for (+2.5)','incidents:claude-20260302T1137Z','outlets',2.5,1.0);
INSERT INTO incident_evidence ("incident","kind","at","statement","rows","subject","value","beside") VALUES ('claude-20260302T1137Z','certainty','2026-03-02T11:37:00Z','29% of the reports were not counted: against (-1.1)','incidents:claude-20260302T1137Z','doubtful',-1.1,1.0);
INSERT INTO incident_evidence ("incident","kind","at","statement","rows","subject","value","beside") VALUES ('claude-20260302T1137Z','certainty','2026-03-02T11:37:00Z','3 independent kinds of signal: for (+2.5)','incidents:claude-20260302T1137Z','second kind',2.5,1.0);
INSERT INTO incident_components ("incident","component","source","status","since","until","detail") VALUES ('claude-20260302T1137Z','api','official','affected','2026-03-02T12:06:11Z','2026-03-02T12:21:24Z','listed by the provider, incident 0ghc53zpsfmt');
INSERT INTO incident_components ("incident","component","source","status","since","until","detail") VALUES ('claude-20260302T1137Z','api','official','affected','2026-03-02T13:37:01Z','2026-03-02T15:49:26Z','listed by the provider, incident 0ghc53zpsfmt');
INSERT INTO incident_components ("incident","component","source","status","since","until","detail") VALUES ('claude-20260302T1137Z','api','official','affected','2026-03-02T16:50:39Z','2026-03-02T17:09:34Z','listed by the provider, incident 0j8dkb38jymf');
INSERT INTO incident_components ("incident","component","source","status","since","until","detail") VALUES ('claude-20260302T1137Z','api','official','affected','2026-03-02T17:15:32Z','2026-03-02T17:24:26Z','listed by the provider, incident 0j8dkb38jymf');
INSERT INTO incident_episodes ("incident","number","onset","end","impact","components","official_first_at","by_crowd","crowd_since","crowd_until") VALUES ('claude-20260302T1137Z',1,'2026-03-02T11:37:00Z','2026-03-02T21:16:28Z','critical','["api", "code", "console", "gov", "mobile", "web"]','2026-03-02T11:49:20Z',1,'2026-03-02T11:37:00Z','2026-03-02T18:30:00Z');
INSERT INTO news_events ("id","kind","title","entities","outlets","first_seen") VALUES ('news-2026-02-24-1ceabf04d2a9','politics_regulation','Pentagon chief gives Anthropic until Friday to drop its military guardrails','["claude:name+vendor+headline"]',1,'2026-02-24T17:40:00Z');
INSERT INTO news_items ("source","native_id","outlet","published","collected","title","summary","url") VALUES ('feeds','urn:sim:politics-desk:2026-02-24T17:40:75','Axios','2026-02-24T17:40:00Z','2026-02-24T17:45:00Z','Pentagon chief gives Anthropic until Friday to drop its military guardrails','text','');
INSERT INTO news_event_items ("news_event","source","native_id") VALUES ('news-2026-02-24-1ceabf04d2a9','feeds','urn:sim:politics-desk:2026-02-24T17:40:75');
INSERT INTO links ("incident","news_event","relation","score","evidence_for","evidence_against","p","shown") VALUES ('claude-20260302T1137Z','news-2026-02-24-1ceabf04d2a9','context_before',0.287,'["names Claude", "5.7 days before the onset", "carried by 1 outlet", "in between: place 7 in the app chart, 40 two days before (at 28 February 11:00 UTC)", "in between: 636 posts about it in 17 hours of a day, 125 usual (at 28 February 11:00 UTC)"]','["2 incidents of Claude began that day before it (07:22, 12:22 UTC)", "9 incidents of Claude began in the seven days before it: they need no announcement", "no better than chance: 40% of random dates are followed by an incident as large within the same lag", "no notice of Anthropic names it"]',0.726,1);
INSERT INTO news_events ("id","kind","title","entities","outlets","first_seen") VALUES ('news-2026-02-24-48d362b560ae','politics_regulation','Anthropic faces Friday evening cut-off in row over military terms for Claude','["claude:name+vendor+headline"]',1,'2026-02-24T20:15:00Z');
INSERT INTO news_items ("source","native_id","outlet","published","collected","title","summary","url") VALUES ('feeds','urn:sim:wire:2026-02-24T20:15:76','Northgate Wire','2026-02-24T20:15:00Z','2026-02-24T20:20:00Z','Anthropic faces Friday evening cut-off in row over military terms for Claude','text','');
INSERT INTO news_event_items ("news_event","source","native_id") VALUES ('news-2026-02-24-48d362b560ae','feeds','urn:sim:wire:2026-02-24T20:15:76');
INSERT INTO links ("incident","news_event","relation","score","evidence_for","evidence_against","p","shown") VALUES ('claude-20260302T1137Z','news-2026-02-24-48d362b560ae','context_before',0.288,'["names Claude", "5.6 days before the onset", "carried by 1 outlet", "in between: place 7 in the app chart, 40 two days before (at 28 February 11:00 UTC)", "in between: 636 posts about it in 17 hours of a day, 125 usual (at 28 February 11:00 UTC)"]','["2 incidents of Claude began that day before it (07:22, 12:22 UTC)", "9 incidents of Claude began in the seven days before it: they need no announcement", "no better than chance: 39% of random dates are followed by an incident as large within the same lag", "no notice of Anthropic names it"]',0.724,1);
INSERT INTO posts ("source","native_id","kind","community","author_key","author_created","created","collected","edited","deleted","parent_id","title","text","url","tagged_by") VALUES ('reddit','t1_a06500','comment','ClaudeAI','d2a758a151fb8e55','2017-05-29T00:00:00Z','2026-03-02T11:37:11Z','2026-03-02T11:38:11Z',NULL,0,'t3_a06496','','text','https://www.reddit.com/r/ClaudeAI/comments/a06496/_/a06500/','d3eda4efa162-fccb3539390a-87833fa8f536');
INSERT INTO post_tags ("source","native_id","service","created","p_outage","components","symptom","region","language","anger","exonerates","model","codes","began") VALUES ('reddit','t1_a06500','claude','2026-03-02T11:37:11Z',0.9994,'["web"]','partial','','es',0.0,'["api"]','d3eda4efa162-fccb3539390a-87833fa8f536','[]',NULL);
INSERT INTO votes ("source","native_id","service","created","weight","reason","author_key","shape") VALUES ('reddit','t1_a06500','claude','2026-03-02T11:37:11Z',1.0,'counted','d2a758a151fb8e55','ae3393a022b0dfc6');
INSERT INTO posts ("source","native_id","kind","community","author_key","author_created","created","collected","edited","deleted","parent_id","title","text","url","tagged_by") VALUES ('reddit','t3_a06501','post','ClaudeAI','3c95e5b83e539e6b','2022-03-28T00:00:00Z','2026-03-02T11:37:12Z','2026-03-02T11:38:12Z',NULL,0,'','Claude Code /login hangs after pasting the code','text','https://www.reddit.com/r/ClaudeAI/comments/a06501/','d3eda4efa162-fccb3539390a-87833fa8f536');
INSERT INTO post_tags ("source","native_id","service","created","p_outage","components","symptom","region","language","anger","exonerates","model","codes","began") VALUES ('reddit','t3_a06501','claude','2026-03-02T11:37:12Z',0.9859,'["code"]','login','','en',0.0,'[]','d3eda4efa162-fccb3539390a-87833fa8f536','[]',NULL);
INSERT INTO votes ("source","native_id","service","created","weight","reason","author_key","shape") VALUES ('reddit','t3_a06501','claude','2026-03-02T11:37:12Z',1.0,'counted','3c95e5b83e539e6b','147c7ae50919b973');
INSERT INTO posts ("source","native_id","kind","community","author_key","author_created","created","collected","edited","deleted","parent_id","title","text","url","tagged_by") VALUES ('reddit','t3_a06502','post','ClaudeCode','cc7418374c29d939','2022-10-14T00:00:00Z','2026-03-02T11:37:44Z','2026-03-02T11:38:44Z',NULL,0,'','Authentication keeps failing','text','https://www.reddit.com/r/ClaudeCode/comments/a06502/','d3eda4efa162-fccb3539390a-87833fa8f536');
INSERT INTO post_tags ("source","native_id","service","created","p_outage","components","symptom","region","language","anger","exonerates","model","codes","began") VALUES ('reddit','t3_a06502','claude','2026-03-02T11:37:44Z',0.997,'["code", "web"]','login','','en',0.0,'[]','d3eda4efa162-fccb3539390a-87833fa8f536','["500"]',NULL);
INSERT INTO votes ("source","native_id","service","created","weight","reason","author_key","shape") VALUES ('reddit','t3_a06502','claude','2026-03-02T11:37:44Z',1.0,'counted','cc7418374c29d939','139b3ef7e033cc36');
INSERT INTO alerts ("message_id","incident","service","transition","channel","created","due_at","sent_at","attempts","error","failed","subject","facts","route","merged_into","left_out") VALUES ('<b8e666bafea6195bc480936b@groundswell>','claude-20260302T1137Z','claude','opened','file','2026-03-02T11:40:00Z','2026-03-02T11:40:00Z','2026-03-02T11:40:00Z',1,'',0,'[simulated] Claude: possible outage (login; impact low)','{"affected": [], "affected_names": [], "at": "2026-03-02T11:40:00Z", "chart": {"expected": [null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, 0.02, 0.02, null, null, null, null, null, null, null, null, null, 0.04], "label": "reports on reddit in 5 min", "observed": [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 4.0], "t": [1772440500, 1772440800, 1772441100, 1772441400, 1772441700, 1772442000, 1772442300, 1772442600, 1772442900, 1772443200, 1772443500, 1772443800, 1772444100, 1772444400, 1772444700, 1772445000, 1772445300, 1772445600, 1772445900, 1772446200, 1772446500, 1772446800, 1772447100, 1772447400, 1772447700, 1772448000, 1772448300, 1772448600, 1772448900, 1772449200, 1772449500, 1772449800, 1772450100, 1772450400, 1772450700, 1772451000, 1772451300], "upper": [null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, 4.0, 4.0, null, null, null, null, null, null, null, null, null, 4.0]}, "comparable": ["Anthropic, 20 February 2026: api, login, impact low, lasted 35 min (79% alike; this database)", "Character.AI, 21 November 2024: login, web, login, impact high, lasted 2.1 h (74% alike; fails-llm archive of Character.AI''s status page)", "OpenAI, 14 February 2024: login, web, login, impact high, lasted 2.7 h (74% alike; fails-llm archive of OpenAI''s status page)"], "components": [], "differs": [], "end": null, "episodes": 1, "evidence": ["4 people reported trouble on reddit from 11:37 UTC, 0.0 expected (score 12)"], "fallback": "no trouble is seen now at ChatGPT, Gemini", "hit": [], "impact": "low", "links": [{"against": ["16 incidents of Claude began in the seven days before it: they need no announcement", "no better than chance: 63% of random dates are followed by an incident as large within the same lag"], "for": ["names Claude", "24 h before the onset", "carried by 1 outlet", "4 outlets named Claude within a day of it, 2.9 items a day in the week before"], "outlets": 1, "relation": "context_before", "seen": "2026-03-01T11:20:00Z", "title": "Claude leads Apple''s free downloads while its maker argues with the Pentagon"}, {"against": ["4 incidents of Claude began that day before it (12:59, 13:14, 14:00, 19:32 UTC)", "16 incidents of Claude began in the seven days before it: they need no announcement", "no better than chance: 86% of random dates are followed by an incident as large within the same lag"], "for": ["names Claude", "2.5 days before the onset", "carried by 2 outlets", "10 outlets named Claude within a day of it, 1.2 items a day in the week before", "in between: place 7 in the app chart, 40 two days before (at 28 February 11:00 UTC)", "in between: 636 posts about it in 17 hours of a day, 125 usual (at 28 February 11:00 UTC)"], "outlets": 2, "relation": "context_before", "seen": "2026-02-27T22:40:00Z", "title": "Government drops Anthropic after safety dispute; Pentagon gets half a year to leave"}, {"against": ["1 incident of Claude began that day before it (19:57 UTC)", "14 incidents of Claude began in the seven days before it: they need no announcement", "no better than chance: 92% of random dates are followed by an incident as large within the same lag"], "for": ["names Anthropic, who makes Claude", "3.5 days before the onset", "carried by 2 outlets", "4 outlets named Claude within a day of it, 0.6 items a day in the week before", "in between: place 7 in the app chart, 40 two days before (at 28 February 11:00 UTC)", "in between: 636 posts about it in 17 hours of a day, 125 usual (at 28 February 11:00 UTC)"], "outlets": 2, "relation": "context_before", "seen": "2026-02-26T23:20:00Z", "title": "Amodei says no to Pentagon wording with one day left on the clock"}], "next_after": "2026-03-02T11:55:00Z", "official": [], "official_first_at": null, "onset": "2026-03-02T11:37:00Z", "peak": "2026-03-02T11:37:00Z", "probability": 0.333, "quotes": ["la web no va pero con la clave de Claude API me repsonde sin problema", "Authentication keeps failing. fwiw Claude Code asks me to authorize, browser opens, i press authorize, and i get \"error 500\". anyone else? anyone?", "Claude Code /login hangs after pasting the code. hi all, paste the auth code in terminal, nothing for ages, then \"503\". Tried from two machines on different networks"], "refused": {}, "service": "Claude", "service_id": "claude", "simulated": true, "sources": ["posts on reddit"], "state": "possible", "symptom": "login", "transition": "opened", "votes": 4, "where": "", "works_names": []}','',NULL,'');
INSERT INTO series ("series","service","channel","source","region","indicator","bin_s") VALUES ('claude/votes/reddit///60','claude','votes','reddit','','',60);
INSERT INTO series ("series","service","channel","source","region","indicator","bin_s") VALUES ('claude/complaints/complaints///900','claude','complaints','complaints','','',900);
INSERT INTO verdicts ("series","bin_start","observed","expected","upperbound","score","p","level","alarm","detector") VALUES ('claude/votes/reddit///60','2026-02-23T14:25:00Z',2.0,0.0234,4.0,11.9695,2.21349e-07,1,1,'SeasonalNB/3(repeats=0.0)');
INSERT INTO verdicts ("series","bin_start","observed","expected","upperbound","score","p","level","alarm","detector") VALUES ('claude/votes/reddit///60','2026-02-23T14:26:00Z',0.0,0.0173,4.0,11.2429,4.0711e-07,1,1,'SeasonalNB/3(repeats=0.0)');
INSERT INTO verdicts ("series","bin_start","observed","expected","upperbound","score","p","level","alarm","detector") VALUES ('claude/complaints/complaints///900','2026-02-23T14:30:00Z',81.0,10.3614,98.0,13.4745,4.9852e-08,1,1,'SeasonalNB/3()');
INSERT INTO verdicts ("series","bin_start","observed","expected","upperbound","score","p","level","alarm","detector") VALUES ('claude/complaints/complaints///900','2026-02-23T14:45:00Z',63.0,10.8686,102.0,14.4733,1.9621e-08,2,1,'SeasonalNB/3()');
INSERT INTO complaint_counts ("service","source","region","indicator","start","interval_s","total","baseline","window","collected") VALUES ('claude','complaints','','','2026-03-02T11:00:00Z',900,13,NULL,'interval','2026-03-02T11:17:00Z');
INSERT INTO complaint_counts ("service","source","region","indicator","start","interval_s","total","baseline","window","collected") VALUES ('claude','complaints','','','2026-03-02T11:15:00Z',900,11,NULL,'interval','2026-03-02T11:32:00Z');
INSERT INTO complaint_counts ("service","source","region","indicator","start","interval_s","total","baseline","window","collected") VALUES ('claude','complaints','','','2026-03-02T11:30:00Z',900,38,NULL,'interval','2026-03-02T11:47:00Z');
INSERT INTO status_updates ("page","incident_id","update_id","name","status","impact","components","displayed_at","created_at","collected","body","timing") VALUES ('status.claude.com','0ghc53zpsfmt','0ghc53zpsfmtu00','claude.ai, the console and Claude Code return errors','investigating','major','[["claude.ai", "operational", "partial_outage"]]','2026-03-02T11:49:20Z','2026-03-02T11:49:20Z','2026-03-02T11:49:50Z','text','');
INSERT INTO status_updates ("page","incident_id","update_id","name","status","impact","components","displayed_at","created_at","collected","body","timing") VALUES ('status.claude.com','0ghc53zpsfmt','0ghc53zpsfmtu01','claude.ai, the console and Claude Code return errors','investigating','major','[["claude.ai", "partial_outage", "partial_outage"], ["platform.claude.com (formerly console.anthropic.com)", "operational", "partial_outage"], ["Claude API (api.anthropic.com)", "operational", "partial_outage"], ["Claude Code", "operational", "partial_outage"], ["Claude for Government", "operational", "partial_outage"]]','2026-03-02T12:06:11Z','2026-03-02T12:06:11Z','2026-03-02T12:06:41Z','text','');
INSERT INTO chart_ranks ("store","country","chart","app","rank","observed","collected") VALUES ('apple','us','top-free','ChatGPT',1,'2026-02-16T00:00:00Z','2026-02-16T00:00:00Z');
INSERT INTO chart_ranks ("store","country","chart","app","rank","observed","collected") VALUES ('apple','us','top-free','ChatGPT',1,'2026-02-16T06:00:00Z','2026-02-16T06:00:00Z');
INSERT INTO chart_ranks ("store","country","chart","app","rank","observed","collected") VALUES ('apple','us','top-free','ChatGPT',1,'2026-02-16T12:00:00Z','2026-02-16T12:00:00Z');
INSERT INTO coverage ("source","since","until") VALUES ('reddit','2026-02-16T00:00:00Z','2026-03-04T23:54:00Z');
INSERT INTO coverage ("source","since","until") VALUES ('complaints','2026-02-16T00:00:00Z','2026-03-04T23:53:00Z');
INSERT INTO coverage ("source","since","until") VALUES ('feeds','2026-02-16T00:00:00Z','2026-03-04T23:50:00Z');
INSERT INTO advisories ("service","since","until","level","reasons","signals") VALUES ('claude','2026-02-27T19:00:00Z','2026-03-03T17:00:00Z','high','["7 outlets wrote about it in a day, 1.0 a day in the week before", "290 posts about it in 17 hours of a day, 128 usual", "place 12 in the app chart, 40 two days before"]','[["news", 7.0, 1.0], ["mentions", 290.0, 128.0], ["anger", 0.012, 0.01], ["chart", 12.0, 40.0]]');
INSERT INTO runs ("id","stage","subject","started","outcome","seen","new","rejected","covered_from","covered_to","error") VALUES (8,'explain','incidents','2026-02-27T00:00:00Z','ok',4264,11,0,NULL,NULL,'');
INSERT INTO runs ("id","stage","subject","started","outcome","seen","new","rejected","covered_from","covered_to","error") VALUES (17,'explain','incidents','2026-02-27T00:05:00Z','ok',15,1,0,NULL,NULL,'');
INSERT INTO stage_memory ("stage","key","value") VALUES ('detect','alarmed','2026-03-03T16:35:00Z');
INSERT INTO stage_memory ("stage","key","value") VALUES ('detect','alarmed_bin','2026-03-03T16:29:00Z');
INSERT INTO stage_memory ("stage","key","value") VALUES ('detect','complaints:complaints:900:interval','2026-03-04T23:47:00Z');
INSERT INTO stage_memory ("stage","key","value") VALUES ('detect','votes:reddit','2026-03-04T23:53:01Z');
INSERT INTO stage_memory ("stage","key","value") VALUES ('explain','news','9923f3877962cc8a748c5eabce61832d55f4391c7dc0fb95fc2b942449f24d6b');
INSERT INTO stage_memory ("stage","key","value") VALUES ('explain','seen:claude-20260302T1137Z','fed2f0c1d5f3f5d804fce58f1d8e1716e73c651adf73a59e82147599b22736ea');
INSERT INTO stage_memory ("stage","key","value") VALUES ('explain','surge','2026-03-04T23:00:00Z');
INSERT INTO stage_memory ("stage","key","value") VALUES ('explain','surge:chatgpt','2026-03-04T06:00:00Z');
INSERT INTO stage_memory ("stage","key","value") VALUES ('explain','surge:claude','2026-03-02T17:00:00Z');
INSERT INTO stage_memory ("stage","key","value") VALUES ('explain','through','2026-03-04T23:55:00Z');
INSERT INTO stage_memory ("stage","key","value") VALUES ('store','simulated','Complaint counts and posts are simulated around published figures; official times and news dates are real. Seed 20260302: 9392 posts, 88 news items.');
INSERT INTO stage_memory ("stage","key","value") VALUES ('views','digest','40b6547d793230088a882035dc40a7fbcf2fe101940004fda3e977abe8698adc');
INSERT INTO availability ("service","month","said_by","incidents","down_minutes","availability","mttr_minutes","mtbf_hours","observed_minutes") VALUES ('claude','2026-02','crowd',4,572.0,0.969444,143.0,75.6,18720.0);
INSERT INTO availability ("service","month","said_by","incidents","down_minutes","availability","mttr_minutes","mtbf_hours","observed_minutes") VALUES ('claude','2026-02','page',20,1733.2,0.856562,99.2,8.6,12082.9);
INSERT INTO source_memory ("source","key","value") VALUES ('charts','begun','2026-02-16T00:00:00Z');
INSERT INTO source_memory ("source","key","value") VALUES ('complaints','begun','2026-02-16T00:00:00Z');
INSERT INTO source_memory ("source","key","value") VALUES ('feeds','begun','2026-02-16T00:00:00Z');
INSERT INTO detector_state (subject,slot,detector,version,through) VALUES ('complaints','now','seasonal',1,'2026-03-02T12:00:00Z');
INSERT INTO detector_state_parts VALUES ('complaints','now',0,x'00ff');
INSERT INTO silences VALUES (1,'claude','','2026-03-02T12:00:00Z','2026-03-02T13:00:00Z','maintenance','me');
INSERT INTO feedback VALUES ('claude-20260302T1137Z','right','','2026-03-03T12:00:00Z');
INSERT INTO labels SELECT source, native_id, service, 1, '2026-03-03T12:00:00Z' FROM votes LIMIT 1;
INSERT INTO quarantine VALUES ('x','0123456789abcdef','x:1','no time','head','2026-03-02T12:00:00Z');
INSERT INTO item_revisions SELECT source, native_id, '2026-03-03T12:00:00Z', 'earlier', summary FROM news_items LIMIT 1;
