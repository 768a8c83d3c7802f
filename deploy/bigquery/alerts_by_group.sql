-- Roll-outs and outbreaks: the alerts of a program, a service and a day are one line. @first: the first day.
SELECT
  tenant_id,
  DATE(timestamp) AS day,
  process.name AS program,
  process.origin AS origin,
  service_id,
  COUNT(DISTINCT host.id) AS hosts,
  COUNT(*) AS alerts,
  COUNTIF(severity = 'Low') AS low,
  LOGICAL_OR(group_saturated) AS more_than_shown,
  MIN(timestamp) AS begun,
  group_id
FROM alerts_latest
WHERE timestamp >= TIMESTAMP(@first)
GROUP BY tenant_id, day, program, origin, service_id, group_id
ORDER BY hosts DESC, alerts DESC, group_id
