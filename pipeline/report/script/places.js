// The page of a host or a user within the page: its alerts, and what was rare without one, in the order of time.
const place = document.getElementById("place");
const AT_ONCE = 100; // rows that are shown at first, and more at a click

// What the address asks for: {kind, id, tenant}, or null.
function askedPlace() {
  const given = new URLSearchParams(location.hash.slice(1));
  const kind = ["host", "user"].find((each) => given.has(`of-${each}`));
  return kind ? { kind, id: given.get(`of-${kind}`), tenant: given.get("tenant") } : null;
}

const isAt = (alert, { kind, id, tenant }) => (tenant === null || alert.tenant_id === tenant)
  && (kind === "host" ? alert.host.id === id : alert.user_name === id);

// Verdict rows name no user.
const keptBackAt = (page, { kind, id, tenant }) => (kind === "user" ? []
  : page.kept_back.filter((each) => each.host === id && (tenant === null || each.tenant === tenant)));

function keptBackLine(each) {
  return element("p", { class: "kept-back" },
    element("b", {}, short(each.program)), " → ", short(each.service), ` · ${each.verdict.toLowerCase()} · `,
    counted(each.activities, "hour"), ...(each.script ? [" · ", short(each.script)] : []));
}

// A square for each entry, by day; what is more than eight a day is left to the list below.
function strip(entries) {
  const days = entries.map(({ day }) => Date.parse(day) / 86_400_000);
  const first = days[0];
  const wide = Math.max(60, days.at(-1) - first + 1);
  const high = new Map();
  const squares = entries.flatMap(({ alert }, place_) => {
    const level = high.get(days[place_]) ?? 0;
    high.set(days[place_], level + 1);
    const class_ = alert ? `alerted ${alert.variation.replace(/\W/g, "_")}` : "kept";
    return level < 8 ? [drawn("rect", { x: (days[place_] - first) * 10, y: -10 - level * 10, width: 8, height: 8, class: class_ })] : [];
  });
  const tall = 10 * Math.min(8, Math.max(...high.values()));
  return drawn("svg", { class: "strip", viewBox: `0 ${-tall} ${wide * 10} ${tall + 1}`, "aria-hidden": "true" }, ...squares,
    drawn("line", { x1: 0, x2: wide * 10, y1: 0, y2: 0 }));
}

function timeline(entries, page) {
  const rows = element("div", { class: "timeline" });
  const rest = button("", () => showMore().focus());
  let shown = 0;
  function showMore() {
    const first = shown;
    shown = Math.min(entries.length, shown + AT_ONCE);
    const made = entries.slice(first, shown).flatMap((each, place_) => {
      const isNew = entries[first + place_ - 1]?.day !== each.day;
      const line = each.alert ? row(each.alert, page) : keptBackLine(each.kept);
      return isNew ? [element("h3", { tabindex: "-1" }, each.day), line] : [line];
    });
    rows.append(...made);
    rest.hidden = shown === entries.length;
    rest.textContent = `Show more of ${count(entries.length - shown)}`;
    return made[0].querySelector("summary") ?? made[0];
  }
  showMore();
  return [rows, rest];
}

function links(kind, alerts) {
  const ids = new Map(alerts.filter((alert) => kind === "host" || alert.user_name)
    .map((alert) => (kind === "host" ? [alert.host.id, placeLink(kind, alert, alert.host.id, hostOf(alert))]
      : [alert.user_name, placeLink(kind, alert, alert.user_name, alert.user_name)])));
  const some = [...ids.values()].slice(0, 30).flatMap((link, place_) => (place_ ? [", ", link] : [link]));
  return some.length ? [...some, ...(ids.size > 30 ? [` and ${count(ids.size - 30)} more`] : [])] : [none("not reported")];
}

function placeFacts(asked, alerts) {
  const [alert] = alerts;
  const rows = asked.kind === "host"
    ? [["Host ID", [short(asked.id)]], ["Name", known(alert?.host.name)], ["OS", known(alert?.host.os)], ["Users", links("user", alerts)]]
    : [["Hosts", links("host", alerts)]];
  if (asked.tenant !== null) rows.push(["Tenant", [short(asked.tenant)]]);
  return element("dl", {}, ...rows.flatMap(([name, content]) => [element("dt", {}, name), element("dd", {}, ...content)]));
}

// What the list cannot hold is said, for an empty page must not read like "nothing happened".
function limits(asked, page) {
  if (asked.kind === "user") return "Verdicts name no user, so only alerts are here.";
  if (!page.has_verdicts) return "Only alerts are here. A run with --verdicts also shows what was rare without one.";
  if (page.all_kept_back > page.kept_back.length) return `Of what was rare without an alert, only the newest ${count(page.kept_back.length)} rows of the run are here.`;
  return "Alerts, and what was rare without one: excepted, repeated or rolled up.";
}

function showPlace(asked, page) {
  const alerts = page.alerts.filter((alert) => isAt(alert, asked));
  const entries = [
    ...alerts.toSorted(byTime).map((alert) => ({ day: dayOf(alert), alert })),
    ...keptBackAt(page, asked).map((each) => ({ day: each.day, kept: each })),
  ].sort((a, b) => compare(a.day, b.day));
  const name = asked.kind === "host" && alerts.length ? hostOf(alerts[0]) : asked.id;
  const heading = element("h2", { id: "place-name", tabindex: "-1" }, `${words(asked.kind)} `, short(name));
  place.replaceChildren(
    element("p", {}, element("a", { href: "#alerts" }, "← The whole run")), heading,
    element("p", {}, `${counted(alerts.length, "listed alert")}. ${limits(asked, page)}`),
    placeFacts(asked, alerts), ...(entries.length ? [strip(entries), ...timeline(entries, page)] : [element("p", { class: "empty" }, "Nothing is listed.")]));
  document.body.classList.add("at-place");
  place.hidden = false;
  scrollTo(0, 0);
  heading.focus();
}

function leavePlace() {
  document.body.classList.remove("at-place");
  place.hidden = true;
  place.replaceChildren();
}
