-- A static list: whoever talks to a messenger and is neither a browser nor a messenger's own client.
-- The rule knows no time. A backend that groups by process, destination and day is presumed: one alert of these a day.
SELECT arg_min(event_id, (time, event_id)) AS event_id
FROM communications c
WHERE NOT EXISTS (FROM clients k WHERE k.os = c.os AND k.name = c.name)
  AND NOT EXISTS (
    FROM classes b
    WHERE b.class = 'browser' AND b.os = c.os AND b.name = c.name
      AND (c.name NOT IN ('chrome.exe', 'firefox.exe', 'iexplore.exe', 'msedge.exe', 'msedgewebview2.exe')
           OR regexp_matches(c.path, '^c:\\program files( \(x86\))?\\')))
GROUP BY host, path, destination, day
