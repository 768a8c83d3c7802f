-- Who communicates: fingerprints of executions, programs, reasons of suspicion.

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
    WHEN windows THEN
      list_transform(regexp_extract_all(rest, '(?:"[^"]*(?:"|$)|[^\s"])+'), lambda t: replace(t, '"', ''))
    ELSE list_transform(regexp_extract_all(rest, '(?:"[^"]*(?:"|$)|''[^'']*(?:''|$)|[^\s"''])+'),
                        lambda t: regexp_replace(t, '"([^"]*)"?|''([^'']*)''?', '\1\2', 'g')) END AS tokens
  FROM called
), options AS (  -- each token as an option: its name, what is glued to it, and what it means
  SELECT c.* EXCLUDE (engine), e.*, list_transform(tokens, lambda t: CASE
      WHEN t = '-' THEN {'kind': 'stdin', 'glued': ''}
      WHEN style = 'wsh' AND starts_with(t, '//') THEN {'kind': 'skip', 'glued': ''}
      WHEN style = 'powershell' AND regexp_full_match(t, '-.*|/[A-Za-z]+') THEN {'kind': CASE
          WHEN list_contains(inline_exact, lower(t[2:])) OR begins_one(lower(t[2:]), inline) THEN 'inline'
          WHEN begins_one(lower(t[2:]), script) THEN 'script'
          WHEN list_contains(value_exact, lower(t[2:])) OR begins_one(lower(t[2:]), value) THEN 'value'
          ELSE 'skip' END, 'glued': ''}
      WHEN style <> 'wsh' AND starts_with(t, '-') AND (style = 'words' OR starts_with(t, '--'))
        THEN {'kind': CASE
          WHEN list_contains(inline, without_value(t)) THEN 'inline'
          WHEN list_contains(module, without_value(t)) THEN 'module'
          WHEN list_contains(script, without_value(t)) THEN 'script'
          WHEN list_contains(value, without_value(t)) AND NOT contains(t, '=') THEN 'value'
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
              lambda k: NOT list_contains(inline, '-' || t[k]))) = 0 THEN '' ELSE t[i + 1:] END}),
          lambda o: o.kind <> 'skip'), [{'kind': 'skip', 'glued': ''}]), 1)
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
    CASE WHEN options[spot].glued <> '' THEN list_concat([options[spot].glued], tokens[spot + 1:])
         ELSE tokens[spot + 1:] END AS follow
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

CREATE TEMP TABLE events AS
SELECT number, epoch_us(event_time) AS time, coalesce(h.service, a.service) AS service, tenant_id, host_id,
  event_type, os, process_name, process_path, process_signature_status, process_signer, parent_process_name,
  process_command_line, causality_process_name, causality_process_command_line
FROM completed
LEFT JOIN hosts h ON h.raw = remote_host
LEFT JOIN addresses a ON a.raw = CASE WHEN remote_ip IS NULL OR list_contains(getvariable('no_addresses'), remote_ip)
                                      THEN CASE WHEN h.address THEN h.host END ELSE remote_ip END
WHERE coalesce(h.service, a.service) IS NOT NULL
  AND flaw(event_type, event_time, host_id, process_name, process_path, remote_host, remote_ip) IS NULL
  AND goes_out(event_type, direction, dns_status);

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
  SELECT *, slashed(path) AS slashed_path, coalesce(status = 'signed' AND signer IS NOT NULL, false) AS is_signed
  FROM cleaned
), signed_by AS (  -- what a signer may be called: its CN, without the developer's prefix, without and by its team id
  SELECT actor, unnest([cn, regexp_extract(cn, '^(.*?)\s*\(([a-z0-9]+)\)$', 1),
    regexp_extract(cn, '\(([a-z0-9]+)\)$', 1)]) AS called
  FROM (SELECT actor, trim(regexp_replace(trim(CASE WHEN regexp_matches(signer, '(?i)(^|,\s*)cn\s*=')
      THEN regexp_extract(lower(signer), '(?:^|,\s*)cn\s*=\s*"?([^",]*)', 1) ELSE lower(signer) END),
      '^developer id application:', '')) AS cn FROM numbered WHERE is_signed)
), listed AS (  -- the classes of its name
  SELECT actor, list(DISTINCT class) FILTER (role = 'suspicious') AS suspicious,
    bool_or(class = 'resolver') AS resolver, bool_or(class = 'system-service' AND c.os = 'windows') AS system_service
  FROM numbered n JOIN classes c ON c.name = n.name AND (n.os IS NULL OR n.os = c.os) GROUP BY actor
), own_publishers AS (
  SELECT DISTINCT actor FROM signed_by JOIN numbered USING (actor)
  JOIN publishers p ON p.of = service AND p.publisher = called
), named AS (  -- publishers that are known for this name
  SELECT actor, p.publisher FROM numbered n JOIN clients c ON c.name = n.name AND (n.os IS NULL OR n.os = c.os)
  JOIN publishers p ON p.of = c.service
  UNION
  SELECT actor, p.publisher FROM numbered n JOIN classes c ON c.name = n.name AND (n.os IS NULL OR n.os = c.os)
    AND c.class = 'browser' JOIN publishers p ON p.of = 'browser'
), masked AS (
  SELECT actor FROM (SELECT DISTINCT actor FROM named) JOIN signed_by s USING (actor)
  LEFT JOIN named n ON n.actor = s.actor AND n.publisher = s.called
  GROUP BY actor
  HAVING count(n.publisher) = 0 AND NOT bool_or(starts_with(called, 'microsoft ') OR starts_with(called, 'apple '))
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
      NOT regexp_matches(slashed_path, '^((//\?/)?[a-z]:|/device/harddiskvolume[0-9]+)/windows/'))
      THEN ['masquerading'] END,
    CASE WHEN regexp_matches(n.name, '\.(pdf|docx?|xlsx?|pptx?|rtf|txt|csv|jpg|jpeg|png|gif|mp3|mp4|zip|rar|7z|html)'
      || '\.(exe|scr|com|pif|bat|cmd|js|vbs|ps1|msi)$') THEN ['double_extension'] END,
    CASE WHEN o.actor IS NOT NULL THEN ['office_child'] END))) AS reasons
FROM numbered n LEFT JOIN listed l USING (actor) LEFT JOIN own_publishers p USING (actor)
LEFT JOIN masked m USING (actor) LEFT JOIN office o USING (actor);

CREATE TEMP TABLE communications AS
SELECT e.number, e.time, e.time // 86400000000 AS day, e.time // 3600000000 AS hour, e.service,
  coalesce(given(e.tenant_id), 'default') AS tenant, given(e.host_id) AS host, a.os, a.name, a.origin, a.reasons,
  coalesce(f.fingerprint, o.fingerprint) AS execution,
  CASE WHEN f.fingerprint IS NOT NULL THEN f.fingerprint WHEN a.suspicious THEN coalesce(o.fingerprint, '')
       ELSE '' END AS script
FROM events e
JOIN actors a ON e.service = a.service AND e.os IS NOT DISTINCT FROM a.raw_os
  AND e.process_name IS NOT DISTINCT FROM a.process_name AND e.process_path IS NOT DISTINCT FROM a.process_path
  AND e.process_signature_status IS NOT DISTINCT FROM a.process_signature_status
  AND e.process_signer IS NOT DISTINCT FROM a.process_signer
  AND e.parent_process_name IS NOT DISTINCT FROM a.parent_process_name
LEFT JOIN fingerprints f ON f.acts
  AND f.image = CASE WHEN unnamed(e.process_name) THEN e.process_path ELSE e.process_name END
  AND f.line IS NOT DISTINCT FROM e.process_command_line AND f.path IS NOT DISTINCT FROM e.process_path
  AND f.os IS NOT DISTINCT FROM e.os
LEFT JOIN fingerprints o ON NOT o.acts AND f.fingerprint IS NULL AND o.image = e.causality_process_name
  AND o.line IS NOT DISTINCT FROM e.causality_process_command_line AND o.os IS NOT DISTINCT FROM e.os
WHERE NOT (a.resolver AND len(a.reasons) = 0 AND coalesce(lower(strip(e.event_type)) = 'dns', false));
