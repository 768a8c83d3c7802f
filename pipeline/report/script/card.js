// All fields of an opened alert, whatever they are called.
// Shown above the cards.
const ABOVE = new Set(["title", "description", "steps"]);
// What an event reports itself; all else is the detector's.
const REPORTED = new Set([
  "name", "path", "command_line", "sha256", "pid", "signature_status", "os", "user_name", "host", "ip", "port", "causality",
  "bytes_sent", "bytes_received",
]);
const BYTES = new Set(["bytes_sent", "bytes_received"]);
const MONO = /command_line|path|sha256|fingerprint|origin|script|digest|^ip$|_id$|^id$|^matched$/;

// What null means. Not known must not read like "none": an event that names no signer may be of a signed program.
function absent(key, object) {
  if (key === "first_day" || key === "last_day") return "never";
  if (key === "signer") return object.signature_status === "unsigned" ? "none" : "not reported";
  return REPORTED.has(key) ? "not reported" : "none";
}

function content(key, value, object) {
  if (value === null) return [element("span", { class: "none" }, absent(key, object))];
  if (value === "" || (Array.isArray(value) && !value.length)) return [element("span", { class: "none" }, "none")];
  if (BYTES.has(key) && value >= 1000) return [`${value} bytes (${sized(value)})`];
  if (value === true) return ["yes"];
  if (value === false) return ["no"];
  if (Array.isArray(value) && value.some(isObject)) return [element("ul", {}, ...value.map((each) => element("li", {}, ...cut(line(each)))))];
  return cut(Array.isArray(value) ? value.join(", ") : String(value));
}

const line = (value) => (isObject(value) ? Object.entries(value).map(([key, inner]) => `${words(key)}: ${line(inner)}`).join("; ") : String(value));

function facts(entries) {
  const object = Object.fromEntries(entries);
  const rows = entries.flatMap(([key, value]) => [
    element("dt", {}, words(key)),
    element("dd", MONO.test(key) ? { class: "mono" } : {}, ...content(key, value, object)),
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

function body(alert, page) {
  const made = [element("h3", {}, bdi(alert.title)), element("p", {}, ...cut(alert.description)), evidence(alert, page), decisionForm(alert)];
  made.push(element("div", { class: "actions" },
    copyButton("Copy as ticket", () => asTicket(alert)),
    copyButton("Copy as exception", () => asException(alert, page)),
    copyButton("Copy as JSON", JSON.stringify(alert, null, 2)),
    element("a", { href: address({ q: alert.alert_id }) }, "Only this alert")));
  if (Array.isArray(alert.steps) && alert.steps.length) made.push(...nextSteps(alert, page));
  const others = Object.entries(alert).filter(([key]) => !ABOVE.has(key));
  const cards = others.filter(([, value]) => isObject(value)).flatMap(([key, value]) => cardsOf(key, value));
  const plain = Object.fromEntries(others.filter(([, value]) => !isObject(value)));
  made.push(folded("All fields", element("div", { class: "cards" }, ...cards, card("Alert", plain))));
  return element("div", { class: "body" }, ...made);
}
