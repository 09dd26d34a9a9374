-- Contract version 1: a column is renamed or dropped only with a new version, told in the CHANGELOG.
-- The analysts' views: created in the database file itself, so that sqlite3, pandas and Datasette all see them.
-- One question a view; metadata.yml says in words what each answers. Times are text in UTC. SQLite and DuckDB both run
-- them; DuckDB lacks julianday, which `groundswell duckdb` gives it as a macro. A computed number has a CAST: without a type,
-- SQLite compares it with the text that Datasette's filters and facets send, and `lead_minutes > 0.5` finds nothing.

CREATE VIEW first_alerts AS
SELECT i.id AS incident, min(a.sent_at) AS first_alert_at
FROM incidents i JOIN alerts a ON (a.incident = i.id OR a.incident = i.part_of AND a.created >= i.opened_at) AND a.incident != '' AND a.sent_at IS NOT NULL GROUP BY i.id;

CREATE VIEW what_is_wrong_now AS
SELECT i.id AS incident, s.name AS service, i.state, i.impact, i.symptom, i.probability, i.onset, i.official_first_at, i.part_of,
  CASE WHEN i.state != 'confirmed' THEN '' WHEN i.official_first_at IS NOT NULL THEN 'provider'
    WHEN EXISTS (SELECT 1 FROM incident_evidence e WHERE e.incident = i.id AND e.kind = 'shared' AND e.subject = 'status pages')
    THEN 'dependents' ELSE 'reports' END AS confirmed_by
FROM incidents i JOIN services s ON s.id = i.service WHERE i.active = 1
  AND NOT EXISTS (SELECT 1 FROM incidents g WHERE g.id = i.part_of AND g.service = i.service AND g.active = 1) ORDER BY i.onset DESC;

CREATE VIEW incident_overview AS
SELECT i.id AS incident, s.name AS service, i.state, i.impact, i.symptom, i.onset, i.peak, i."end" AS ended_at,
  i.official_first_at, f.first_alert_at,
  CAST(round((julianday(i.official_first_at) - julianday(f.first_alert_at)) * 1440, 1) AS DOUBLE) AS lead_minutes, i.episodes, i.part_of,
  CASE WHEN i.state NOT IN ('confirmed', 'resolved') THEN '' WHEN i.official_first_at IS NOT NULL THEN 'provider'
    WHEN EXISTS (SELECT 1 FROM incident_evidence e WHERE e.incident = i.id AND e.kind = 'shared' AND e.subject = 'status pages')
    THEN 'dependents' WHEN i.state = 'confirmed' THEN 'reports' ELSE '' END AS confirmed_by
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
  CAST(round((julianday(i.official_first_at) - julianday(i.onset)) * 1440, 1) AS DOUBLE) AS minutes_after_onset
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

-- A source that counts a service by region or by kind only: the sum, as the detector takes it. Hours stay when counts are rolled up.
CREATE VIEW complaints_in_parts AS
SELECT service, start, CAST(ifnull(max(CASE WHEN indicator = '' THEN total END), sum(total)) AS BIGINT) AS complaints, source, interval_s, "window"
FROM (SELECT c.service, c.start, c.indicator, ifnull(max(CASE WHEN c.region = '' THEN c.total END), sum(c.total)) AS total, c.source, c.interval_s, c."window"
  FROM (SELECT source, service FROM series s WHERE channel = 'complaints' AND NOT EXISTS (SELECT 1 FROM complaint_hours t
      WHERE t.source = s.source AND t.service = s.service AND t.region = '' AND t.indicator = '') GROUP BY source, service) o
    CROSS JOIN complaint_counts c WHERE c.source = o.source AND c.service = o.service AND c."window" != 'rolling'
  GROUP BY c.service, c.start, c.indicator, c.source, c.interval_s, c."window") kinds
GROUP BY service, start, source, interval_s, "window";

CREATE VIEW complaints_by_hour AS
SELECT service, hour, CAST(total AS BIGINT) AS complaints, CAST(intervals AS BIGINT) AS intervals, source, interval_s, "window"
FROM complaint_hours WHERE region = '' AND indicator = ''
UNION ALL SELECT service, substr(start, 1, 13) || ':00:00Z', CAST(sum(complaints) AS BIGINT), CAST(count(*) AS BIGINT), source, interval_s, "window"
FROM complaints_in_parts GROUP BY service, substr(start, 1, 13) || ':00:00Z', source, interval_s, "window";

CREATE VIEW alarms AS
SELECT v.series, s.service, s.channel, s.region, s.indicator, v.bin_start, v.observed, v.expected, v.upperbound, v.score, v.p, v.level
FROM verdicts v JOIN series s ON s.series = v.series WHERE v.alarm = 1 ORDER BY v.bin_start;

CREATE VIEW blind_sources AS
SELECT r.source, r.last_good, r.last_tried, CAST(r.failures AS BIGINT) AS failures, r.last_failure,
  CAST(round((julianday(n.newest) - julianday(r.last_good)) * 1440, 0) AS DOUBLE) AS minutes_silent,
  CAST(r.last_good IS NULL OR r.last_good < r.last_tried OR julianday(n.newest) - julianday(r.last_good) > 2.0 / 24 AS BIGINT)
    AS blind
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

CREATE VIEW news_of_unknown_time AS
SELECT collected, outlet, title, url FROM news_items WHERE published IS NULL ORDER BY collected;

CREATE VIEW official_updates AS
SELECT u.page, u.incident_id, u.name, u.status, u.impact, u.displayed_at, u.created_at,
  CAST(round((julianday(u.created_at) - julianday(u.displayed_at)) * 1440, 1) AS DOUBLE) AS minutes_late,
  CAST(julianday(u.created_at) - julianday(u.displayed_at) > 10.0 / 1440 AS BIGINT) AS after_the_fact,
  CASE WHEN u.status != 'update' THEN u.status ELSE ifnull((SELECT b.status FROM status_updates b WHERE b.page = u.page
    AND b.incident_id = u.incident_id AND b.status != 'update' AND b.displayed_at <= u.displayed_at
    ORDER BY b.displayed_at DESC, b.created_at DESC LIMIT 1), 'update') END AS state, u.update_id
FROM status_updates u ORDER BY u.displayed_at;

CREATE VIEW planned_maintenance AS
SELECT page, incident_id, name, scheduled_for, scheduled_until, collected AS announced, status,
  CASE WHEN status IN ('resolved', 'completed', 'postmortem') THEN resolved_at END AS over_at, components, url
FROM official_incidents WHERE scheduled_for IS NOT NULL AND taken_back_at IS NULL ORDER BY scheduled_for, page;

CREATE VIEW what_others_say AS
SELECT source, service, observed, verdict FROM outside_verdicts ORDER BY observed;

CREATE VIEW episodes AS
SELECT e.incident, i.service, e.number, e.onset, e."end" AS ended_at,
  CAST(round((julianday(e."end") - julianday(e.onset)) * 1440, 1) AS DOUBLE) AS minutes, e.impact, e.components, e.official_first_at, e.by_crowd,
  e.crowd_since, e.crowd_until, e.crowd_spans
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
  CAST((i.part_of != '' AND i.part_of IN (o.part_of, o.id)) OR o.part_of = i.id AS BIGINT) AS same_group
FROM incidents i JOIN incidents o ON o.service != i.service AND o.onset <= ifnull(i."end", '9999') AND ifnull(o."end", '9999') >= i.onset
WHERE NOT EXISTS (SELECT 1 FROM incidents g WHERE g.id = o.part_of AND g.service = o.service)
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
  CAST(round((julianday(i.official_first_at) - julianday(f.first_alert_at)) * 1440, 1) AS DOUBLE) AS lead_minutes,
  CASE WHEN b.verdict IS NOT NULL THEN b.verdict
    WHEN abs(julianday(i.official_first_at) - julianday(f.first_alert_at)) <= 2.0 / 24 THEN 'right'
    WHEN i.official_first_at < f.first_alert_at THEN 'late'
    WHEN f.first_alert_at IS NULL AND i."end" <= (SELECT min(opened_at) FROM incidents) THEN 'before we began'
    WHEN f.first_alert_at IS NULL AND i.official_first_at IS NOT NULL THEN 'missed' ELSE 'unknown' END AS verdict,
  CASE WHEN b.verdict IS NOT NULL THEN 'a person' WHEN i.official_first_at IS NOT NULL THEN 'the provider' ELSE '' END AS said_by
FROM incidents i JOIN services s ON s.id = i.service
LEFT JOIN first_alerts f ON f.incident = i.id LEFT JOIN feedback b ON b.incident = i.id
WHERE (f.first_alert_at IS NOT NULL OR i.official_first_at IS NOT NULL AND (s.watched = 1 OR EXISTS (SELECT 1 FROM alerts a
    JOIN incidents k ON k.id = a.incident WHERE a.sent_at IS NOT NULL AND k.service = i.service
    AND NOT EXISTS (SELECT 1 FROM incidents m WHERE m.part_of = k.id))))
  AND NOT EXISTS (SELECT 1 FROM incidents m WHERE m.part_of = i.id AND m.service = i.service) ORDER BY i.onset;

CREATE VIEW silences_on_record AS
SELECT id, service, component, since, until, reason, author FROM silences ORDER BY since;

CREATE VIEW hour_of_week AS
SELECT service, CAST((minute - minute % 1440) / 1440 AS INTEGER) + 1 AS weekday, CAST((minute % 1440 - minute % 60) / 60 AS INTEGER) AS hour,
  CAST(count(*) AS BIGINT) AS outages, zone
FROM (SELECT i.service, l.zone, (CAST(julianday(substr(e.onset, 1, 10)) + 0.5 AS INTEGER) % 7 * 1440
    + CAST(substr(e.onset, 12, 2) AS INTEGER) * 60 + CAST(substr(e.onset, 15, 2) AS INTEGER) + l.offset_minutes + 10080) % 10080 AS minute
  FROM incident_episodes e JOIN incidents i ON i.id = e.incident CROSS JOIN local_time l
  WHERE l.since = (SELECT max(t.since) FROM local_time t WHERE t.since <= e.onset)) o
GROUP BY service, CAST((minute - minute % 1440) / 1440 AS INTEGER) + 1, CAST((minute % 1440 - minute % 60) / 60 AS INTEGER), zone
ORDER BY service, weekday, hour;

CREATE VIEW lead_by_notice AS
SELECT n.service, n.page, n.incident_id, n.name, n.impact, n.posted, min(a.sent_at) AS message_at,
  CAST(round((julianday(n.posted) - julianday(min(a.sent_at))) * 1440, 1) AS DOUBLE) AS lead_minutes
FROM (SELECT h.service, u.page, u.incident_id, substr(max(u.displayed_at || u.created_at || u.name), 41) AS name, CASE max(CASE u.impact
    WHEN 'critical' THEN 4 WHEN 'major' THEN 3 WHEN 'minor' THEN 2 WHEN 'none' THEN 1 ELSE 0 END) WHEN 4 THEN 'critical' WHEN 3 THEN 'major'
    WHEN 2 THEN 'minor' WHEN 1 THEN 'none' ELSE max(u.impact) END AS impact, min(u.created_at) AS posted
  FROM status_updates u JOIN (SELECT id AS service, CASE WHEN instr(host, '/') > 0 THEN substr(host, 1, instr(host, '/') - 1) ELSE host END AS host
    FROM (SELECT id, replace(replace(replace(status_page, 'https://', ''), 'http://', ''), 'www.', '') AS host FROM services) s) h
    ON h.host != '' AND (u.page = h.host OR u.page = h.host || '/' || h.service)
  WHERE u.impact != 'maintenance' AND NOT EXISTS (SELECT 1 FROM official_incidents o WHERE o.page = u.page
    AND o.incident_id = u.incident_id AND o.scheduled_for IS NOT NULL)
  GROUP BY h.service, u.page, u.incident_id) n
LEFT JOIN (SELECT i.service, a.sent_at FROM alerts a JOIN incidents i ON a.incident != '' AND (a.incident = i.id OR a.incident = i.part_of
    AND a.created >= i.opened_at) WHERE a.sent_at IS NOT NULL) a
  ON a.service = n.service AND round((julianday(a.sent_at) - julianday(n.posted)) * 86400) BETWEEN -1800 AND 7200
GROUP BY n.service, n.page, n.incident_id, n.name, n.impact, n.posted ORDER BY n.posted, n.page, n.incident_id;

CREATE VIEW who_reported_first AS
SELECT incident, service, CAST(episode AS BIGINT) AS episode, source, first_at, CAST(round((julianday(first_at)
    - julianday(min(first_at) OVER (PARTITION BY incident, episode))) * 1440, 1) AS DOUBLE) AS minutes_after_first
FROM (SELECT e.incident, i.service, e.number AS episode, s.channel || ' on ' || s.source AS source, min(v.bin_start) AS first_at
    FROM incident_episodes e JOIN incidents i ON i.id = e.incident JOIN series s ON s.service = i.service AND s.region = '' AND s.indicator = ''
    JOIN verdicts v ON v.series = s.series AND v.alarm = 1 AND v.bin_start <= ifnull(e."end", '9999')
      AND julianday(v.bin_start) + s.bin_s / 86400.0 > julianday(e.onset)
    GROUP BY e.incident, i.service, e.number, s.channel, s.source
  UNION ALL SELECT e.incident, i.service, e.number, 'status page', e.official_first_at FROM incident_episodes e
    JOIN incidents i ON i.id = e.incident WHERE e.official_first_at IS NOT NULL
  UNION ALL SELECT e.incident, i.service, e.number, 'news', min(n.first_seen) FROM incident_episodes e JOIN incidents i ON i.id = e.incident
    JOIN links l ON l.incident = i.id AND l.relation = 'reports' JOIN news_events n ON n.id = l.news_event AND n.first_seen >= e.onset
      AND n.first_seen <= ifnull(e."end", '9999') GROUP BY e.incident, i.service, e.number) f
ORDER BY incident, episode, first_at, source;

CREATE VIEW gaps AS
SELECT kind, source, service, last_before, first_after, CAST(minutes AS DOUBLE) AS minutes FROM (SELECT 'not read' AS kind, source, '' AS service, until AS last_before, next AS first_after,
    round((julianday(next) - julianday(until)) * 1440, 1) AS minutes
  FROM (SELECT source, until, lead(since) OVER (PARTITION BY source ORDER BY since) AS next FROM coverage) c WHERE next > until
  UNION ALL SELECT 'no counts', source, service, last_before, start,
    round((julianday(start) - julianday(last_before)) * 1440 - interval_s / 60.0, 1)
  FROM (SELECT source, service, last_before, first_after AS start, interval_s FROM complaint_gaps WHERE region = '' AND indicator = ''
    UNION ALL SELECT source, service, last_before, start, interval_s
      FROM (SELECT *, lag(start) OVER (PARTITION BY source, service, interval_s, "window" ORDER BY start) AS last_before FROM complaints_in_parts) c
      WHERE round((julianday(start) - julianday(last_before)) * 86400) > interval_s) k) g
ORDER BY last_before, source, service;

CREATE VIEW what_if_threshold AS
WITH threshold (score) AS (VALUES (6), (7), (8), (9), (10), (11), (12), (13), (14)),
loud AS (SELECT s.service, v.bin_start, julianday(v.bin_start) AS jd, max(v.score) AS score FROM verdicts v JOIN series s ON s.series = v.series
  WHERE v.score >= 6 AND s.region = '' AND s.indicator = '' GROUP BY s.service, v.bin_start),
stretch AS (SELECT score, service, jd FROM (SELECT t.score, l.service, l.jd,
    l.jd - lag(l.jd) OVER (PARTITION BY t.score, l.service ORDER BY l.jd) AS pause FROM threshold t JOIN loud l ON l.score >= t.score) p
  WHERE pause IS NULL OR pause > 150.0 / 1440),
alerted AS (SELECT i.service, i.id, i.official_first_at, max(l.score) AS score, count(DISTINCT a.created || a.transition) AS messages
  FROM incidents i JOIN alerts a ON a.incident = i.id AND a.sent_at IS NOT NULL
  LEFT JOIN loud l ON l.service = i.service AND l.bin_start >= substr(i.onset, 1, 13) AND l.bin_start <= ifnull(i."end", '9999')
  GROUP BY i.service, i.id, i.official_first_at)
SELECT CAST(t.score AS BIGINT) AS threshold, w.id AS service,
  CAST((SELECT count(*) FROM stretch x WHERE x.score = t.score AND x.service = w.id) AS BIGINT) AS stretches,
  CAST((SELECT count(*) FROM stretch x WHERE x.score = t.score AND x.service = w.id AND NOT EXISTS (SELECT 1 FROM incidents i
    WHERE i.service = w.id AND x.jd BETWEEN julianday(i.onset) - 1.0 / 24 AND julianday(ifnull(i."end", '9999-01-01T00:00:00Z')))) AS BIGINT) AS new_stretches,
  CAST((SELECT ifnull(sum(m.messages), 0) FROM alerted m WHERE m.service = w.id AND (m.official_first_at IS NOT NULL OR m.score >= t.score)) AS BIGINT) AS mails_kept,
  CAST((SELECT ifnull(sum(m.messages), 0) FROM alerted m WHERE m.service = w.id AND m.official_first_at IS NULL AND ifnull(m.score, 0) < t.score) AS BIGINT) AS mails_lost
FROM threshold t CROSS JOIN services w WHERE w.watched = 1 AND EXISTS (SELECT 1 FROM loud l WHERE l.service = w.id)
ORDER BY service, threshold;
