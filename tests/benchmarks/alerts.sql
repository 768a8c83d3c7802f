-- Prevalence, verdicts and alerts: the last of four files (see README.md).

-- Prevalence: a sighting makes its host count on the window's days after it; a running sum counts the hosts -----------
CREATE OR REPLACE TEMP TABLE subjects AS
SELECT row_number() OVER () AS subject, *
FROM (SELECT DISTINCT tenant, name, origin, script, service FROM communications);

CREATE OR REPLACE TEMP TABLE activities AS
SELECT s.subject, c.host, c.reasons, c.execution, c.hour, any_value(c.day) AS day, any_value(c.tenant) AS tenant,
  any_value(c.os) AS os, min(c.time) AS time, arg_min(c.number, c.time) AS number
FROM communications c JOIN subjects s USING (tenant, name, origin, script, service)
GROUP BY s.subject, c.host, c.reasons, c.execution, c.hour;

CREATE OR REPLACE TEMP TABLE shown AS
SELECT subject, host, day, count(*) OVER window_ AS host_days, count(*) OVER guarded AS guarded_days,
  lead(day) OVER (PARTITION BY subject, host ORDER BY day) AS next_day
FROM (SELECT DISTINCT subject, host, day FROM activities)
WINDOW window_ AS (PARTITION BY subject, host ORDER BY day
    RANGE BETWEEN getvariable('training_days') PRECEDING AND 1 PRECEDING),
  guarded AS (PARTITION BY subject, host ORDER BY day
    RANGE BETWEEN getvariable('training_days') PRECEDING AND getvariable('guard_days') + 1 PRECEDING);

CREATE OR REPLACE TEMP TABLE prevalence AS
WITH steps AS (
  SELECT subject, day + 1 AS day, 1 AS plain, 0 AS guarded FROM shown
  UNION ALL
  SELECT subject, least(day + getvariable('training_days'), coalesce(next_day, 1000000)) + 1, -1, 0 FROM shown
  UNION ALL
  SELECT subject, day + 1 + getvariable('guard_days'), 0, 1 FROM shown
  UNION ALL
  SELECT subject,
    least(day + getvariable('training_days'), coalesce(next_day, 1000000) + getvariable('guard_days')) + 1, 0, -1
  FROM shown
), sums AS (
  SELECT subject, day, sum(sum(plain)) OVER w AS plain, sum(sum(guarded)) OVER w AS guarded
  FROM steps GROUP BY subject, day WINDOW w AS (PARTITION BY subject ORDER BY day)
), days AS (
  SELECT subject, day, count(*) OVER (PARTITION BY subject ORDER BY day
    RANGE BETWEEN getvariable('training_days') PRECEDING AND 1 PRECEDING) AS active_days
  FROM (SELECT DISTINCT subject, day FROM shown)
), hosts_by_day AS (
  SELECT d.subject, d.day, d.active_days, coalesce(s.plain, 0) AS plain, coalesce(s.guarded, 0) AS guarded
  FROM days d ASOF LEFT JOIN sums s ON d.subject = s.subject AND d.day >= s.day
)
SELECT s.subject, s.host, s.day, s.host_days, h.active_days, h.plain - (s.host_days > 0)::INT AS others,
  h.guarded - (s.guarded_days > 0)::INT AS guarded_others
FROM shown s JOIN hosts_by_day h USING (subject, day);

-- Verdicts -----------------------------------------------------------------------------------------------------------
CREATE OR REPLACE TEMP TABLE judged AS
SELECT a.*, coverage, p.host_days, p.active_days,
  CASE WHEN len(reasons) > 0 THEN guarded_others ELSE others END AS other_hosts,
  CASE WHEN coverage < getvariable('activation_days') THEN 'learning'
       WHEN CASE WHEN len(reasons) > 0 THEN guarded_others ELSE others END > getvariable('max_other_hosts')
         THEN 'common_in_organisation'
       WHEN p.host_days > getvariable('max_host_days') THEN 'common_on_host' END AS verdict
FROM activities a JOIN prevalence p USING (subject, host, day)
JOIN (SELECT d.tenant, d.day, count(c.day) AS coverage FROM covered d LEFT JOIN covered c ON c.tenant = d.tenant
  AND c.day BETWEEN d.day - getvariable('training_days') AND d.day - 1 GROUP BY ALL) USING (tenant, day);

CREATE OR REPLACE TEMP TABLE rare AS SELECT * FROM judged WHERE verdict IS NULL;

-- How rare the executions of the rare activities are
CREATE OR REPLACE TEMP TABLE rare_executions AS
WITH asked AS (
  SELECT DISTINCT tenant, execution, host, day FROM rare WHERE execution IS NOT NULL
), seen AS (
  SELECT DISTINCT coalesce(given(e.tenant_id), 'default') AS tenant, given(e.host_id) AS host, e.day,
    f.fingerprint AS execution
  FROM executions e JOIN fingerprints f ON e.acts = f.acts AND e.image = f.image AND e.line IS NOT DISTINCT FROM f.line
    AND e.path IS NOT DISTINCT FROM f.path AND e.os IS NOT DISTINCT FROM f.os
  WHERE e.valid AND f.fingerprint IN (SELECT execution FROM asked)
)
SELECT q.tenant, q.execution, q.host, q.day
FROM asked q LEFT JOIN seen s ON s.tenant = q.tenant AND s.execution = q.execution
  AND s.day BETWEEN q.day - getvariable('training_days') AND q.day - 1
GROUP BY ALL
HAVING count(DISTINCT s.host) FILTER (s.host <> q.host) <= getvariable('max_other_hosts')
   AND count(DISTINCT s.day) FILTER (s.host = q.host) <= getvariable('max_host_days');

-- The first event of each rare activity (several may share its time) and its id
CREATE OR REPLACE TEMP TABLE ordered AS
WITH firsts AS (
  SELECT r.* EXCLUDE (number), c.number, s.name, s.origin, s.script, s.service
  FROM rare r JOIN subjects s USING (subject)
  JOIN communications c ON c.host = r.host AND c.time = r.time AND c.reasons = r.reasons AND c.tenant = s.tenant
    AND c.execution IS NOT DISTINCT FROM r.execution AND c.name = s.name AND c.origin = s.origin AND c.script = s.script
    AND c.service = s.service
), ids AS (
  SELECT t.rowid AS number, coalesce(given(event_id), sha256('{' || concat_ws(',',
    member('bytes_received', bytes_received), member('bytes_sent', bytes_sent),
    member('causality_process_command_line', given(causality_process_command_line)),
    member('causality_process_name', given(causality_process_name)), member('direction', given(direction)),
    member('dns_status', dns_status), member('event_time', epoch_us(event_time)),
    member('event_type', lower(given(event_type))),
    member('host_id', given(host_id)), member('host_name', given(host_name)), member('os', lower(given(os))),
    member('parent_process_command_line', given(parent_process_command_line)),
    member('parent_process_name', given(parent_process_name)),
    member('process_command_line', given(process_command_line)),
    member('process_guid', given(process_guid)), member('process_name', image(process_name, process_path)),
    member('process_path', given(process_path)), member('process_pid', process_pid),
    member('process_sha256', given(process_sha256)),
    member('process_signature_status', CASE lower(given(process_signature_status)) WHEN 'signed' THEN 'signed'
      WHEN 'unsigned' THEN 'unsigned' WHEN 'invalid' THEN 'invalid'
      ELSE CASE WHEN given(process_signature_status) IS NOT NULL THEN 'unknown' END END),
    member('process_signer', given(process_signer)), member('protocol', given(protocol)),
    member('remote_host', CASE WHEN NOT h.address THEN h.host END),
    member('remote_ip', coalesce(given(remote_ip), CASE WHEN h.address THEN h.host END)),
    member('remote_port', remote_port),
    member('tenant_id', given(tenant_id)), member('user_name', given(user_name))) || '}')) AS event_id
  FROM traffic t LEFT JOIN hosts h ON h.raw = remote_host WHERE t.rowid IN (SELECT number FROM firsts)
), varied AS (
  SELECT f.* EXCLUDE (number), min(event_id) AS event_id, CASE
      WHEN len(reasons) > 0 THEN 'suspicious_process'
      WHEN x.day IS NOT NULL THEN 'uncommon_scripting_engine' ELSE 'base' END AS variation
  FROM firsts f JOIN ids USING (number)
  LEFT JOIN rare_executions x ON x.tenant = f.tenant AND x.execution = f.execution AND x.host = f.host AND x.day = f.day
  GROUP BY ALL
), reduced AS (
  SELECT *, CASE split_part(split_part(script, '|', 2), ':', 1)
      WHEN '' THEN script WHEN 'module' THEN script
      WHEN 'script' THEN split_part(script, '|', 1) || '|script:'
        || fold_location(substr(script, instr(script, '|script:') + 8), os, getvariable('folded_locations'))
      ELSE split_part(script, ':', 1) END AS reduced_script,
    left(sha256('["uncommon-im-communication",' || concat_ws(',', to_json(tenant)::VARCHAR, to_json(host)::VARCHAR,
      to_json(name)::VARCHAR, to_json(origin)::VARCHAR, to_json(script)::VARCHAR, to_json(service)::VARCHAR,
      to_json(variation)::VARCHAR, hour) || ']'), 32) AS alert_id
  FROM varied
)
SELECT *, (variation <> 'base')::INT AS severity,
  dense_rank() OVER (ORDER BY tenant, host, name, origin, reduced_script, service) AS key,
  row_number() OVER (PARTITION BY tenant, host, name, origin, reduced_script, service
    ORDER BY time, severity DESC, event_id, alert_id) AS place
FROM reduced;

-- Deduplication walks each key in order and remembers when it last let something through, of any and of low severity
CREATE OR REPLACE TEMP TABLE walked AS
WITH RECURSIVE walk AS (
  SELECT key, place, false AS duplicate, time AS last_any, CASE WHEN severity = 1 THEN time END AS last_low
  FROM ordered WHERE place = 1
  UNION ALL
  SELECT o.key, o.place, d.repeats, CASE WHEN d.repeats THEN w.last_any ELSE o.time END,
    CASE WHEN NOT d.repeats AND o.severity = 1 THEN o.time ELSE w.last_low END
  FROM walk w JOIN ordered o ON o.key = w.key AND o.place = w.place + 1,
  LATERAL (SELECT coalesce(o.time - CASE WHEN o.severity = 1 THEN w.last_low ELSE w.last_any END
                           < getvariable('deduplication'), false) AS repeats) d
)
SELECT o.*, w.duplicate FROM walk w JOIN ordered o USING (key, place);

CREATE OR REPLACE TEMP TABLE flooded AS
SELECT *, row_number() OVER (PARTITION BY tenant, name, origin, reduced_script, service, day, variation
  ORDER BY time, event_id, host, alert_id) AS position
FROM walked WHERE NOT duplicate;

CREATE OR REPLACE TEMP TABLE alerts AS
SELECT alert_id, tenant AS tenant_id, CASE severity WHEN 1 THEN 'Low' ELSE 'Informational' END AS severity, variation,
  strftime(make_timestamp(time), '%Y-%m-%dT%H:%M:%S.%f') || 'Z' AS timestamp, {'id': host} AS host,
  {'name': name, 'origin': origin, 'script': script} AS process, {'id': service} AS service, execution,
  {'coverage_days': coverage, 'other_hosts': other_hosts, 'host_days': host_days,
   'active_days': active_days} AS baseline,
  reasons AS suspicion_reasons, position = getvariable('max_alerts_per_group') AS group_saturated, event_id
FROM flooded WHERE position <= getvariable('max_alerts_per_group') ORDER BY time, event_id, alert_id;

CREATE OR REPLACE TEMP TABLE verdicts AS
SELECT verdict, count(*) AS n FROM judged WHERE verdict IS NOT NULL GROUP BY ALL
UNION ALL SELECT 'duplicate', count(*) FROM walked WHERE duplicate
UNION ALL SELECT CASE WHEN position <= getvariable('max_alerts_per_group') THEN 'alert' ELSE 'rolled_up' END, count(*)
  FROM flooded GROUP BY ALL;
