-- First seen: device, file name and signer of a day that the $days before it did not have.
-- The baseline ends where the tested day begins, so what is tested cannot teach it. One alert of these a day.
WITH shown AS (
  SELECT host, name, CASE WHEN signed THEN signer ELSE '' END AS signer, day,
    arg_min(event_id, (time, event_id)) AS event_id
  FROM communications GROUP BY ALL
), compared AS (
  SELECT event_id, day, lag(day) OVER (PARTITION BY host, name, signer ORDER BY day) AS before FROM shown
)
SELECT event_id FROM compared WHERE before IS NULL OR day - before > $days
