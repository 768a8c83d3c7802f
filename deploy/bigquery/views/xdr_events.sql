-- Rows of Cortex XDR's xdr_data, as XQL queries export them, as native events (schemas/mappings/xdr.yaml is the rule):
--   sed s/DATASET/my-project.security/ xdr_events.sql | bq query --nouse_legacy_sql
--   uncommon-im backfill --input bigquery://my-project.security.xdr_events ...
-- Takes event_timestamp as epoch milliseconds. Left out are rows of no endpoint, ends of processes, listening sockets,
-- other kinds of events, and connections that failed: a native event cannot say that it failed.
CREATE OR REPLACE VIEW `DATASET.xdr_events` AS
WITH plain AS (
  SELECT
    * REPLACE (
      UPPER(REPLACE(event_type, 'ENUM.', '')) AS event_type,
      UPPER(REPLACE(event_sub_type, 'ENUM.', '')) AS event_sub_type,
      UPPER(REPLACE(REPLACE(agent_os_type, 'ENUM.', ''), 'AGENT_OS_', '')) AS agent_os_type
    ),
    COALESCE(actor_process_image_name, actor_process_image_path) IS NOT NULL AS has_actor,
    COALESCE(
      os_actor_process_instance_id != actor_process_instance_id,
      os_actor_process_os_pid != actor_process_os_pid,
      os_actor_process_image_path != actor_process_image_path,
      os_actor_process_image_name != actor_process_image_name,
      FALSE
    ) AS has_parent,
    COALESCE(action_external_hostname, dst_action_external_hostname) AS peer
  FROM `DATASET.xdr_data`
),
kinds AS (
  SELECT
    *,
    CASE
      WHEN event_type = 'PROCESS' OR event_sub_type = 'PROCESS_START' THEN 'process'
      WHEN event_sub_type = 'NETWORK_DNS_QUERY' THEN 'dns'
      WHEN event_type IN ('NETWORK', 'STORY') THEN 'network'
    END AS kind,
    REGEXP_CONTAINS(peer, r'^[0-9.]+$|:') AS peer_is_address
  FROM plain
  WHERE
    COALESCE(agent_os_type, '') != 'NO_HOST'
    AND COALESCE(event_sub_type, '') NOT IN (
      'PROCESS_STOP', 'NETWORK_STREAM_LISTEN', 'NETWORK_STREAM_CONNECT_FAILED', 'NETWORK_CONNECT_FAILED'
    )
    AND COALESCE(action_network_success, TRUE)
)
SELECT
  event_id,
  TIMESTAMP_MILLIS(event_timestamp) AS event_time,
  kind AS event_type,
  COALESCE(agent_id, LOWER(agent_hostname)) AS host_id,
  agent_hostname AS host_name,
  CASE agent_os_type WHEN 'MAC' THEN 'macos' ELSE LOWER(agent_os_type) END AS os,
  COALESCE(
    IF(kind = 'process', action_process_username, NULL),
    actor_effective_username, actor_primary_username, os_actor_effective_username, os_actor_primary_username
  ) AS user_name,
  CASE
    WHEN kind = 'process' THEN COALESCE(action_process_image_path, action_process_image_name)
    WHEN has_actor THEN COALESCE(actor_process_image_path, actor_process_image_name)
    ELSE COALESCE(os_actor_process_image_path, os_actor_process_image_name)
  END AS process_name,
  CASE
    WHEN kind = 'process' THEN action_process_image_path
    WHEN has_actor THEN actor_process_image_path
    ELSE os_actor_process_image_path
  END AS process_path,
  CASE
    WHEN kind = 'process' THEN action_process_image_command_line
    WHEN has_actor THEN actor_process_command_line
    ELSE os_actor_process_command_line
  END AS process_command_line,
  LOWER(
    CASE
      WHEN kind = 'process' THEN action_process_image_sha256
      WHEN has_actor THEN actor_process_image_sha256
      ELSE os_actor_process_image_sha256
    END
  ) AS process_sha256,
  CASE
    REPLACE(
      REPLACE(
        UPPER(
          CASE
            WHEN kind = 'process' THEN action_process_signature_status
            WHEN has_actor THEN actor_process_signature_status
            ELSE os_actor_process_signature_status
          END
        ), 'ENUM.', ''
      ), 'SIGNATURE_', ''
    )
    WHEN 'SIGNED' THEN 'signed'
    WHEN 'UNSIGNED' THEN 'unsigned'
    WHEN 'INVALID' THEN 'invalid'
    WHEN 'REVOKED' THEN 'invalid'
    WHEN 'FAILED' THEN 'invalid'
    WHEN 'FAIL' THEN 'invalid'
    WHEN 'INVALID_CVE2020_0601' THEN 'invalid'
    WHEN 'INVALIDCVE2020_0601' THEN 'invalid'
  END AS process_signature_status,
  CASE
    WHEN kind = 'process' THEN action_process_signature_vendor
    WHEN has_actor THEN actor_process_signature_vendor
    ELSE os_actor_process_signature_vendor
  END AS process_signer,
  CASE
    WHEN kind = 'process' THEN action_process_os_pid
    WHEN has_actor THEN actor_process_os_pid
    ELSE os_actor_process_os_pid
  END AS process_pid,
  -- what is nothing but zeros names none
  REGEXP_EXTRACT(
    LOWER(
      TRIM(
        CASE
          WHEN kind = 'process' THEN action_process_instance_id
          WHEN has_actor THEN actor_process_instance_id
          ELSE os_actor_process_instance_id
        END, ' {}'
      )
    ), r'^.*[^0-].*$'
  ) AS process_guid,
  CASE
    WHEN kind = 'process' AND has_actor THEN COALESCE(actor_process_image_path, actor_process_image_name)
    WHEN kind = 'process' OR (has_actor AND has_parent)
      THEN COALESCE(os_actor_process_image_path, os_actor_process_image_name)
  END AS parent_process_name,
  CASE
    WHEN kind = 'process' AND has_actor THEN actor_process_command_line
    WHEN kind = 'process' OR (has_actor AND has_parent) THEN os_actor_process_command_line
  END AS parent_process_command_line,
  COALESCE(causality_actor_process_image_path, causality_actor_process_image_name) AS causality_process_name,
  causality_actor_process_command_line AS causality_process_command_line,
  CASE kind
    WHEN 'dns' THEN COALESCE(dns_query_name, peer)
    WHEN 'network' THEN IF(peer_is_address, dns_query_name, COALESCE(peer, dns_query_name))
  END AS remote_host,
  IF(kind = 'network', IF(peer_is_address, peer, COALESCE(action_remote_ip, action_remote_ip_v6)), NULL) AS remote_ip,
  IF(kind = 'network', action_remote_port, NULL) AS remote_port,
  IF(kind = 'network', LOWER(action_network_protocol), NULL) AS protocol,
  CASE
    WHEN kind != 'network' THEN NULL
    WHEN event_sub_type = 'NETWORK_STREAM_ACCEPT' OR action_network_is_server THEN 'inbound'
    WHEN NOT action_network_is_server THEN 'outbound'
  END AS direction,
  IF(kind = 'network', action_upload, NULL) AS bytes_sent,
  IF(kind = 'network', action_download, NULL) AS bytes_received,
  IF(kind = 'dns', dns_reply_code, NULL) AS dns_status
FROM kinds
WHERE
  kind = 'process'
  OR (kind IS NOT NULL AND (has_actor OR COALESCE(os_actor_process_image_name, os_actor_process_image_path) IS NOT NULL))
