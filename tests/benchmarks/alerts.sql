-- The detector's alerts by hand-written DuckDB SQL, for the benchmark.
--
-- It reads the view `lake` (native events) and the catalogue's tables
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

-- Macros -------------------------------------------------------------------------------------------------------------
CREATE TEMP MACRO strip(x) AS trim(x);
CREATE TEMP MACRO given(x) AS
  CASE lower(strip(x)) WHEN '' THEN NULL WHEN '-' THEN NULL WHEN 'n/a' THEN NULL WHEN 'unknown' THEN NULL
                       WHEN 'null' THEN NULL ELSE strip(x) END;
CREATE TEMP MACRO base_name(x) AS parse_filename(x, false, 'both_slash');
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
-- Where the outermost suspicious location of a slashed path ends.
CREATE TEMP MACRO ends_inside(path, pieces) AS
  list_transform(pieces, lambda x: CASE WHEN instr(path, x) > 0 THEN instr(path, x) + length(x) - 1 END);
CREATE TEMP MACRO ends_at_root(path, pieces) AS
  list_transform(pieces, lambda x: CASE WHEN starts_with(path, x) THEN length(x) END);
CREATE TEMP MACRO location_end(path, os, pieces) AS list_min(list_concat(
  CASE WHEN coalesce(os, 'windows') = 'windows' THEN ends_inside(path, pieces.windows) END,
  CASE WHEN coalesce(os, 'macos') = 'macos' THEN ends_at_root(path, pieces.macos) END,
  CASE WHEN coalesce(os, 'linux') = 'linux' THEN ends_at_root(path, pieces.linux) END));
CREATE TEMP MACRO fold_location(path, os, pieces) AS
  CASE WHEN location_end(path, os, pieces) IS NULL THEN path
       ELSE regexp_replace(left(path, location_end(path, os, pieces)), '/$', '') || '/*' END;
CREATE TEMP MACRO folder(path) AS regexp_extract(path, '^.*/');
CREATE TEMP MACRO fold_folder(path, os) AS
  regexp_replace(fold_numbers(fold_user(fold_location(folder(slashed(path)), os, getvariable('locations')))), '/$', '');
SET VARIABLE locations = (SELECT {'windows': list(piece) FILTER (os = 'windows'), 'macos': list(piece) FILTER (os = 'macos'),
  'linux': list(piece) FILTER (os = 'linux')} FROM locations);
SET VARIABLE folded_locations = (SELECT {'windows': list(p) FILTER (os = 'windows'), 'macos': list(p) FILTER (os = 'macos'),
  'linux': list(p) FILTER (os = 'linux')} FROM (SELECT os, fold_numbers(piece) AS p FROM locations));

-- Destinations: every distinct name and address once -----------------------------------------------------------------
CREATE TEMP TABLE hosts AS
WITH spelled AS (
  SELECT DISTINCT remote_host AS raw FROM lake WHERE remote_host IS NOT NULL
), clean AS (
  SELECT raw, given(regexp_replace(CASE WHEN starts_with(place, '[') THEN regexp_extract(place, '^\[([^\]]*)\]', 1)
    WHEN regexp_matches(place, ':.*:') THEN place ELSE regexp_replace(place, ':[0-9]*$', '') END, '\.+$', '')) AS host
  FROM (SELECT raw, regexp_replace(regexp_replace(lower(given(raw)), '^[a-z][a-z0-9+.-]*://', ''), '[/?#].*$', '') AS place
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
  FROM (SELECT raw, regexp_replace(ip, '(^|:)0+([0-9a-f])', '\1\2', 'g') || ':' AS ip FROM clean WHERE contains(ip, ':')) c
  JOIN ranges ON starts_with(c.ip, prefix)
)
SELECT clean.raw, ip IS NULL AS missing, arg_max(service, length) AS service
FROM clean LEFT JOIN found USING (raw) GROUP BY ALL;

SET VARIABLE im_hosts = (SELECT coalesce(list(h.raw), []) FROM hosts h LEFT JOIN addresses a ON h.address AND a.raw = h.host
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
         ELSE len(list_filter(getvariable('engines'), lambda e: e = engine_name(image(NULL, process_path)))) > 0 END AS acts
  FROM lake
  WHERE list_contains(getvariable('engine_names'), process_name) OR unnamed(process_name)
    OR list_contains(getvariable('owner_names'), causality_process_name)
);  -- an unnamed process may turn out to be no engine: it gets no fingerprint below

-- Fingerprints of the distinct command lines: tokens are read from the left until one decides.
CREATE TEMP TABLE fingerprints AS
WITH commands AS (
  SELECT DISTINCT acts, image, line, path, os FROM executions
), cleaned AS (
  SELECT *, engine_name(base_name(strip(image))) AS engine, given(line) AS command, given(path) AS own,
    coalesce(lower(given(os)) = 'windows', false) AS windows
  FROM commands
), called AS (
  SELECT *, CASE
    WHEN starts_with(lower(command), lower(own)) AND regexp_matches(command[length(own) + 1:], '^(\s|$)')
      THEN command[length(own) + 1:]
    WHEN starts_with(lower(command), '"' || lower(own) || '"') AND regexp_matches(command[length(own) + 3:], '^(\s|$)')
      THEN command[length(own) + 3:]
    WHEN windows THEN regexp_replace(command, '^(?:"[^"]*(?:"|$)|[^\s"])*', '')
    ELSE regexp_replace(command, '^(?:"[^"]*(?:"|$)|''[^'']*(?:''|$)|[^\s"''])*', '') END AS rest
  FROM cleaned
), tokens AS (
  SELECT *, CASE
    WHEN windows THEN list_transform(regexp_extract_all(rest, '(?:"[^"]*(?:"|$)|[^\s"])+'), lambda t: replace(t, '"', ''))
    ELSE list_transform(regexp_extract_all(rest, '(?:"[^"]*(?:"|$)|''[^'']*(?:''|$)|[^\s"''])+'),
                        lambda t: regexp_replace(t, '"([^"]*)"?|''([^'']*)''?', '\1\2', 'g')) END AS tokens
  FROM called
), options AS (  -- each token as an option: its name, what is glued to it, and what it means
  SELECT c.* EXCLUDE (engine), e.*, list_transform(tokens, lambda t: CASE
      WHEN t = '-' THEN {'kind': 'stdin', 'glued': ''}
      WHEN style = 'wsh' AND starts_with(t, '//') THEN {'kind': 'skip', 'glued': ''}
      WHEN style = 'powershell' AND regexp_full_match(t, '-.*|/[A-Za-z]+') THEN {'kind': CASE
          WHEN list_contains(inline_exact, lower(t[2:])) OR len(list_filter(inline, lambda n: starts_with(n, lower(t[2:])))) > 0
            THEN 'inline'
          WHEN len(list_filter(script, lambda n: starts_with(n, lower(t[2:])))) > 0 THEN 'script'
          WHEN list_contains(value_exact, lower(t[2:])) OR len(list_filter(value, lambda n: starts_with(n, lower(t[2:])))) > 0
            THEN 'value' ELSE 'skip' END, 'glued': ''}
      WHEN style <> 'wsh' AND starts_with(t, '-') AND (style = 'words' OR starts_with(t, '--'))
        THEN {'kind': CASE
          WHEN list_contains(inline, regexp_extract(t, '^(--[^=]*|-.*)', 1)) THEN 'inline'
          WHEN list_contains(module, regexp_extract(t, '^(--[^=]*|-.*)', 1)) THEN 'module'
          WHEN list_contains(script, regexp_extract(t, '^(--[^=]*|-.*)', 1)) THEN 'script'
          WHEN list_contains(value, regexp_extract(t, '^(--[^=]*|-.*)', 1)) AND NOT contains(t, '=') THEN 'value'
          ELSE 'skip' END, 'glued': regexp_extract(t, '^--[^=]*=(.*)$', 1)}
      WHEN style = 'short' AND starts_with(t, '-') THEN
        list_extract(list_concat(list_filter(list_transform(range(2, length(t) + 1), lambda i:
          {'kind': CASE
            WHEN list_contains(inline, '-' || t[i]) THEN 'inline'
            WHEN list_contains(module, '-' || t[i]) THEN 'module'
            WHEN list_contains(script, '-' || t[i]) THEN 'script'
            WHEN list_contains(value, '-' || t[i]) THEN CASE WHEN i = length(t) THEN 'value' ELSE 'glued' END
            ELSE 'skip' END,
           'glued': CASE WHEN t[i] = 'p' AND len(list_filter(range(i + 1, length(t) + 1),
              lambda k: NOT list_contains(inline, '-' || t[k]))) = 0 THEN '' ELSE t[i + 1:] END}), lambda o: o.kind <> 'skip'), [{'kind': 'skip', 'glued': ''}]), 1)
      WHEN list_contains(skip, t) THEN {'kind': 'skip', 'glued': ''}
      WHEN list_contains(inline_words, t) THEN {'kind': 'inline', 'glued': ''}
      WHEN len(list_filter(inline_prefixes, lambda p: starts_with(lower(t), p))) > 0
        OR (script_suffix <> '' AND NOT ends_with(lower(t), script_suffix)) THEN {'kind': 'inline', 'glued': t}
      ELSE {'kind': 'bare', 'glued': t} END) AS options
  FROM tokens c JOIN engines e USING (engine)
), decided AS (  -- 0: reading, -1: the next token is a value, otherwise the token that decides
  SELECT *, list_reduce(range(1, len(options) + 1), lambda spot, i: CASE
      WHEN spot > 0 THEN spot WHEN spot = -1 THEN 0
      WHEN options[i].kind = 'value' THEN -1
      WHEN options[i].kind IN ('skip', 'glued') THEN 0
      WHEN options[i].kind IN ('module', 'script') AND i = len(options) AND options[i].glued = '' THEN 0
      ELSE i END, 0::BIGINT) AS spot
  FROM options
), targets AS (
  SELECT acts, image, line, path, os, engine, command, options[spot].kind AS kind,
    CASE WHEN options[spot].glued <> '' THEN list_concat([options[spot].glued], tokens[spot + 1:]) ELSE tokens[spot + 1:] END AS follow
  FROM decided
), paths AS (
  SELECT *, fold_user(slashed(follow[1])) AS script FROM targets
)
SELECT acts, image, line, path, os, engine || '|' || CASE
  WHEN command IS NULL THEN 'unknown'
  WHEN kind IS NULL THEN 'interactive'
  WHEN kind = 'inline' THEN 'inline:' || left(sha256(lower(array_to_string(follow, ' '))), 16)
  WHEN kind = 'module' THEN 'module:' || follow[1]
  WHEN kind = 'stdin' OR follow[1] = '-' THEN 'stdin'
  ELSE 'script:' || fold_numbers(regexp_replace(script, '\.[a-z][a-z0-9]*$', ''))
    || regexp_extract(script, '\.[a-z][a-z0-9]*$') END AS fingerprint
FROM paths;

-- Communications: the only events whose wide columns are read --------------------------------------------------------
CREATE TEMP TABLE traffic AS
SELECT * FROM lake
WHERE list_contains(getvariable('im_hosts'), remote_host) OR list_contains(getvariable('im_addresses'), remote_ip);

CREATE TEMP TABLE events AS
SELECT t.rowid AS number, epoch_us(event_time) AS time, coalesce(h.service, a.service) AS service, tenant_id, host_id,
  event_type, os, process_name, process_path, process_signature_status, process_signer, parent_process_name,
  process_command_line, causality_process_name, causality_process_command_line
FROM traffic t
LEFT JOIN hosts h ON h.raw = remote_host
LEFT JOIN addresses a ON a.raw = CASE WHEN remote_ip IS NULL OR list_contains(getvariable('no_addresses'), remote_ip)
                                      THEN CASE WHEN h.address THEN h.host END ELSE remote_ip END
WHERE coalesce(h.service, a.service) IS NOT NULL
  AND flaw(event_type, event_time, host_id, process_name, process_path, remote_host, remote_ip) IS NULL
  AND (event_type IS NULL OR NOT list_contains(getvariable('process_types'), event_type))
  AND coalesce(lower(strip(direction)) <> 'inbound', true)
  AND NOT (coalesce(lower(strip(event_type)) = 'dns', false) AND coalesce(dns_status, 0) <> 0);

-- Identity of the distinct processes
CREATE TEMP TABLE actors AS
WITH distinct_actors AS (
  SELECT DISTINCT service, os AS raw_os, process_name, process_path, process_signature_status, process_signer,
    parent_process_name FROM events
), cleaned AS (
  SELECT row_number() OVER () AS actor, *, lower(given(raw_os)) AS os, given(process_path) AS path,
    lower(image(process_name, process_path)) AS name, lower(given(process_signature_status)) AS status,
    given(process_signer) AS signer, lower(base_name(given(parent_process_name))) AS parent_name
  FROM distinct_actors
), numbered AS (
  SELECT *, slashed(path) AS slashed_path, coalesce(status = 'signed' AND signer IS NOT NULL, false) AS is_signed FROM cleaned
), signed_by AS (  -- what a signer may be called: its CN, without the developer's prefix, without and by its team id
  SELECT actor, unnest([cn, regexp_extract(cn, '^(.*?)\s*\(([a-z0-9]+)\)$', 1), regexp_extract(cn, '\(([a-z0-9]+)\)$', 1)]) AS called
  FROM (SELECT actor, trim(regexp_replace(trim(CASE WHEN regexp_matches(signer, '(?i)(^|,\s*)cn\s*=')
      THEN regexp_extract(lower(signer), '(?:^|,\s*)cn\s*=\s*"?([^",]*)', 1) ELSE lower(signer) END),
      '^developer id application:', '')) AS cn FROM numbered WHERE is_signed)
), listed AS (  -- the classes of its name
  SELECT actor, list(DISTINCT class) FILTER (role = 'suspicious') AS suspicious,
    bool_or(class = 'resolver') AS resolver, bool_or(class = 'system-service' AND c.os = 'windows') AS system_service
  FROM numbered n JOIN classes c ON c.name = n.name AND (n.os IS NULL OR n.os = c.os) GROUP BY actor
), own_publishers AS (
  SELECT DISTINCT actor FROM signed_by JOIN numbered USING (actor) JOIN publishers p ON p.of = service AND p.publisher = called
), named AS (  -- publishers that are known for this name
  SELECT actor, p.publisher FROM numbered n JOIN clients c ON c.name = n.name AND (n.os IS NULL OR n.os = c.os)
  JOIN publishers p ON p.of = c.service
  UNION
  SELECT actor, p.publisher FROM numbered n JOIN classes c ON c.name = n.name AND (n.os IS NULL OR n.os = c.os)
    AND c.class = 'browser' JOIN publishers p ON p.of = 'browser'
), masked AS (
  SELECT actor FROM (SELECT DISTINCT actor FROM named) JOIN signed_by s USING (actor)
  LEFT JOIN named n ON n.actor = s.actor AND n.publisher = s.called
  GROUP BY actor HAVING count(n.publisher) = 0 AND NOT bool_or(starts_with(called, 'microsoft ') OR starts_with(called, 'apple '))
), office AS (
  SELECT DISTINCT actor FROM numbered n JOIN classes c ON c.name = n.parent_name AND (n.os IS NULL OR n.os = c.os)
    AND c.class IN ('office', 'mail-client', 'pdf-reader')
)
SELECT n.*, coalesce(l.resolver, false) AS resolver, coalesce(len(l.suspicious) > 0, false) AS suspicious,
  CASE WHEN is_signed THEN lower(signer)
       ELSE CASE WHEN status IN ('unsigned', 'invalid') THEN 'unsigned' ELSE 'unknown' END || ':'
         || coalesce(fold_folder(path, n.os), '') END AS origin,
  list_sort(list_distinct(list_concat(
    CASE WHEN n.name IN ('update.exe', 'squirrel.exe') AND p.actor IS NOT NULL THEN []
      ELSE list_filter(l.suspicious, lambda c: NOT starts_with(c, 'script-engine-')
        AND NOT (n.service = 'microsoft-teams' AND c = 'office')) END,
    CASE WHEN n.os IN ('windows', 'macos') AND status IN ('unsigned', 'invalid') THEN ['unsigned'] END,
    CASE WHEN location_end(slashed_path, n.os, getvariable('locations')) IS NOT NULL THEN ['untrusted_path'] END,
    CASE WHEN m.actor IS NOT NULL OR (coalesce(n.os, 'windows') = 'windows' AND l.system_service AND
      NOT regexp_matches(slashed_path, '^((//\?/)?[a-z]:|/device/harddiskvolume[0-9]+)/windows/')) THEN ['masquerading'] END,
    CASE WHEN regexp_matches(n.name, '\.(pdf|docx?|xlsx?|pptx?|rtf|txt|csv|jpg|jpeg|png|gif|mp3|mp4|zip|rar|7z|html)'
      || '\.(exe|scr|com|pif|bat|cmd|js|vbs|ps1|msi)$') THEN ['double_extension'] END,
    CASE WHEN o.actor IS NOT NULL THEN ['office_child'] END))) AS reasons
FROM numbered n LEFT JOIN listed l USING (actor) LEFT JOIN own_publishers p USING (actor)
LEFT JOIN masked m USING (actor) LEFT JOIN office o USING (actor);

CREATE TEMP TABLE communications AS
SELECT e.number, e.time, e.time // 86400000000 AS day, e.time // 3600000000 AS hour, e.service,
  coalesce(given(e.tenant_id), 'default') AS tenant, given(e.host_id) AS host, a.os, a.name, a.origin, a.reasons,
  coalesce(f.fingerprint, o.fingerprint) AS execution,
  CASE WHEN f.fingerprint IS NOT NULL THEN f.fingerprint WHEN a.suspicious THEN coalesce(o.fingerprint, '') ELSE '' END AS script
FROM events e
JOIN actors a ON e.service = a.service AND e.os IS NOT DISTINCT FROM a.raw_os
  AND e.process_name IS NOT DISTINCT FROM a.process_name AND e.process_path IS NOT DISTINCT FROM a.process_path
  AND e.process_signature_status IS NOT DISTINCT FROM a.process_signature_status
  AND e.process_signer IS NOT DISTINCT FROM a.process_signer AND e.parent_process_name IS NOT DISTINCT FROM a.parent_process_name
LEFT JOIN fingerprints f ON f.acts AND f.image = CASE WHEN unnamed(e.process_name) THEN e.process_path ELSE e.process_name END
  AND f.line IS NOT DISTINCT FROM e.process_command_line AND f.path IS NOT DISTINCT FROM e.process_path
  AND f.os IS NOT DISTINCT FROM e.os
LEFT JOIN fingerprints o ON NOT o.acts AND f.fingerprint IS NULL AND o.image = e.causality_process_name
  AND o.line IS NOT DISTINCT FROM e.causality_process_command_line AND o.os IS NOT DISTINCT FROM e.os
WHERE NOT (a.resolver AND len(a.reasons) = 0 AND coalesce(lower(strip(e.event_type)) = 'dns', false));

-- Prevalence: a sighting makes its host count on the days after it, as long as the window; a sum over time counts hosts ---
CREATE TEMP TABLE subjects AS
SELECT row_number() OVER () AS subject, * FROM (SELECT DISTINCT tenant, name, origin, script, service FROM communications);

CREATE TEMP TABLE activities AS
SELECT s.subject, c.host, c.reasons, c.execution, c.hour, any_value(c.day) AS day, any_value(c.tenant) AS tenant,
  any_value(c.os) AS os, min(c.time) AS time, arg_min(c.number, c.time) AS number
FROM communications c JOIN subjects s USING (tenant, name, origin, script, service)
GROUP BY s.subject, c.host, c.reasons, c.execution, c.hour;

CREATE TEMP TABLE shown AS
SELECT subject, host, day, count(*) OVER window_ AS host_days, count(*) OVER guarded AS guarded_days,
  lead(day) OVER (PARTITION BY subject, host ORDER BY day) AS next_day
FROM (SELECT DISTINCT subject, host, day FROM activities)
WINDOW window_ AS (PARTITION BY subject, host ORDER BY day
    RANGE BETWEEN getvariable('training_days') PRECEDING AND 1 PRECEDING),
  guarded AS (PARTITION BY subject, host ORDER BY day
    RANGE BETWEEN getvariable('training_days') PRECEDING AND getvariable('guard_days') + 1 PRECEDING);

CREATE TEMP TABLE prevalence AS
WITH steps AS (
  SELECT subject, day + 1 AS day, 1 AS plain, 0 AS guarded FROM shown
  UNION ALL
  SELECT subject, least(day + getvariable('training_days'), coalesce(next_day, 1000000)) + 1, -1, 0 FROM shown
  UNION ALL
  SELECT subject, day + 1 + getvariable('guard_days'), 0, 1 FROM shown
  UNION ALL
  SELECT subject, least(day + getvariable('training_days'), coalesce(next_day, 1000000) + getvariable('guard_days')) + 1, 0, -1
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
CREATE TEMP TABLE judged AS
SELECT a.*, coverage, p.host_days, p.active_days, CASE WHEN len(reasons) > 0 THEN guarded_others ELSE others END AS other_hosts,
  CASE WHEN coverage < getvariable('activation_days') THEN 'learning'
       WHEN CASE WHEN len(reasons) > 0 THEN guarded_others ELSE others END > getvariable('max_other_hosts')
         THEN 'common_in_organisation'
       WHEN p.host_days > getvariable('max_host_days') THEN 'common_on_host' END AS verdict
FROM activities a JOIN prevalence p USING (subject, host, day)
JOIN (SELECT d.tenant, d.day, count(c.day) AS coverage FROM covered d LEFT JOIN covered c ON c.tenant = d.tenant
  AND c.day BETWEEN d.day - getvariable('training_days') AND d.day - 1 GROUP BY ALL) USING (tenant, day);

CREATE TEMP TABLE rare AS SELECT * FROM judged WHERE verdict IS NULL;

-- How rare the executions of the rare activities are
CREATE TEMP TABLE rare_executions AS
WITH asked AS (
  SELECT DISTINCT tenant, execution, host, day FROM rare WHERE execution IS NOT NULL
), seen AS (
  SELECT DISTINCT coalesce(given(e.tenant_id), 'default') AS tenant, given(e.host_id) AS host, e.day, f.fingerprint AS execution
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
CREATE TEMP MACRO member(key, value) AS '"' || key || '":' || to_json(value)::VARCHAR;
CREATE TEMP TABLE ordered AS
WITH firsts AS (
  SELECT r.* EXCLUDE (number), c.number, s.name, s.origin, s.script, s.service FROM rare r JOIN subjects s USING (subject)
  JOIN communications c ON c.host = r.host AND c.time = r.time AND c.reasons = r.reasons AND c.tenant = s.tenant
    AND c.execution IS NOT DISTINCT FROM r.execution AND c.name = s.name AND c.origin = s.origin AND c.script = s.script
    AND c.service = s.service
), ids AS (
  SELECT t.rowid AS number, coalesce(given(event_id), sha256('{' || concat_ws(',',
    member('bytes_received', bytes_received), member('bytes_sent', bytes_sent),
    member('causality_process_command_line', given(causality_process_command_line)),
    member('causality_process_name', given(causality_process_name)), member('direction', given(direction)),
    member('dns_status', dns_status), member('event_time', epoch_us(event_time)), member('event_type', lower(given(event_type))),
    member('host_id', given(host_id)), member('host_name', given(host_name)), member('os', lower(given(os))),
    member('parent_process_command_line', given(parent_process_command_line)),
    member('parent_process_name', given(parent_process_name)),
    member('process_command_line', given(process_command_line)), member('process_name', image(process_name, process_path)),
    member('process_path', given(process_path)), member('process_pid', process_pid),
    member('process_sha256', given(process_sha256)),
    member('process_signature_status', CASE WHEN lower(given(process_signature_status)) IN ('signed', 'unsigned', 'invalid')
      THEN lower(given(process_signature_status)) WHEN given(process_signature_status) IS NOT NULL THEN 'unknown' END),
    member('process_signer', given(process_signer)), member('protocol', given(protocol)),
    member('remote_host', CASE WHEN NOT h.address THEN h.host END),
    member('remote_ip', coalesce(given(remote_ip), CASE WHEN h.address THEN h.host END)), member('remote_port', remote_port),
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
SELECT *, (variation <> 'base')::INT AS severity, dense_rank() OVER (ORDER BY tenant, host, name, origin, reduced_script, service) AS key,
  row_number() OVER (PARTITION BY tenant, host, name, origin, reduced_script, service
    ORDER BY time, severity DESC, event_id, alert_id) AS place
FROM reduced;

-- Deduplication walks each key in order and remembers when it last let something through, of any and of low severity
CREATE TEMP TABLE walked AS
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

CREATE TEMP TABLE flooded AS
SELECT *, row_number() OVER (PARTITION BY tenant, name, origin, reduced_script, service, day, variation
  ORDER BY time, event_id, host, alert_id) AS position
FROM walked WHERE NOT duplicate;

CREATE TEMP TABLE alerts AS
SELECT alert_id, tenant AS tenant_id, CASE severity WHEN 1 THEN 'Low' ELSE 'Informational' END AS severity, variation,
  strftime(make_timestamp(time), '%Y-%m-%dT%H:%M:%S.%f') || 'Z' AS timestamp, {'id': host} AS host,
  {'name': name, 'origin': origin, 'script': script} AS process, {'id': service} AS service, execution,
  {'coverage_days': coverage, 'other_hosts': other_hosts, 'host_days': host_days, 'active_days': active_days} AS baseline,
  reasons AS suspicion_reasons, position = getvariable('max_alerts_per_group') AS group_saturated, event_id
FROM flooded WHERE position <= getvariable('max_alerts_per_group') ORDER BY time, event_id, alert_id;

CREATE TEMP TABLE verdicts AS
SELECT verdict, count(*) AS n FROM judged WHERE verdict IS NOT NULL GROUP BY ALL
UNION ALL SELECT 'duplicate', count(*) FROM walked WHERE duplicate
UNION ALL SELECT CASE WHEN position <= getvariable('max_alerts_per_group') THEN 'alert' ELSE 'rolled_up' END, count(*)
  FROM flooded GROUP BY ALL;
