-- Everything that reads the files.

-- Destinations: every distinct name and address once -----------------------------------------------------------------
CREATE TEMP TABLE hosts AS
WITH spelled AS (
  SELECT DISTINCT remote_host AS raw FROM lake WHERE remote_host IS NOT NULL
), clean AS (
  SELECT raw, given(regexp_replace(CASE WHEN starts_with(place, '[') THEN regexp_extract(place, '^\[([^\]]*)\]', 1)
    WHEN regexp_matches(place, ':.*:') THEN place ELSE regexp_replace(place, ':[0-9]*$', '') END, '\.+$', '')) AS host
  FROM (
    SELECT raw, regexp_replace(regexp_replace(lower(given(raw)), '^[a-z][a-z0-9+.-]*://', ''), '[/?#].*$', '') AS place
    FROM spelled)
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
  FROM (
    SELECT raw, regexp_replace(ip, '(^|:)0+([0-9a-f])', '\1\2', 'g') || ':' AS ip FROM clean WHERE contains(ip, ':')) c
  JOIN ranges ON starts_with(c.ip, prefix)
)
SELECT clean.raw, ip IS NULL AS missing, arg_max(service, length) AS service
FROM clean LEFT JOIN found USING (raw) GROUP BY ALL;

SET VARIABLE im_hosts = (SELECT coalesce(list(h.raw), [])
  FROM hosts h LEFT JOIN addresses a ON h.address AND a.raw = h.host
  WHERE h.service IS NOT NULL OR a.service IS NOT NULL);
SET VARIABLE im_addresses = (SELECT coalesce(list(raw), []) FROM addresses WHERE service IS NOT NULL);
SET VARIABLE no_hosts = (SELECT coalesce(list(raw), []) FROM hosts WHERE host IS NULL);
SET VARIABLE no_addresses = (SELECT coalesce(list(raw), []) FROM addresses WHERE missing);

-- Dead letters and coverage ------------------------------------------------------------------------------------------
CREATE TEMP TABLE images AS SELECT DISTINCT process_name AS raw FROM lake WHERE process_name IS NOT NULL;
SET VARIABLE no_images = (SELECT coalesce(list(raw), []) FROM images WHERE image(raw, NULL) IS NULL);
CREATE TEMP TABLE ids AS SELECT DISTINCT host_id AS raw FROM lake;
SET VARIABLE no_host_ids = (SELECT coalesce(list(raw), []) FROM ids WHERE raw IS NOT NULL AND given(raw) IS NULL);
CREATE TEMP TABLE types AS SELECT DISTINCT event_type AS raw FROM lake;
SET VARIABLE no_types = (SELECT coalesce(list(raw), []) FROM types
  WHERE lower(given(raw)) NOT IN ('network', 'dns', 'process'));
SET VARIABLE process_types = (SELECT coalesce(list(raw), []) FROM types WHERE lower(given(raw)) = 'process');

CREATE TEMP MACRO unnamed(name) AS name IS NULL OR list_contains(getvariable('no_images'), name);
-- Why an event cannot be used, by raw values; NULL if it can.
CREATE TEMP MACRO flaw(kind, time, id, name, path, host, ip) AS CASE
  WHEN list_contains(getvariable('no_types'), kind) THEN 'malformed'
  WHEN time IS NULL THEN 'missing_field:event_time'
  WHEN id IS NULL OR list_contains(getvariable('no_host_ids'), id) THEN 'missing_field:host_id'
  WHEN CASE WHEN unnamed(name) THEN image(NULL, path) IS NULL END THEN 'missing_field:process_name'
  WHEN (host IS NULL OR list_contains(getvariable('no_hosts'), host))
    AND (ip IS NULL OR list_contains(getvariable('no_addresses'), ip))
    AND (kind IS NULL OR NOT list_contains(getvariable('process_types'), kind)) THEN 'missing_field:remote_host'
  WHEN time < '2000-01-01 00:00:00+00' OR time >= '2100-01-01 00:00:00+00' THEN 'bad_timestamp' END;

-- What leaves the host and succeeds; what of it only points to its process's start; signatures that nobody knows.
CREATE TEMP MACRO goes_out(kind, direction, dns_status) AS
  (kind IS NULL OR NOT list_contains(getvariable('process_types'), kind))
  AND coalesce(lower(strip(direction)) <> 'inbound', true)
  AND NOT (coalesce(lower(strip(kind)) = 'dns', false) AND coalesce(dns_status, 0) <> 0);
CREATE TEMP MACRO points(kind, guid, name, path, line) AS
  (kind IS NULL OR NOT list_contains(getvariable('process_types'), kind)) AND given(guid) IS NOT NULL
  AND (given(line) IS NULL OR image(name, path) IS NULL);
CREATE TEMP MACRO unsaid(status) AS coalesce(lower(given(status)) NOT IN ('signed', 'unsigned', 'invalid'), true);

CREATE TEMP TABLE counted AS
SELECT tenant_id, epoch_us(event_time) // 86400000000 AS day, count(*) AS events,
  flaw(event_type, event_time, host_id, process_name, process_path, remote_host, remote_ip) AS flaw
FROM lake GROUP BY ALL;

CREATE TEMP TABLE covered AS
SELECT DISTINCT coalesce(given(tenant_id), 'default') AS tenant, day FROM counted WHERE flaw IS NULL;

-- Executions: every valid event whose actor or causality owner is a scripting engine ---------------------------------
SET VARIABLE engines = (SELECT list(engine) FROM engines);
SET VARIABLE engine_names = (SELECT coalesce(list(raw), []) FROM images
  WHERE list_contains(getvariable('engines'), engine_name(image(raw, NULL))));
CREATE TEMP TABLE owners AS SELECT DISTINCT causality_process_name AS raw FROM lake;
SET VARIABLE owner_names = (SELECT coalesce(list(raw), []) FROM owners
  WHERE list_contains(getvariable('engines'), engine_name(base_name(given(raw)))));

CREATE TEMP TABLE executions AS
SELECT DISTINCT tenant_id, host_id, epoch_us(event_time) // 86400000000 AS day, acts,
  CASE WHEN NOT acts THEN causality_process_name WHEN named THEN process_name ELSE process_path END AS image,
  CASE WHEN acts THEN process_command_line ELSE causality_process_command_line END AS line,
  CASE WHEN acts THEN process_path END AS path, os,
  flaw(event_type, event_time, host_id, process_name, process_path, remote_host, remote_ip) IS NULL AS valid
FROM (
  SELECT *, NOT unnamed(process_name) AS named,
    CASE WHEN named THEN list_contains(getvariable('engine_names'), process_name)
         ELSE len(list_filter(getvariable('engines'), lambda e: e = engine_name(image(NULL, process_path)))) > 0
    END AS acts
  FROM lake
  WHERE (list_contains(getvariable('engine_names'), process_name) OR unnamed(process_name)
    OR list_contains(getvariable('owner_names'), causality_process_name))
    AND NOT (process_guid IS NOT NULL AND points(event_type, process_guid, process_name, process_path,
      process_command_line))
);  -- an unnamed process may turn out to be no engine: it gets no fingerprint below

-- Communications: the only events whose wide columns are read --------------------------------------------------------
CREATE TEMP TABLE traffic AS
SELECT * FROM lake
WHERE list_contains(getvariable('im_hosts'), remote_host) OR list_contains(getvariable('im_addresses'), remote_ip);
