-- What costs analysts most: programs by alerts, for exceptions or a better look. @first: the first day.
SELECT
  tenant_id,
  process.name AS program,
  process.origin AS origin,
  service_id,
  COUNT(*) AS alerts,
  COUNT(DISTINCT host.id) AS hosts,
  COUNT(DISTINCT DATE(timestamp)) AS days,
  COUNT(DISTINCT group_id) AS of_groups,
  MAX(timestamp) AS last_alert
FROM alerts_latest
WHERE timestamp >= TIMESTAMP(@first)
GROUP BY tenant_id, program, origin, service_id
ORDER BY alerts DESC, tenant_id, program, origin, service_id
LIMIT 50
