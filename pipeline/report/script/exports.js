// What leaves the page: an exception, a ticket, a table, the decisions.
const EXCEPTION_FIELDS = ["process_name", "origin", "service_id", "host_id"];

// In globs these stand for more than themselves, unless they are in brackets.
const escapeGlob = (text) => text.replace(/[*?[]/g, "[$&]");

function matchedBy(alert) {
  const values = [alert.process.name, alert.process.origin, alert.service.id, alert.host.id].map((value) => escapeGlob(value.toLowerCase()));
  return Object.fromEntries(EXCEPTION_FIELDS.map((field, place) => [field, values[place]]));
}

// JSON is YAML, but for the characters that YAML takes for the ends of lines or cannot hold.
const asYaml = (value, indent) => JSON.stringify(value, null, indent).replace(/[\u007f-\u00a0\u2028\u2029\ufeff\ufffe\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);

// As `uncommon-im tune` proposes them: with the host if no other shows it, and always for scripting engines, because an
// exception cannot name a script.
function asException(alert, page) {
  const globs = matchedBy(alert);
  const isSame = (other) => EXCEPTION_FIELDS.slice(0, 3).every((field) => matchedBy(other)[field] === globs[field]);
  const isElsewhere = page.alerts.some((other) => other.host.id.toLowerCase() !== alert.host.id.toLowerCase() && isSame(other));
  if (isElsewhere && !alert.process.script) delete globs.host_id;
  const reason = decisionOf(alert.alert_id).note.trim() || `harmless: alert ${alert.alert_id} of ${dayOf(alert)}`;
  return `${Object.entries({ ...globs, reason }).map(([field, value], place) => `${place ? "  " : "- "}${field}: ${asYaml(value)}`).join("\n")}\n`;
}

// Markdown that shows a value as it is: no link, picture or name of somebody in it comes to life.
function code(value) {
  const text = visible(value).replace(/\s+/g, " ");
  const fence = "`".repeat(1 + Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length)));
  return `${fence}${/^[` ]|[` ]$/.test(text) ? ` ${text} ` : text}${fence}`;
}
const prose = (text) => visible(text).replace(/\s+/g, " ").replace(/[\\`*_[\]<>@#|]|:(?=\/\/)/g, "\\$&");
const reported = (value) => (value === null || value === undefined || value === "" ? "not reported" : code(value));

function asTicket(alert) {
  const { process, destination, activity } = alert;
  const { state, note } = decisionOf(alert.alert_id);
  const name = alert.host.name === null ? "" : ` (${code(alert.host.id)})`;
  const where = [destination.host, destination.ip].filter(Boolean).map(code).join(", ") || "not reported";
  const rows = [
    ["Severity", `${prose(alert.severity)}, priority ${alert.priority ?? "not reported"}`],
    ["Time", `${timeOf(alert)} UTC`],
    ["Host", `${code(hostOf(alert))}${name}`],
    ["User", reported(alert.user_name)],
    ["Process", code(process.name)],
    ["Path", reported(process.path)],
    ["Command line", reported(process.command_line)],
    ["SHA-256", reported(process.sha256)],
    ["Signer", `${reported(process.signer)}, signature: ${prose(process.signature_status ?? "not reported")}`],
    ["Started by", reported(alert.parent.name)],
    ["Service", `${code(alert.service.name)} at ${where}`],
    ["Volume", `sent ${sized(activity.bytes_sent)}, received ${sized(activity.bytes_received)} within the hour`],
    ...(state || note ? [["Decision", prose([state || "undecided", note].filter(Boolean).join(": "))]] : []),
  ];
  const steps = (Array.isArray(alert.steps) ? alert.steps : []).map((step, place) => {
    const [question, why] = isObject(step) ? [step.question ?? "", step.why ?? ""] : [step, ""];
    return `${place + 1}. ${prose(`${question} ${why}`.trim())}`;
  });
  return [
    `# ${prose(alert.title)}`, "", ...rows.map(([key, value]) => `- ${key}: ${value}`), "",
    "## Why", "", prose(alert.description), "",
    ...(steps.length ? ["## First steps", "", ...steps, ""] : []),
    `alert_id: ${code(alert.alert_id)}`, "",
  ].join("\n");
}

// Column -> its value. What is not reported is an empty field.
const COLUMNS = {
  alert_id: (alert) => alert.alert_id,
  timestamp: (alert) => alert.timestamp,
  tenant: (alert) => alert.tenant_id,
  severity: (alert) => alert.severity,
  priority: (alert) => alert.priority,
  variation: (alert) => alert.variation,
  host: (alert) => alert.host.name,
  host_id: (alert) => alert.host.id,
  user: (alert) => alert.user_name,
  process: (alert) => alert.process.name,
  path: (alert) => alert.process.path,
  command_line: (alert) => alert.process.command_line,
  sha256: (alert) => alert.process.sha256,
  signer: (alert) => alert.process.signer,
  signature_status: (alert) => alert.process.signature_status,
  parent: (alert) => alert.parent.name,
  service: (alert) => alert.service.name,
  destination_host: (alert) => alert.destination.host,
  destination_ip: (alert) => alert.destination.ip,
  bytes_sent: (alert) => alert.activity.bytes_sent,
  bytes_received: (alert) => alert.activity.bytes_received,
  decision: (alert) => decisionOf(alert.alert_id).state,
  note: (alert) => decisionOf(alert.alert_id).note,
};

// A spreadsheet runs what begins like a formula: an apostrophe makes it text.
// https://owasp.org/www-community/attacks/CSV_Injection
function csvField(value) {
  if (value === null || value === undefined) return "";
  const text = visible(value);
  const safe = typeof value === "string" && /^[=+\-@\t\r\n＝＋－＠]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

// The mark at its beginning says to spreadsheets that it is UTF-8.
function asCsv(alerts) {
  const rows = alerts.map((alert) => Object.values(COLUMNS).map((valueOf) => csvField(valueOf(alert))).join(","));
  return `\ufeff${[Object.keys(COLUMNS).join(","), ...rows].join("\r\n")}\r\n`;
}

// The decisions about the alerts of this page: as the detector takes them, and as another browser does.
function asDecisions(alerts) {
  const decided = alerts.map((alert) => [alert, decisionOf(alert.alert_id)]).filter(([, decision]) => decision.at);
  const dispositions = decided.filter(([, { state }]) => state === "benign" || state === "malicious").map(([alert, { state, note }]) => ({
    disposition: state,
    ...matchedBy(alert),
    service_id: alert.service.id.toLowerCase(), // these two are meant as they are
    host_id: alert.host.id.toLowerCase(),
    reason: note.trim() || `${state}, without a note`,
    from: dayOf(alert),
    alert_id: alert.alert_id,
  }));
  const triage = Object.fromEntries(decided.map(([alert, decision]) => [alert.alert_id, decision]));
  return `${asYaml({ dispositions, triage }, 2)}\n`;
}
