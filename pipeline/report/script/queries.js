// The queries of the next steps: those that alerts carry, and the same questions in the languages of other stores.
//
// Sources: Kusto "String operators", "ipv4_is_in_range()" and Microsoft Learn "DeviceNetworkEvents"; Elastic "ES|QL
// functions" and the Elastic Common Schema; Splunk "Search Reference" and the Splunk Add-on for Sysmon's fields.
const DIALECT = "uncommon-im.dialect";
const TABLE = "uncommon-im.table.";
const HALF_HOUR = 30 * 60_000;
const QUESTIONS = {
  "Is the application legitimate?": "images",
  "What is its parent process?": "parents",
  "Is the time of the communication unusual?": "hours",
  "What else did the process and its host do around that time?": "around",
  "Who else communicates like this?": "others",
};
const DIALECTS = {
  bigquery_sql: {
    name: "BigQuery SQL", table: "DATASET.xdr_events",
    put: (text, table) => text.replace(/^FROM `DATASET\.xdr_events`$/m, () => `FROM \`${table.replaceAll("`", "")}\``),
  },
  xql: { name: "XQL", table: "xdr_data", put: (text, table) => text.replace(/^\| dataset = xdr_data$/m, () => `| dataset = ${table}`) },
  kql: { name: "KQL", table: "DeviceNetworkEvents", write: kql },
  esql: { name: "ES|QL", table: "logs-*", write: esql },
  spl: { name: "Splunk", table: 'index=* source="XmlWinEventLog:Microsoft-Windows-Sysmon/Operational"', write: spl },
};

const moment = (time) => new Date(time).toISOString().replace(".000Z", "Z");
// A string in double quotes; control characters, which none of these languages writes alike, match nothing.
const quoted = (text) => `"${String(text).replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, "?").replace(/[\\"]/g, "\\$&")}"`;

// What the queries ask about; none of it is a command line, because these hold secrets.
function subjectOf(alert) {
  const time = Date.parse(alert.timestamp);
  const byDomain = alert.destination.attribution === "domain";
  return {
    first: `${alert.baseline.window_start}T00:00:00Z`,
    end: moment(Date.parse(`${alert.baseline.window_end}T00:00:00Z`) + 2 * 86_400_000),
    before: moment(Math.floor((time - HALF_HOUR) / 1000) * 1000),
    after: moment(Math.ceil((time + HALF_HOUR) / 1000) * 1000),
    host: alert.host.id,
    hostName: hostOf(alert),
    program: alert.process.name.toLowerCase(),
    sha256: alert.process.sha256?.toLowerCase(),
    domain: byDomain ? alert.destination.matched : null,
    range: byDomain ? null : alert.destination.matched,
  };
}

function kql(question, about, table) {
  const time = (first, end) => `where Timestamp >= datetime(${first}) and Timestamp < datetime(${end})`;
  const digest = about.sha256 ? ` or InitiatingProcessSHA256 =~ ${quoted(about.sha256)}` : "";
  const program = `where InitiatingProcessFileName =~ ${quoted(about.program)}${digest}`;
  const server = 'extend Server = extract(@"^(?:[a-z]+://)?([^/:]+)", 1, tolower(RemoteUrl))';
  const version = about.range?.includes(":") ? 6 : 4;
  const destination = about.domain === null
    ? [`where ipv${version}_is_in_range(RemoteIP, ${quoted(about.range)})`]
    : [server, `where Server == ${quoted(about.domain)} or Server endswith ${quoted(`.${about.domain}`)}`];
  const window_ = time(about.first, about.end);
  const spread = "hosts = dcount(DeviceId), days = dcount(startofday(Timestamp)), first_seen = min(Timestamp), last_seen = max(Timestamp)";
  const image = ["FileName", "FolderPath", "SHA256", "VersionInfoCompanyName"].map((name) => `InitiatingProcess${name}`).join(", ");
  return [...{
    images: [table, window_, program, `summarize ${spread} by ${image}`, "top 100 by hosts"],
    parents: [table, window_, program, `summarize ${spread}, on_this_host = countif(DeviceId =~ ${quoted(about.host)}) by InitiatingProcessParentFileName`,
      "top 100 by hosts"],
    hours: [table, window_, ...destination, "summarize hosts = dcount(DeviceId), days = dcount(startofday(Timestamp)) by hour_utc = hourofday(Timestamp)",
      "sort by hour_utc asc"],
    around: [`union isfuzzy=true withsource = Source DeviceProcessEvents, DeviceFileEvents, ${table}`, time(about.before, about.after),
      `where DeviceId =~ ${quoted(about.host)} or DeviceName =~ ${quoted(about.hostName)}`, "sort by Timestamp asc", "take 1000"],
    others: [table, window_, program, ...destination,
      "summarize first_seen = min(Timestamp), last_seen = max(Timestamp) by DeviceName, InitiatingProcessAccountName, InitiatingProcessFolderPath", "take 1000"],
  }[question]].join("\n| ");
}

function esql(question, about, table) {
  const time = (first, end) => `WHERE @timestamp >= ${quoted(first)} AND @timestamp < ${quoted(end)}`;
  const digest = about.sha256 ? ` OR process.hash.sha256 == ${quoted(about.sha256)}` : "";
  const program = `WHERE TO_LOWER(process.name) == ${quoted(about.program)}${digest}`;
  const destination = about.domain === null
    ? [`WHERE CIDR_MATCH(destination.ip, ${quoted(about.range)})`]
    : ["EVAL server = TO_LOWER(COALESCE(destination.domain, dns.question.name))",
      `WHERE server == ${quoted(about.domain)} OR ENDS_WITH(server, ${quoted(`.${about.domain}`)})`];
  const [source, window_] = [`FROM ${table}`, time(about.first, about.end)];
  const spread = "hosts = COUNT_DISTINCT(host.id), days = COUNT_DISTINCT(DATE_TRUNC(1 day, @timestamp)), first_seen = MIN(@timestamp), last_seen = MAX(@timestamp)";
  return [...{
    images: [source, window_, program, `STATS ${spread} BY process.name, process.executable, process.code_signature.subject_name, process.hash.sha256`,
      "SORT hosts DESC", "LIMIT 100"],
    parents: [source, window_, program, `STATS ${spread} BY process.parent.name`, "SORT hosts DESC", "LIMIT 100"],
    hours: [source, window_, ...destination, `EVAL hour_utc = DATE_EXTRACT("HOUR_OF_DAY", @timestamp)`, `STATS ${spread} BY hour_utc`, "SORT hour_utc"],
    around: [source, time(about.before, about.after), `WHERE host.id == ${quoted(about.host)} OR host.name == ${quoted(about.hostName)}`,
      "KEEP @timestamp, event.action, process.name, process.pid, process.command_line, process.parent.name, destination.domain, destination.ip",
      "SORT @timestamp", "LIMIT 1000"],
    others: [source, window_, program, ...destination, "STATS first_seen = MIN(@timestamp), last_seen = MAX(@timestamp) BY host.name, user.name, process.executable",
      "SORT first_seen", "LIMIT 1000"],
  }[question]].join("\n| ");
}

function spl(question, about, table) {
  const time = (first, end) => `${table} earliest=${Date.parse(first) / 1000} latest=${Date.parse(end) / 1000}`;
  const image = 'eval program=lower(replace(Image, "^.*[\\\\\\\\/]", ""))';
  const digest = about.sha256 ? ` OR like(lower(Hashes), ${quoted(`%sha256=${about.sha256}%`)})` : "";
  const program = [image, `where program=${quoted(about.program)}${digest}`];
  const destination = about.domain === null
    ? [`where cidrmatch(${quoted(about.range)}, DestinationIp)`]
    : ["eval server=lower(coalesce(DestinationHostname, QueryName))", `where server=${quoted(about.domain)} OR like(server, ${quoted(`%.${about.domain}`)})`];
  const window_ = time(about.first, about.end);
  const day = 'eval day=strftime(_time, "%F"), hour_utc=floor((_time % 86400) / 3600)';
  const spread = "dc(Computer) AS hosts dc(day) AS days min(_time) AS first_seen max(_time) AS last_seen";
  return [...{
    images: [window_, ...program, day, `stats ${spread} BY Image Hashes`, "sort 100 -hosts"],
    parents: [`${window_} EventCode=1`, ...program, day, `stats ${spread} BY ParentImage`, "sort 100 -hosts"],
    hours: [window_, ...destination, day, `stats ${spread} BY hour_utc`, "sort 0 hour_utc"],
    around: [time(about.before, about.after), `where lower(Computer)=${quoted(about.hostName.toLowerCase())}`,
      "table _time EventCode Image ProcessId CommandLine ParentImage DestinationHostname QueryName DestinationIp", "sort 1000 _time"],
    others: [window_, ...program, ...destination, "stats min(_time) AS first_seen max(_time) AS last_seen BY Computer User Image", "sort 1000 first_seen"],
  }[question]].join("\n| ");
}

const chosenDialect = (page) => (Object.hasOwn(DIALECTS, kept.get(DIALECT) ?? "") ? kept.get(DIALECT) : page.queries);
const chosenTable = (dialect) => kept.get(TABLE + dialect) || DIALECTS[dialect].table;

// [name, query] of a step, in the chosen dialect first. A step may have queries of other versions, too.
function queriesOf(step, alert, page) {
  const { question, why, ...own } = step;
  const texts = new Map(Object.entries(own).filter(([, text]) => typeof text === "string").map(([key, text]) => [key,
    DIALECTS[key]?.put && kept.get(TABLE + key) ? DIALECTS[key].put(text, chosenTable(key)) : text]));
  const asked = Object.hasOwn(QUESTIONS, question ?? "") ? QUESTIONS[question] : null;
  for (const [key, { write }] of Object.entries(DIALECTS)) {
    if (asked && write && !texts.has(key)) texts.set(key, write(asked, subjectOf(alert), chosenTable(key)));
  }
  const first = chosenDialect(page);
  return [...texts].sort(([a], [b]) => Number(b === first) - Number(a === first)).map(([key, text]) => [DIALECTS[key]?.name ?? words(key), text]);
}

function query([name, text]) {
  const heading = element("div", {}, name, copyButton(`Copy ${name}`, text));
  return element("div", { class: "query" }, heading, element("pre", { tabindex: "0", "aria-label": name }, bdi(text)));
}

function stepItem(step, alert, page) {
  if (!isObject(step)) return element("li", {}, bdi(step));
  const [first, ...others] = queriesOf(step, alert, page);
  const made = [element("strong", {}, bdi(step.question ?? "")), ...(step.why ? [element("div", { class: "none" }, bdi(step.why))] : [])];
  if (first) made.push(folded(`Query: ${first[0]}`, query(first), ...(others.length ? [folded("In other languages", ...others.map(query))] : [])));
  return element("li", {}, ...made);
}

// The steps, and above them the language that comes first and its table, which the browser keeps for all alerts.
function nextSteps(alert, page) {
  const steps = element("ol", {});
  const table = element("input", { autocomplete: "off", spellcheck: "false" });
  const language = element("select", {}, ...Object.entries(DIALECTS).map(([value, { name }]) => element("option", { value }, name)));
  const show = () => {
    language.value = chosenDialect(page);
    table.placeholder = DIALECTS[chosenDialect(page)].table;
    table.value = kept.get(TABLE + chosenDialect(page)) ?? "";
    steps.replaceChildren(...alert.steps.map((each) => stepItem(each, alert, page)));
  };
  language.addEventListener("change", () => { kept.set(DIALECT, language.value); show(); });
  table.addEventListener("change", () => { kept.set(TABLE + chosenDialect(page), table.value.trim() || null); show(); });
  show();
  const chosen = element("div", { class: "language" },
    element("label", {}, "Queries in ", language), element("label", {}, "Table, dataset or search ", table));
  return [element("h4", {}, "Next steps"), chosen, steps];
}
