-- Limits, and what the other statements share.
SET VARIABLE training_days = 30;
SET VARIABLE activation_days = 14;
SET VARIABLE guard_days = 3;
SET VARIABLE max_other_hosts = 3;
SET VARIABLE max_host_days = 2;
SET VARIABLE max_alerts_per_group = 25;
SET VARIABLE deduplication = 86400000000;

CREATE TEMP MACRO strip(x) AS trim(x);
CREATE TEMP MACRO given(x) AS
  CASE lower(strip(x)) WHEN '' THEN NULL WHEN '-' THEN NULL WHEN 'n/a' THEN NULL WHEN 'unknown' THEN NULL
                       WHEN 'null' THEN NULL ELSE strip(x) END;
CREATE TEMP MACRO base_name(x) AS parse_filename(x, false, 'both_slash');
CREATE TEMP MACRO image(name, path) AS
  coalesce(nullif(strip(base_name(strip(name))), ''), nullif(strip(base_name(given(path))), ''));
CREATE TEMP MACRO engine_name(name) AS
  regexp_replace(regexp_replace(lower(name), '\.exe$', ''), '[-_]?[0-9][0-9.]*$', '');
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
SET VARIABLE locations = (SELECT {
    'windows': list(piece) FILTER (os = 'windows'), 'macos': list(piece) FILTER (os = 'macos'),
    'linux': list(piece) FILTER (os = 'linux')} FROM locations);
SET VARIABLE folded_locations = (SELECT {
    'windows': list(p) FILTER (os = 'windows'), 'macos': list(p) FILTER (os = 'macos'),
    'linux': list(p) FILTER (os = 'linux')} FROM (SELECT os, fold_numbers(piece) AS p FROM locations));
CREATE TEMP MACRO member(key, value) AS '"' || key || '":' || to_json(value)::VARCHAR;
CREATE TEMP MACRO begins_one(word, names) AS len(list_filter(names, lambda n: starts_with(n, word))) > 0;
CREATE TEMP MACRO without_value(option) AS regexp_extract(option, '^(--[^=]*|-.*)', 1);
