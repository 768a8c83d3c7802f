"use strict";
// The list of alerts: unpacked, filtered by what the address says after #, written as text only.
{
  const PAGE = 50;
  const LONG = 2000; // characters of a value that are shown at first
  const SHORT = 200; // and in the list
  // Shown above the cards.
  const ABOVE = new Set(["title", "description", "steps"]);
  // What an event reports itself; all else is the detector's.
  const REPORTED = new Set([
    "name", "path", "command_line", "sha256", "pid", "signature_status", "os", "user_name", "host", "ip", "port", "causality",
    "bytes_sent", "bytes_received",
  ]);
  const MONO = /command_line|path|sha256|fingerprint|origin|script|digest|^ip$|_id$|^id$|^matched$/;
  const WORDS = {
    ip: "IP", os: "OS", id: "ID", pid: "PID", sha256: "SHA-256", sql: "SQL", xql: "XQL", bigquery: "BigQuery", utc: "UTC", attack: "ATT&CK",
  };
  const VARIATIONS = { suspicious_process: "suspicious process", uncommon_scripting_engine: "scripting engine", base: "base" };
  const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;
  const form = document.getElementById("filters");
  const list = document.getElementById("list");
  const more = document.getElementById("more");
  const status = document.getElementById("status");

  function element(name, attributes, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }

  // Hidden characters as their numbers: a name that reads backwards must not pass for another.
  const visible = (text) => String(text).replace(HIDDEN, (c) => `⟨U+${c.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);
  const bdi = (text) => element("bdi", {}, visible(text));
  const short = (text) => bdi(text.length > SHORT ? `${text.slice(0, SHORT)}…` : text);
  const words = (key) => {
    const text = key.split("_").map((word) => WORDS[word] ?? word).join(" ");
    return text.charAt(0).toUpperCase() + text.slice(1);
  };
  const nameOf = (variation) => VARIATIONS[variation] ?? variation;
  const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
  const hostOf = (alert) => alert.host.name ?? alert.host.id;

  async function unpack(packed) {
    const bytes = Uint8Array.from(atob(packed), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).json();
  }

  // ---- one alert

  function cut(text) {
    const shown = element("bdi", {}, visible(text.slice(0, LONG)));
    if (text.length <= LONG) return [shown];
    const button = element("button", { type: "button", class: "all" }, `Show all ${text.length.toLocaleString("en")} characters`);
    button.addEventListener("click", () => { shown.textContent = visible(text); button.remove(); });
    return [shown, button];
  }

  function content(key, value) {
    if (value === null && REPORTED.has(key)) return [element("span", { class: "none" }, "not reported")];
    if (value === null || value === "" || (Array.isArray(value) && !value.length)) return [element("span", { class: "none" }, "none")];
    if (value === true) return ["yes"];
    if (value === false) return ["no"];
    if (Array.isArray(value) && value.some(isObject)) return [element("ul", {}, ...value.map((each) => element("li", {}, ...cut(line(each)))))];
    return cut(Array.isArray(value) ? value.join(", ") : String(value));
  }

  const line = (value) => (isObject(value) ? Object.entries(value).map(([key, inner]) => `${words(key)}: ${line(inner)}`).join("; ") : String(value));

  function facts(entries) {
    const rows = entries.flatMap(([key, value]) => [
      element("dt", {}, words(key)),
      element("dd", MONO.test(key) ? { class: "mono" } : {}, ...content(key, value)),
    ]);
    return element("dl", {}, ...rows);
  }

  // An object as facts, and the objects in it below them, whatever they are called.
  function nested(object, level) {
    const entries = Object.entries(object);
    const plain = entries.filter(([, value]) => !isObject(value));
    const made = plain.length ? [facts(plain)] : [];
    for (const [key, value] of entries.filter(([, inner]) => isObject(inner))) {
      made.push(element(`h${Math.min(level, 6)}`, {}, words(key)), ...nested(value, level + 1));
    }
    return made;
  }

  const card = (title, object) => element("div", { class: "card" }, element("h4", {}, title), ...nested(object, 5));

  // The investigation has one card per question.
  function cardsOf(key, value) {
    if (key !== "investigation") return [card(words(key), value)];
    return Object.entries(value).map(([question, answer]) =>
      card(`Investigation: ${words(question).toLowerCase()}`, isObject(answer) ? answer : { [question]: answer }));
  }

  async function copy(text, button) {
    try {
      await navigator.clipboard.writeText(text);
      status.textContent = "Copied.";
    } catch {
      status.textContent = "The browser does not let this page copy. Select the text instead.";
    }
    button.focus();
  }

  function copyButton(label, text) {
    const button = element("button", { type: "button" }, label);
    button.addEventListener("click", () => copy(text, button));
    return button;
  }

  function step(each) {
    if (!isObject(each)) return element("li", {}, bdi(each));
    const { question, why, ...queries } = each;
    const written = Object.entries(queries).filter(([, text]) => typeof text === "string");
    const made = [element("strong", {}, bdi(question ?? "")), ...(why ? [element("div", { class: "none" }, bdi(why))] : [])];
    if (written.length) {
      const heading = element("summary", {}, `Queries: ${written.map(([key]) => words(key)).join(", ")}`);
      made.push(element("details", { class: "queries" }, heading, ...written.map(([key, text]) => query(words(key), text))));
    }
    return element("li", {}, ...made);
  }

  function query(name, text) {
    const heading = element("div", {}, name, copyButton(`Copy ${name}`, text));
    return element("div", { class: "query" }, heading, element("pre", { tabindex: "0", "aria-label": name }, bdi(text)));
  }

  function body(alert) {
    const made = [element("h3", {}, bdi(alert.title)), element("p", {}, ...cut(alert.description))];
    if (Array.isArray(alert.steps) && alert.steps.length) {
      made.push(element("h4", {}, "Next steps"), element("ol", {}, ...alert.steps.map(step)));
    }
    const others = Object.entries(alert).filter(([key]) => !ABOVE.has(key));
    const cards = others.filter(([, value]) => isObject(value)).flatMap(([key, value]) => cardsOf(key, value));
    const plain = Object.fromEntries(others.filter(([, value]) => !isObject(value)));
    made.push(element("div", { class: "cards" }, ...cards, card("Alert", plain)));
    const link = element("a", { href: `#${new URLSearchParams({ q: alert.alert_id })}` }, "Only this alert");
    made.push(element("div", { class: "actions" }, copyButton("Copy as JSON", JSON.stringify(alert, null, 2)), link));
    return element("div", { class: "body" }, ...made);
  }

  function row(alert) {
    const why = element("span", { class: "why" }, element("b", {}, visible(alert.severity)), ` · ${visible(nameOf(alert.variation))}`);
    const summary = element("summary", {},
      element("span", { class: "when" }, element("time", { datetime: alert.timestamp }, `${alert.timestamp.slice(0, 10)} ${alert.timestamp.slice(11, 16)}`)),
      element("span", { class: "what" }, short(alert.process.name), " → ", short(alert.service.name)),
      element("span", { class: "where" }, short(hostOf(alert)), ...(alert.user_name === null ? [] : [" · ", short(alert.user_name)])),
      why);
    const made = element("details", { class: "alert", "data-id": alert.alert_id }, summary);
    made.classList.add(alert.variation.replace(/\W/g, "_"));
    made.addEventListener("toggle", () => {
      if (made.open && made.childElementCount === 1) made.append(body(alert));
    });
    return made;
  }

  // ---- the list

  const leaves = (value) => (value !== null && typeof value === "object" ? Object.values(value).flatMap(leaves) : [String(value)]);

  function searchText(alert) {
    searchText.known ??= new Map();
    if (!searchText.known.has(alert)) searchText.known.set(alert, leaves(alert).join("\n").toLowerCase());
    return searchText.known.get(alert);
  }

  function wanted(alert, filters) {
    const day = alert.timestamp.slice(0, 10);
    const host = filters.host.trim().toLowerCase();
    return (!filters.severity || alert.severity === filters.severity)
      && (!filters.variation || alert.variation === filters.variation)
      && (!filters.service || alert.service.id === filters.service)
      && (!filters.tenant || alert.tenant_id === filters.tenant)
      && (!filters.from || day >= filters.from)
      && (!filters.to || day <= filters.to)
      && (!host || `${alert.host.id}\n${alert.host.name ?? ""}`.toLowerCase().includes(host))
      && filters.q.toLowerCase().split(/\s+/).filter(Boolean).every((word) => searchText(alert).includes(word));
  }

  const rarity = (alert) => alert.baseline.other_hosts * 100 + alert.baseline.host_days;
  const ORDERS = {
    "": (alerts) => alerts,
    oldest: (alerts) => alerts.toReversed(),
    rarest: (alerts) => alerts.toSorted((a, b) => rarity(a) - rarity(b)),
  };

  function start(alerts) {
    let shown = [];
    const filters = () => Object.fromEntries(new FormData(form));
    const count = (number) => number.toLocaleString("en");

    function showMore() {
      const first = list.childElementCount;
      list.append(...shown.slice(first, first + PAGE).map(row));
      const left = shown.length - list.childElementCount;
      more.hidden = left === 0;
      more.textContent = `Show ${count(Math.min(PAGE, left))} more of ${count(left)}`;
      return list.children[first];
    }

    function show() {
      const given = filters();
      const order = ORDERS[given.order] ?? ORDERS[""];
      shown = order(alerts.filter((alert) => wanted(alert, given)));
      list.replaceChildren();
      showMore();
      status.textContent = shown.length === alerts.length
        ? `${count(alerts.length)} ${alerts.length === 1 ? "alert" : "alerts"}`
        : `${count(shown.length)} of ${count(alerts.length)} alerts`;
    }

    function remember() {
      const given = Object.entries(filters()).filter(([, value]) => value !== "");
      history.replaceState(null, "", given.length ? `#${new URLSearchParams(given)}` : "#alerts");
    }

    function recall() {
      if (!location.hash.includes("=")) return false;
      const address = new URLSearchParams(location.hash.slice(1));
      for (const control of form.elements) if (control.name) control.value = address.get(control.name) ?? "";
      return true;
    }

    offer("severity", alerts.map((alert) => [alert.severity, alert.severity]));
    offer("variation", alerts.map((alert) => [alert.variation, nameOf(alert.variation)]));
    offer("service", alerts.map((alert) => [alert.service.id, alert.service.name]));
    const tenants = offer("tenant", alerts.map((alert) => [alert.tenant_id, alert.tenant_id]));
    form.elements.tenant.parentElement.hidden = tenants < 2;
    form.classList.toggle("tenants", tenants > 1);
    form.addEventListener("input", () => { remember(); show(); });
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(() => { remember(); show(); }));
    more.addEventListener("click", () => showMore().firstElementChild.focus());
    list.addEventListener("keydown", close);
    addEventListener("hashchange", () => {
      if (!recall()) return;
      show();
      document.getElementById("alerts").focus();
    });
    recall();
    form.hidden = false;
    show();
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

  for (const mark of document.querySelectorAll("figure [aria-label][role=graphics-symbol]")) {
    const title = document.createElementNS("http://www.w3.org/2000/svg", "title");
    title.textContent = mark.getAttribute("aria-label");
    mark.append(title);
  }
  const packed = document.getElementById("packed");
  if (packed) {
    unpack(packed.textContent).then(start).catch((error) => {
      list.replaceChildren();
      status.textContent = `This browser cannot show the alerts (${error.message}). The files alerts/*.jsonl have them.`;
    });
  }
}
