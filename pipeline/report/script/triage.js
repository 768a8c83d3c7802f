// What an analyst decided about alerts. The browser keeps it by `alert_id`, each alert by itself, so that two windows
// never overwrite each other's.
const KEPT = "uncommon-im.triage.";
const STATES = { seen: "s", benign: "b", malicious: "m", escalated: "e" }; // state -> its key on an alert's row
const decisions = new Map(); // alert_id -> {state, note, at}: what is kept, read once
const UNDECIDED = { state: "", note: "", at: "" };

// A decision, or null where it is none: files and storage may hold anything.
function readDecision(value) {
  const isText = ["state", "note", "at"].every((name) => typeof value?.[name] === "string");
  const fits = isText && (value.state === "" || Object.hasOwn(STATES, value.state)) && !Number.isNaN(Date.parse(value.at));
  return fits ? { state: value.state, note: value.note, at: value.at } : null;
}

function keptDecision(text) {
  try { return readDecision(JSON.parse(text)); } catch { return null; }
}

function recallDecisions() {
  for (const name of kept.names().filter((each) => each.startsWith(KEPT))) {
    const decision = keptDecision(kept.get(name));
    if (decision) decisions.set(name.slice(KEPT.length), decision);
  }
}

const decisionOf = (id) => decisions.get(id) ?? UNDECIDED;

function keep(id, decision) {
  const isEmpty = !decision.state && !decision.note;
  if (isEmpty) decisions.delete(id);
  else decisions.set(id, decision);
  kept.set(KEPT + id, isEmpty ? null : JSON.stringify(decision));
  showDecision(id);
}

const decide = (id, change) => keep(id, { ...decisionOf(id), ...change, at: new Date().toISOString() });

// In every row of the alert, and in its opened form, wherever they are on the page.
function showDecision(id) {
  const { state, note } = decisionOf(id);
  for (const row of document.querySelectorAll(".alert")) {
    if (row.dataset.id !== id) continue;
    row.querySelector(".decision").replaceChildren(...decisionWords(id));
    row.dataset.state = state;
    for (const radio of row.querySelectorAll("input[type=radio]")) radio.checked = radio.value === state;
    const written = row.querySelector("textarea");
    if (written && written.value !== note) written.value = note;
  }
}

function decisionWords(id) {
  const { state, note } = decisionOf(id);
  if (!state && !note) return [];
  return [element("b", {}, state || "undecided"), ...(note ? [": ", short(note)] : [])];
}

function decisionForm(alert) {
  const id = alert.alert_id;
  const { state, note } = decisionOf(id);
  const group = `decision-${decisionForm.made = (decisionForm.made ?? 0) + 1}`;
  const choices = ["", ...Object.keys(STATES)].map((each) => {
    const radio = element("input", { type: "radio", name: group, value: each });
    radio.checked = each === state;
    radio.addEventListener("change", () => decide(id, { state: each }));
    return element("label", {}, radio, each || "undecided");
  });
  const written = element("textarea", { rows: "2", class: "written" });
  written.value = note;
  written.addEventListener("input", () => decide(id, { note: written.value }));
  return element("div", { class: "triage" },
    element("fieldset", {}, element("legend", {}, "Decision"), ...choices),
    element("label", {}, "Note", written));
}

// On the row of an alert a letter decides, and u takes it back.
function decideByKey(event) {
  const row = event.target.matches(".alert > summary") && event.target.parentElement;
  if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
  const state = event.key === "u" ? "" : Object.keys(STATES).find((each) => STATES[each] === event.key);
  if (state === undefined) return;
  decide(row.dataset.id, { state });
  say(state || "undecided");
}

// Of a file: of two decisions about one alert the later one stays. Returns how many were taken.
function takeDecisions(given) {
  if (!isObject(given?.triage)) throw new Error("it holds no `triage`");
  const read = Object.entries(given.triage).map(([id, value]) => [id, readDecision(value)]);
  const wrong = read.find(([, decision]) => !decision);
  if (wrong) throw new Error(`what it says of ${wrong[0].slice(0, SHORT)} is no decision`);
  const later = read.filter(([id, decision]) => Date.parse(decision.at) > Date.parse(decisionOf(id).at || "1970"));
  for (const [id, decision] of later) keep(id, decision);
  return later.length;
}
