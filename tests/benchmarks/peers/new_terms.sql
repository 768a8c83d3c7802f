-- New terms: host, executable and destination name that were not seen together in the $days before.
-- Signed browsers and Apple's own programs are left out, and so is Discord's client to Discord. Without a name there is
-- no term. A term alerts once, for after that it is history.
WITH seen AS (
  SELECT event_id, time,
    lag(time) OVER (PARTITION BY host, path, destination_name ORDER BY time, event_id) AS before
  FROM communications
  WHERE destination_name IS NOT NULL AND path IS NOT NULL
    AND NOT (signed AND regexp_matches(signer, 'mozilla|google|brave|opera|zscaler|browser|^software signing$'))
    AND NOT (signed AND contains(signer, 'discord') AND destination_name IN ('discord.com', 'cdn.discordapp.com'))
)
SELECT event_id FROM seen WHERE before IS NULL OR before < time - to_days($days)
