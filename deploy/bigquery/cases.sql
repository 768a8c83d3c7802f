-- What to look at first: the cases with an alert since @first, the most urgent on top. Alerts of before belong to them.
SELECT
  priority,
  severity,
  tenant_id,
  program,
  service,
  hosts,
  alerts,
  group_saturated AS more_than_shown,
  first,
  last,
  bytes_sent,
  open_first,
  case_id
FROM cases
WHERE last >= TIMESTAMP(@first)
ORDER BY place
LIMIT 50
