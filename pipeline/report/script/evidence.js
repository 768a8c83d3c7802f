// The evidence of an alert at a glance: what ran, who started it, what was sent, how many others do the same.
const SIGNED = {
  signed: "the signature is valid", invalid: "the signature is not valid", unsigned: "unsigned", unknown: "signature not reported",
};

const known = (value) => (value === null || value === undefined || value === "" ? [none("not reported")] : cut(String(value)));

function signerOf(process) {
  const verified = SIGNED[process.signature_status ?? "unknown"] ?? visible(process.signature_status);
  if (process.signature_status === "unsigned") return [verified];
  return [...known(process.signer), ` (${verified})`];
}

// The owner of the causality group, the parent, the process. The chain has a name once: of a program that started
// itself it is one name.
function chainOf(alert) {
  const { name, chain } = alert.investigation?.parent ?? {};
  const names = Array.isArray(chain) && chain.length === 1 && name ? [...chain, ...chain] : chain;
  if (!Array.isArray(names) || names.length < 2) return [none("what started it is not reported")];
  return [element("ol", { class: "chain" }, ...names.map((name) => element("li", {}, bdi(name))))];
}

function startedBy(alert) {
  return [["Parent's command line", alert.parent], ["Causality's command line", alert.causality]]
    .filter(([, who]) => who?.command_line)
    .map(([name, who]) => [name, cut(who.command_line), true]);
}

function volumeOf(alert) {
  const { bytes_sent: sent, bytes_received: received, events } = alert.activity;
  const bytes = [sent, received].map((number) => (number === null ? none("not reported") : sized(number)));
  return ["sent ", bytes[0], ", received ", bytes[1], ...(events === undefined ? [] : [`, in ${counted(events, "event")} within the hour`])];
}

function digestOf(process, page) {
  const digest = process.sha256;
  if (!page.virustotal || !/^[0-9a-f]{64}$/i.test(digest ?? "")) return known(digest);
  return [bdi(digest), " ", outside(`https://www.virustotal.com/gui/file/${digest.toLowerCase()}`, "VirusTotal")];
}

const outside = (href, name) => element("a", { href, target: "_blank", rel: "noopener noreferrer" }, name);

// Tactic, technique and sub-techniques with links; an id that is none of ATT&CK's gets no link.
function attackOf(alert) {
  const { tactic, technique, subtechniques = [] } = alert.attack ?? {}; // older runs have no sub-techniques
  const placed = [[tactic, /^TA\d{4}$/, "tactics"], ...[technique, ...subtechniques].map((each) => [each, /^T\d{4}(\.\d{3})?$/, "techniques"])];
  const made = placed.filter(([each]) => each).map(([{ id, name }, form_, folder]) => {
    const text = `${visible(id)} ${visible(name)}`;
    return form_.test(id) ? outside(`https://attack.mitre.org/${folder}/${id.replace(".", "/")}/`, text) : bdi(text);
  });
  return made.length ? made.flatMap((each, place) => (place ? [", ", each] : [each])) : [none("not reported")];
}

// Of what the priority is the sum: "reason:untrusted_path" is "untrusted path".
function pointsOf(alert) {
  const parts = Array.isArray(alert.priority_parts) ? alert.priority_parts : [];
  const words = parts.map(({ part, points }) => `${visible(String(part)).replace(/^.*:/, "").replaceAll("_", " ")} ${points > 0 ? "+" : ""}${points}`);
  const sum = parts.reduce((all, { points }) => all + points, 0);
  const cut = parts.length && sum !== alert.priority ? ` (${sum}, kept within 0 and 100)` : "";
  return [`${alert.priority}${words.length ? `: ${words.join(", ")}` : ""}${cut}`];
}

const placeLink = (kind, alert, id, name) => element("a", { href: address({ [`of-${kind}`]: id, tenant: alert.tenant_id }) }, short(name));

// The port of a lookup is that of its name server, and not of the service.
const NAME_SERVER = 53;
const byPort = (port) => (port === NAME_SERVER ? ", in a lookup" : port ? `, port ${port}` : "");

function evidenceFacts(alert, page) {
  const { process, destination } = alert;
  const where = [destination.host, destination.ip].filter(Boolean).join(", ");
  return [
    ["Host", [placeLink("host", alert, alert.host.id, hostOf(alert))]],
    ["User", alert.user_name ? [placeLink("user", alert, alert.user_name, alert.user_name)] : [none("not reported")]],
    ["Path", known(process.path), true],
    ["Command line", known(process.command_line), true],
    ["Signer", signerOf(process)],
    ["SHA-256", digestOf(process, page), true],
    ["Parent chain", chainOf(alert)],
    ...startedBy(alert),
    ["Service", [short(alert.service.name), " (", ...known(where), byPort(destination.port), ")"]],
    ["Volume", volumeOf(alert)],
    ...(alert.priority === undefined ? [] : [["Priority", pointsOf(alert)]]), // older runs have none
    ["ATT&CK", attackOf(alert)],
  ];
}

// ---- small pictures

// One square a day of the window: those that are meant, those with telemetry, those without.
function daysPicture(days, covered, window_) {
  const squares = Array.from({ length: window_ }, (_, day) =>
    drawn("rect", { x: day * 5, width: 4, height: 10, class: day < days ? "rare" : day < covered ? "common" : "track" }));
  return drawn("svg", { class: "days", viewBox: `0 0 ${window_ * 5} 10`, "aria-hidden": "true" }, ...squares);
}

function sharePicture(part, whole) {
  const bar = drawn("rect", { width: `${Math.min(100, (100 * part) / whole)}%`, height: "100%", class: "rare" });
  return drawn("svg", { class: "bar", "aria-hidden": "true" }, drawn("rect", { width: "100%", height: "100%", class: "track" }), bar);
}

function subjectsOf(alert) {
  const { application, parent, time, service } = alert.investigation ?? {};
  return [
    ["This program with this service", alert.baseline],
    ...(alert.execution ? [["What its scripting engine ran", application?.execution]] : []),
    ["Its binary, with any messenger", application?.binary],
    ["Its start by this parent, with any messenger", parent?.parentage],
    ["The service at all", service],
    ["The service at this hour", time?.service_at_this_hour],
  ];
}

// The detector counts hosts up to a limit, which no alert says: nothing in the run is greater.
function mostHosts(page) {
  mostHosts.known ??= Math.max(0, ...page.alerts.map((alert) =>
    Math.max(0, ...subjectsOf(alert).map(([, figures]) => figures?.other_hosts).filter(Number.isInteger))));
  return mostHosts.known;
}

function prevalence(alert, page) {
  const { time } = alert.investigation ?? {};
  const most = mostHosts(page);
  const covered = alert.baseline.coverage_days;
  const window_ = Number.isInteger(time?.window_days) ? Math.min(time.window_days, 366) : covered;
  const others = (page.hosts[alert.tenant_id] ?? 1) - 1; // 0: it is not known how many there are
  const cell = (number, picture) => element("td", {},
    ...(Number.isInteger(number) ? [element("span", { class: "figure" }, count(number)), ...picture(number)] : [none(number)]));
  const hostsCell = (number) => (number === most && most > 0
    ? element("td", {}, element("span", { class: "figure" }, `${count(number)} or more`))
    : cell(number, (hosts) => (others > 0 ? [sharePicture(hosts, others)] : [])));
  const daysCell = (number) => cell(number, (days) => (window_ > 0 ? [daysPicture(days, covered, window_)] : []));
  const rows = subjectsOf(alert).map(([name, figures]) => element("tr", {}, element("th", { scope: "row" }, name),
    hostsCell(figures ? figures.other_hosts ?? "not counted" : "not reported"),
    daysCell(figures ? figures.host_days ?? "not counted" : "not reported"),
    daysCell(figures ? figures.active_days ?? "not counted" : "not reported")));
  const heads = [`In the ${window_} days before`, others > 0 ? `Other hosts, of ${count(others)}` : "Other hosts", "Days on this host", "Days anywhere"];
  return element("div", { class: "scroll", role: "group", tabindex: "0", "aria-label": "Prevalence" },
    element("table", { class: "prevalence" },
      element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head)))),
      element("tbody", {}, ...rows)),
    element("p", { class: "source" }, `Telemetry exists for ${count(covered)} of these days; days are counted, not placed.`
      + (most > 0 ? ` Hosts are counted up to ${count(most)}.` : "")
      + (others > 0 ? " The hosts are those of the tenant that used any of these services in this run." : "")));
}

function evidence(alert, page) {
  const rows = evidenceFacts(alert, page).flatMap(([name, content, isMono]) => [
    element("dt", {}, name), element("dd", isMono ? { class: "mono" } : {}, ...content)]);
  return element("div", { class: "evidence" }, element("dl", {}, ...rows), prevalence(alert, page));
}
