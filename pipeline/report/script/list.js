// The list of alerts: filtered by what the address says after #.
const PAGE = 50;
const selected = new Set(); // alert ids

function row(alert, page) {
  const priority = alert.priority === undefined ? "" : ` · priority ${alert.priority}`; // older runs have none
  const why = element("span", { class: "why" },
    element("b", {}, visible(alert.severity)), `${priority} · ${visible(nameOf(alert.variation))}`);
  const summary = element("summary", {},
    element("span", { class: "when" }, element("time", { datetime: alert.timestamp }, timeOf(alert))),
    element("span", { class: "what" }, short(alert.process.name), " → ", short(alert.service.name)),
    element("span", { class: "where" }, short(hostOf(alert)), ...(alert.user_name === null ? [] : [" · ", short(alert.user_name)])),
    why, element("span", { class: "decision" }, ...decisionWords(alert.alert_id)));
  const made = element("details", { class: "alert", "data-id": alert.alert_id, "data-state": decisionOf(alert.alert_id).state }, summary);
  made.classList.add(alert.variation.replace(/\W/g, "_"));
  made.addEventListener("toggle", () => {
    if (made.open && made.childElementCount === 1) made.append(body(alert, page));
  });
  return element("div", { class: "line" }, selector(alert, page), made);
}

function selector(alert, page) {
  const about = `${alert.process.name.slice(0, SHORT)}, ${hostOf(alert).slice(0, SHORT)}, ${timeOf(alert)}`;
  const made = element("input", { type: "checkbox", "aria-label": visible(`Select ${about}`) });
  made.checked = selected.has(alert.alert_id);
  made.addEventListener("change", () => {
    if (made.checked) selected.add(alert.alert_id);
    else selected.delete(alert.alert_id);
    page.tally();
  });
  return made;
}

const leaves = (value) => (value !== null && typeof value === "object" ? Object.values(value).flatMap(leaves) : [String(value)]);

function searchText(alert) {
  searchText.known ??= new Map();
  if (!searchText.known.has(alert)) searchText.known.set(alert, leaves(alert).join("\n").toLowerCase());
  return searchText.known.get(alert);
}

// Ids of alerts by the id of their case; of a case that is not listed there is none.
function alertsByCase({ alerts, cases, case_of }) {
  const found = new Map(cases.map(([id]) => [id, new Set()]));
  alerts.forEach((alert, place_) => { if (case_of[place_] >= 0) found.get(cases[case_of[place_]][0]).add(alert.alert_id); });
  return found;
}

function wanted(alert, filters, ofCase) {
  const day = dayOf(alert);
  const host = filters.host.trim().toLowerCase();
  const state = decisionOf(alert.alert_id).state || "undecided";
  return (!filters.case || ofCase.get(filters.case)?.has(alert.alert_id))
    && (!filters.severity || alert.severity === filters.severity)
    && (!filters.variation || alert.variation === filters.variation)
    && (!filters.service || alert.service.id === filters.service)
    && (!filters.tenant || alert.tenant_id === filters.tenant)
    && (!filters.decision || state === filters.decision)
    && (!filters.from || day >= filters.from)
    && (!filters.to || day <= filters.to)
    && (!host || `${alert.host.id}\n${alert.host.name ?? ""}`.toLowerCase().includes(host))
    && filters.q.toLowerCase().split(/\s+/).filter(Boolean).every((word) => searchText(alert).includes(word));
}

const compare = (a, b) => (a < b ? -1 : Number(a > b));
const byTime = (a, b) => compare(a.timestamp, b.timestamp) || compare(a.alert_id, b.alert_id);
const rarity = (alert) => alert.baseline.other_hosts * 100 + alert.baseline.host_days;
const ORDERS = {
  "": (alerts) => alerts, // as they come: the highest priority first, then the newest
  newest: (alerts) => alerts.toSorted((a, b) => byTime(b, a)),
  oldest: (alerts) => alerts.toSorted(byTime),
  rarest: (alerts) => alerts.toSorted((a, b) => rarity(a) - rarity(b)),
};

// Shows the list; returns what the rest of the page asks of it.
function listed(page) {
  const { alerts } = page;
  const ofCase = alertsByCase(page);
  let shown = [];
  const filters = () => Object.fromEntries(new FormData(form));

  function showMore() {
    const first = list.childElementCount;
    list.append(...shown.slice(first, first + PAGE).map((alert) => row(alert, page)));
    const left = shown.length - list.childElementCount;
    more.hidden = left === 0;
    more.textContent = `Show ${count(Math.min(PAGE, left))} more of ${count(left)}`;
    return list.children[first];
  }

  function show() {
    const given = filters();
    const order = ORDERS[given.order] ?? ORDERS[""];
    shown = order(alerts.filter((alert) => wanted(alert, given, ofCase)));
    list.replaceChildren();
    showMore();
    status.textContent = shown.length === alerts.length
      ? counted(alerts.length, "alert")
      : `${count(shown.length)} of ${count(alerts.length)} alerts`;
    page.tally();
  }

  // A link to one alert, by its id, opens it.
  function openOne() {
    const only = shown.length === 1 && shown[0].alert_id === form.elements.q.value && list.querySelector("details");
    if (!only) return false;
    only.open = true;
    only.scrollIntoView();
    only.firstElementChild.focus({ preventScroll: true });
    return true;
  }

  // Those that are selected, else those that are listed.
  const taken = () => (selected.size ? alerts.filter((alert) => selected.has(alert.alert_id)) : shown);

  page.tally = () => {
    document.getElementById("csv").textContent = `CSV of ${count(taken().length)} ${selected.size ? "selected" : "listed"}`;
  };

  function remember() {
    const given = Object.entries(filters()).filter(([, value]) => value !== "");
    history.replaceState(null, "", given.length ? address(given) : "#alerts");
  }

  function recall() {
    if (!location.hash.includes("=")) return false;
    const given = new URLSearchParams(location.hash.slice(1));
    for (const control of form.elements) if (control.name) control.value = given.get(control.name) ?? "";
    return true;
  }

  offer("case", page.cases);
  offer("severity", alerts.map((alert) => [alert.severity, alert.severity]));
  offer("variation", alerts.map((alert) => [alert.variation, nameOf(alert.variation)]));
  offer("service", alerts.map((alert) => [alert.service.id, alert.service.name]));
  offer("decision", ["undecided", ...Object.keys(STATES)].map((state) => [state, state]));
  const tenants = offer("tenant", alerts.map((alert) => [alert.tenant_id, alert.tenant_id]));
  form.elements.tenant.parentElement.hidden = tenants < 2;
  form.classList.toggle("tenants", tenants > 1);
  form.addEventListener("input", () => { remember(); show(); });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => { remember(); show(); }));
  more.addEventListener("click", () => showMore().querySelector("summary").focus());
  form.hidden = false;
  return { show, recall, openOne, taken };
}

// Fills a select with the values that there are; returns how many.
function offer(name, pairs) {
  const values = new Map(pairs);
  const sorted = [...values].sort((a, b) => a[1].localeCompare(b[1]));
  form.elements[name].append(...sorted.map(([value, text]) => element("option", { value }, visible(text))));
  return values.size;
}

function close(event) {
  const opened = event.key === "Escape" && event.target.closest("details[open]");
  if (!opened) return;
  opened.open = false;
  opened.firstElementChild.focus();
}
