-- What is lost, and why: records that cannot be used, by reason, with an example. @first: the first day.
SELECT
  reason,
  COUNT(*) AS records,
  COUNT(DISTINCT source) AS sources,
  MIN(found_at) AS first_found,
  MAX(found_at) AS last_found,
  ARRAY_AGG(STRUCT(source AS source, record AS record, detail AS detail) ORDER BY found_at DESC, source, record LIMIT 1)[OFFSET(0)] AS example
FROM dead_letters
WHERE found_at >= TIMESTAMP(@first)
GROUP BY reason
ORDER BY records DESC, reason
