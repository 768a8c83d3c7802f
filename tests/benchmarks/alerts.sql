-- The detector's alerts by hand-written DuckDB SQL, for the benchmark.
--
-- It reads the view `lake` (native events, with `file` and `row` to name a record) and the catalogue's tables
-- (catalogue_tables.py). The order is that of the specification; what makes it fast:
--   * names are matched once each: a DISTINCT over a dictionary column is nearly free, and a list of the few raw values
--     that matter is a filter that Parquet dictionaries answer
--   * the wide columns are read for communications only, and each once
--   * identity (regular expressions) is computed for distinct processes and command lines, not for events
-- It leaves out: exceptions, operator ranges, IDNA, and an alert's `investigation` figures.

SET VARIABLE training_days = 30;
SET VARIABLE activation_days = 14;
SET VARIABLE guard_days = 3;
SET VARIABLE max_other_hosts = 3;
SET VARIABLE max_host_days = 2;
SET VARIABLE max_alerts_per_group = 25;
SET VARIABLE deduplication = 86400000000;
SET VARIABLE windows_locations = (SELECT list(piece) FROM locations WHERE os = 'windows');
SET VARIABLE macos_locations = (SELECT list(piece) FROM locations WHERE os = 'macos');
SET VARIABLE linux_locations = (SELECT list(piece) FROM locations WHERE os = 'linux');

-- Macros -------------------------------------------------------------------------------------------------------------
CREATE TEMP MACRO strip(x) AS trim(x, E' \t\r\n');
CREATE TEMP MACRO given(x) AS
  CASE WHEN lower(strip(x)) NOT IN ('', '-', 'n/a', 'unknown', 'null') THEN strip(x) END;
CREATE TEMP MACRO base_name(x) AS regexp_extract(x, '[^/\\]*$');
CREATE TEMP MACRO image(name, path) AS
  coalesce(nullif(strip(base_name(strip(name))), ''), nullif(strip(base_name(given(path))), ''));
CREATE TEMP MACRO engine_name(name) AS regexp_replace(regexp_replace(lower(name), '\.exe$', ''), '[-_]?[0-9][0-9.]*$', '');
CREATE TEMP MACRO slashed(path) AS replace(lower(path), '\', '/');
CREATE TEMP MACRO fold_numbers(path) AS regexp_replace(regexp_replace(regexp_replace(path,
  '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}', '*', 'g'),
  '[0-9a-f]{8,}', '*', 'g'), '[0-9]+(\.[0-9]+)*', '*', 'g');
CREATE TEMP MACRO fold_user(path) AS
  CASE WHEN regexp_extract(path, '^(?:(?:[a-z]:)?/users/|/home/)([^/]+)/', 1)
            NOT IN ('', 'public', 'shared', 'default', 'all users')
       THEN regexp_replace(path, '^((?:[a-z]:)?/users/|/home/)[^/]+/', '\1*/') ELSE path END;
-- Where the outermost suspicious location of a slashed path ends; `change` is applied to the listed pieces.
CREATE TEMP MACRO ends_inside(path, pieces) AS
  list_transform(pieces, lambda x: CASE WHEN instr(path, x) > 0 THEN instr(path, x) + length(x) - 1 END);
CREATE TEMP MACRO ends_at_root(path, pieces) AS
  list_transform(pieces, lambda x: CASE WHEN starts_with(path, x) THEN length(x) END);
CREATE TEMP MACRO location_end(path, os) AS list_min(list_concat(
  CASE WHEN coalesce(os, 'windows') = 'windows' THEN ends_inside(path, getvariable('windows_locations')) END,
  CASE WHEN coalesce(os, 'macos') = 'macos' THEN ends_at_root(path, getvariable('macos_locations')) END,
  CASE WHEN coalesce(os, 'linux') = 'linux' THEN ends_at_root(path, getvariable('linux_locations')) END));
CREATE TEMP MACRO fold_location(path, os) AS
  CASE WHEN location_end(path, os) IS NULL THEN path
       ELSE regexp_replace(left(path, location_end(path, os)), '/$', '') || '/*' END;
CREATE TEMP MACRO folder(path) AS regexp_extract(path, '^.*/');
CREATE TEMP MACRO fold_folder(path, os) AS
  regexp_replace(fold_numbers(fold_user(fold_location(folder(slashed(path)), os))), '/$', '');
CREATE TEMP MACRO json_pair(key, value) AS '"' || key || '":' || to_json(value)::VARCHAR;

-- Destinations: every distinct name and address once -----------------------------------------------------------------
CREATE TEMP TABLE hosts AS
WITH spelled AS (
  SELECT DISTINCT remote_host AS raw FROM lake WHERE remote_host IS NOT NULL
), clean AS (
  SELECT raw, given(regexp_replace(regexp_replace(regexp_replace(regexp_replace(
    lower(given(raw)), '^[a-z][a-z0-9+.-]*://', ''), '[/?#].*$', ''), ':[0-9]*$', ''), '\.+$', '')) AS host FROM spelled
), suffixes AS (
  SELECT raw, host, parts, unnest(range(1, len(parts) + 1)) AS start
  FROM (SELECT raw, host, string_split(host, '.') AS parts FROM clean)
), matched AS (
  SELECT raw, arg_max(d.service, length(d.domain)) AS service
  FROM (SELECT raw, start, host, array_to_string(parts[start:], '.') AS suffix FROM suffixes) s
  JOIN domains d ON d.domain = s.suffix AND (d.suffix OR s.start = 1)
  WHERE NOT EXISTS (FROM exclusions e WHERE s.host = e.host
    OR (starts_with(e.host, '*.') AND (s.host = e.host[3:] OR ends_with(s.host, e.host[2:]))))
  GROUP BY raw
)
SELECT raw, host, service, regexp_full_match(host, '[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+') OR contains(host, ':') AS address
FROM clean LEFT JOIN matched USING (raw);

CREATE TEMP TABLE addresses AS
WITH spelled AS (
  SELECT DISTINCT remote_ip AS raw FROM lake WHERE remote_ip IS NOT NULL
  UNION SELECT host FROM hosts WHERE address
), clean AS (
  SELECT raw, regexp_replace(lower(given(raw)), '^::ffff:([0-9]+\.)', '\1') AS ip FROM spelled
), numbers AS (
  SELECT raw, ip, string_split(ip, '.')::BIGINT[] AS p FROM clean WHERE regexp_full_match(ip, '[0-9]+(\.[0-9]+){3}')
), found AS (
  SELECT raw, service, length FROM numbers JOIN ranges
    ON p[1] * 16777216 + p[2] * 65536 + p[3] * 256 + p[4] BETWEEN low AND high
  UNION ALL
  SELECT raw, service, length
  FROM (SELECT raw, regexp_replace(ip, '(^|:)0+([0-9a-f])', '\1\2', 'g') || ':' AS ip FROM clean WHERE contains(ip, ':')) c
  JOIN ranges ON starts_with(c.ip, prefix)
)
SELECT clean.raw, ip IS NULL AS missing, arg_max(service, length) AS service
FROM clean LEFT JOIN found USING (raw) GROUP BY ALL;

SET VARIABLE im_hosts = (SELECT list(h.raw) FROM hosts h LEFT JOIN addresses a ON h.address AND a.raw = h.host
                         WHERE h.service IS NOT NULL OR a.service IS NOT NULL);
SET VARIABLE im_addresses = (SELECT list(raw) FROM addresses WHERE service IS NOT NULL);
SET VARIABLE no_hosts = (SELECT coalesce(list(raw), []) FROM hosts WHERE host IS NULL);
SET VARIABLE no_addresses = (SELECT coalesce(list(raw), []) FROM addresses WHERE missing);

-- Dead letters and coverage ------------------------------------------------------------------------------------------
CREATE TEMP TABLE dead AS
SELECT file, row, any_value(tenant_id) AS tenant_id, any_value(day) AS day, min(reason) AS reason
FROM (
  SELECT file, row, tenant_id, epoch_us(event_time) // 86400000000 AS day, '1 malformed' AS reason FROM lake
  WHERE lower(trim(event_type)) NOT IN ('network', 'dns', 'process', '', '-', 'n/a', 'unknown', 'null')
  UNION ALL
  SELECT file, row, tenant_id, NULL, '2 missing_field:event_time' FROM lake WHERE event_time IS NULL
  UNION ALL
  SELECT file, row, tenant_id, epoch_us(event_time) // 86400000000, '3 missing_field:host_id' FROM lake
  WHERE host_id IS NULL OR lower(trim(host_id)) IN ('', '-', 'n/a', 'unknown', 'null')
  UNION ALL
  SELECT file, row, tenant_id, epoch_us(event_time) // 86400000000, '4 missing_field:process_name' FROM lake
  WHERE (process_name IS NULL OR trim(process_name) = '')
    AND (process_path IS NULL OR lower(trim(process_path)) IN ('', '-', 'n/a', 'unknown', 'null'))
  UNION ALL
  SELECT file, row, tenant_id, epoch_us(event_time) // 86400000000, '5 missing_field:remote_host' FROM lake
  WHERE (event_type IS NULL OR lower(trim(event_type)) <> 'process')
    AND (remote_host IS NULL OR list_contains(getvariable('no_hosts'), remote_host))
    AND (remote_ip IS NULL OR list_contains(getvariable('no_addresses'), remote_ip))
  UNION ALL
  SELECT file, row, tenant_id, epoch_us(event_time) // 86400000000, '6 bad_timestamp' FROM lake
  WHERE event_time < '2000-01-01 00:00:00+00' OR event_time >= '2100-01-01 00:00:00+00'
) GROUP BY file, row;

CREATE TEMP TABLE covered AS
SELECT coalesce(given(tenant_id), 'default') AS tenant, day, sum(n)::BIGINT AS valid
FROM (
  SELECT tenant_id, epoch_us(event_time) // 86400000000 AS day, count(*) AS n FROM lake GROUP BY ALL
  UNION ALL SELECT tenant_id, day, -count(*) FROM dead GROUP BY ALL
) GROUP BY ALL HAVING sum(n) > 0;

-- Executions: every valid event whose actor or causality owner is a scripting engine ---------------------------------
SET VARIABLE engine_names = (SELECT list(process_name) FROM (SELECT DISTINCT process_name FROM lake)
  WHERE engine_name(image(process_name, NULL)) IN (SELECT engine FROM engines) OR image(process_name, NULL) IS NULL);
SET VARIABLE owner_names = (SELECT list(name) FROM (SELECT DISTINCT causality_process_name AS name FROM lake)
  WHERE engine_name(base_name(given(name))) IN (SELECT engine FROM engines));

CREATE TEMP TABLE executions AS
SELECT DISTINCT tenant_id, host_id, day,
  CASE WHEN acts THEN engine ELSE engine_name(base_name(given(causality_process_name))) END AS engine,
  given(CASE WHEN acts THEN process_command_line ELSE causality_process_command_line END) AS line,
  CASE WHEN acts THEN given(process_path) END AS path, lower(given(os)) IS NOT DISTINCT FROM 'windows' AS windows
FROM (
  SELECT *, epoch_us(event_time) // 86400000000 AS day, engine_name(image(process_name, process_path)) AS engine,
    engine_name(image(process_name, process_path)) IN (SELECT engine FROM engines) AS acts
  FROM lake ANTI JOIN dead USING (file, row)
  WHERE list_contains(getvariable('engine_names'), process_name) OR process_name IS NULL
    OR list_contains(getvariable('owner_names'), causality_process_name)
) WHERE acts OR list_contains(getvariable('owner_names'), causality_process_name);
