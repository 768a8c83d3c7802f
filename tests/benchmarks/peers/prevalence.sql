-- Prevalence: a file or a domain that on no day of a window of $days was seen on more than $hosts hosts.
-- `rolling_max` is the largest number of hosts a day in the window, the current day included. One alert a host,
-- artifact and day, as a rule has it that matches both over a day.
WITH artifacts AS (
  SELECT 'file' AS kind, sha256 AS artifact, host, day, time, event_id FROM communications WHERE sha256 IS NOT NULL
  UNION ALL
  SELECT 'domain', destination_name, host, day, time, event_id FROM communications WHERE destination_name IS NOT NULL
), daily AS (
  SELECT kind, artifact, day, count(DISTINCT host) AS day_max FROM artifacts GROUP BY ALL
), rolling AS (
  SELECT kind, artifact, day, max(day_max) OVER (
    PARTITION BY kind, artifact ORDER BY day RANGE BETWEEN ($days - 1) PRECEDING AND CURRENT ROW) AS rolling_max
  FROM daily
)
SELECT DISTINCT arg_min(event_id, (time, event_id)) AS event_id
FROM artifacts JOIN rolling USING (kind, artifact, day)
WHERE rolling_max <= $hosts
GROUP BY kind, artifact, host, day
