-- What RITA's score needs of each pair of host and destination on each day on which an alert is about it.
-- Lookups count where a destination is seen, and are no connections. Times are in seconds of the day.
-- What is delivered twice is one event.
WITH seen AS (
  SELECT DISTINCT event_id, event_time, event_time // 86400000000 AS day, host,
    coalesce(remote_host, remote_ip) AS destination,
    event_type = 'network' AS connection, coalesce(bytes_sent, 0) AS sent
  FROM communications
), alerted AS (
  SELECT alert_id, host, destination, day FROM seen JOIN alerts USING (event_id)
), common AS (
  SELECT destination, day, count(DISTINCT host) AS hosts FROM seen GROUP BY ALL
), known AS (
  SELECT destination, min(event_time) AS since FROM seen GROUP BY ALL
), pairs AS (
  SELECT host, destination, day, list(event_time // 1000000 - day * 86400 ORDER BY event_time) AS times,
    list(sent) AS sizes
  FROM seen SEMI JOIN alerted USING (host, destination, day) WHERE connection GROUP BY ALL
)
SELECT alert_id, coalesce(times, []) AS times, coalesce(sizes, []) AS sizes, hosts,
  (day + 1) - since / 86400000000 AS known_days
FROM alerted JOIN common USING (destination, day) JOIN known USING (destination)
  LEFT JOIN pairs USING (host, destination, day)
