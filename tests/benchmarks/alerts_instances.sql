-- Whose process it is: what traffic does not say is taken from the start of its process. It runs before
-- alerts_identity.sql if the files name instances of processes.
SET VARIABLE lookback = 7 * 86400000000;

CREATE TEMP TABLE unfinished AS
SELECT rowid AS number, coalesce(given(tenant_id), 'default') AS tenant, given(host_id) AS host,
  given(process_guid) AS guid, event_time
FROM traffic
WHERE given(process_guid) IS NOT NULL AND goes_out(event_type, direction, dns_status) AND (
  unsaid(process_signature_status) OR process_pid IS NULL
  OR image(process_name, process_path) IS NULL OR given(process_path) IS NULL OR given(process_command_line) IS NULL
  OR given(process_sha256) IS NULL OR given(user_name) IS NULL OR given(os) IS NULL
  OR given(parent_process_name) IS NULL OR given(parent_process_command_line) IS NULL
  OR given(causality_process_name) IS NULL OR given(causality_process_command_line) IS NULL);

-- Starts that are asked for: the only ones whose wide columns are read. Of several at one time the smallest id counts.
CREATE TEMP TABLE starts AS
SELECT DISTINCT ON (tenant, host, guid, event_time) coalesce(given(tenant_id), 'default') AS tenant,
  given(host_id) AS host, given(process_guid) AS guid, event_time, os, process_name, process_path,
  process_command_line, process_signature_status, process_signer, parent_process_name, parent_process_command_line,
  causality_process_name, causality_process_command_line
FROM lake
WHERE list_contains(getvariable('process_types'), event_type) AND process_guid IN (SELECT guid FROM unfinished)
  AND flaw(event_type, event_time, host_id, process_name, process_path, remote_host, remote_ip) IS NULL
ORDER BY tenant, host, guid, event_time, event_id;

CREATE TEMP TABLE described AS
SELECT u.number AS described, s.* EXCLUDE (tenant, host, guid, event_time)
FROM unfinished u ASOF JOIN starts s
  ON u.tenant = s.tenant AND u.host = s.host AND u.guid = s.guid AND u.event_time >= s.event_time
WHERE epoch_us(u.event_time) - epoch_us(s.event_time) <= getvariable('lookback');

CREATE TEMP MACRO either(own, other) AS CASE WHEN given(own) IS NULL THEN other ELSE own END;
CREATE TEMP TABLE completed AS
SELECT t.rowid AS number, t.* REPLACE (
  either(t.os, s.os) AS os,
  CASE WHEN image(t.process_name, t.process_path) IS NULL THEN s.process_name ELSE t.process_name END AS process_name,
  either(t.process_path, s.process_path) AS process_path,
  either(t.process_command_line, s.process_command_line) AS process_command_line,
  CASE WHEN unsaid(t.process_signature_status) AND NOT unsaid(s.process_signature_status)
       THEN s.process_signature_status ELSE t.process_signature_status END AS process_signature_status,
  CASE WHEN unsaid(t.process_signature_status) AND NOT unsaid(s.process_signature_status)
       THEN s.process_signer ELSE t.process_signer END AS process_signer,
  either(t.parent_process_name, s.parent_process_name) AS parent_process_name,
  either(t.parent_process_command_line, s.parent_process_command_line) AS parent_process_command_line,
  either(t.causality_process_name, s.causality_process_name) AS causality_process_name,
  either(t.causality_process_command_line, s.causality_process_command_line) AS causality_process_command_line)
FROM traffic t LEFT JOIN described s ON s.described = t.rowid;

-- What they execute: alerts_reading.sql left out what only points to its start.
INSERT INTO executions
SELECT DISTINCT tenant_id, host_id, epoch_us(event_time) // 86400000000, acts,
  CASE WHEN NOT acts THEN causality_process_name WHEN unnamed(process_name) THEN process_path ELSE process_name END,
  CASE WHEN acts THEN process_command_line ELSE causality_process_command_line END,
  CASE WHEN acts THEN process_path END, os,
  flaw(event_type, event_time, host_id, process_name, process_path, remote_host, remote_ip) IS NULL
FROM (
  SELECT *, list_contains(getvariable('engines'), engine_name(image(process_name, process_path))) AS acts
  FROM completed
  WHERE number IN (SELECT number FROM unfinished)
) WHERE acts OR list_contains(getvariable('owner_names'), causality_process_name);
