-- New value: process and destination that a group has not learned, in the order of arrival.
-- For $learning days from its first event on a group only learns; a value is forgotten $forget days after it was last
-- seen. The group is the host or, unless $by_host, everybody.
WITH grouped AS (
  SELECT event_id, time, name, destination, arrival, CASE WHEN $by_host THEN host ELSE '' END AS grp
  FROM communications
), seen AS (
  SELECT event_id, time, first_value(time) OVER (PARTITION BY grp ORDER BY arrival) AS began,
    lag(time) OVER (PARTITION BY grp, name, destination ORDER BY arrival) AS before
  FROM grouped
)
SELECT event_id FROM seen
WHERE time >= began + to_days($learning) AND (before IS NULL OR before < time - to_days($forget))
