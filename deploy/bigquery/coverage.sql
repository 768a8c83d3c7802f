-- Which tenants deliver, and for which the detector speaks on @day: it needs 14 days with telemetry among the 30 before.
WITH days AS (
  SELECT covered.tenant_id, covered.day, MAX(covered.events) AS events
  FROM summaries
  CROSS JOIN UNNEST(summaries.coverage) AS covered
  WHERE covered.day BETWEEN DATE_SUB(@day, INTERVAL 30 DAY) AND DATE_SUB(@day, INTERVAL 1 DAY)
  GROUP BY covered.tenant_id, covered.day
)
SELECT
  tenant_id,
  COUNT(*) AS coverage_days,
  COUNT(*) >= 14 AS active,
  MIN(day) AS first_day,
  MAX(day) AS last_day,
  SUM(events) AS events
FROM days
GROUP BY tenant_id
ORDER BY coverage_days, tenant_id
