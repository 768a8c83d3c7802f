// What all parts of the page write with: text only, never HTML.
const SHORT = 200; // characters of a value in the list
const LONG = 2000; // and in an opened alert, at first
const WORDS = {
  ip: "IP", os: "OS", id: "ID", pid: "PID", sha256: "SHA-256", utc: "UTC", attack: "ATT&CK",
};
const VARIATIONS = { suspicious_process: "suspicious process", uncommon_scripting_engine: "scripting engine", base: "base" };
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;
const form = document.getElementById("filters");
const list = document.getElementById("list");
const more = document.getElementById("more");
const status = document.getElementById("status");

function add(made, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

const element = (name, attributes, ...children) => add(document.createElement(name), attributes, children);
const drawn = (name, attributes, ...children) => add(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);

// Hidden characters as their numbers: a name that reads backwards must not pass for another.
const visible = (text) => String(text).replace(HIDDEN, (c) => `⟨U+${c.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);
const bdi = (text) => element("bdi", {}, visible(text));
const short = (text) => bdi(text.length > SHORT ? `${text.slice(0, SHORT)}…` : text);
const folded = (name, ...children) => element("details", { class: "folded" }, element("summary", {}, name), ...children);
const none = (text) => element("span", { class: "none" }, text);
const count = (number) => number.toLocaleString("en");
const counted = (number, noun) => `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
const words = (key) => {
  const text = key.split("_").map((word) => WORDS[word] ?? word).join(" ");
  return text.charAt(0).toUpperCase() + text.slice(1);
};
// In units that are read at a glance, as the table of cases has them.
function sized(bytes) {
  if (bytes === null) return "not reported";
  const power = bytes < 1000 ? 0 : Math.min(4, Math.floor(Math.log10(bytes) / 3));
  return power ? `${(bytes / 1000 ** power).toFixed(1)} ${["", "kB", "MB", "GB", "TB"][power]}` : counted(bytes, "byte");
}
const nameOf = (variation) => VARIATIONS[variation] ?? variation;
const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const hostOf = (alert) => alert.host.name ?? alert.host.id;
const dayOf = (alert) => alert.timestamp.slice(0, 10);
const timeOf = (alert) => `${dayOf(alert)} ${alert.timestamp.slice(11, 16)}`;
const address = (given) => `#${new URLSearchParams(given)}`;

function cut(text) {
  const shown = element("bdi", {}, visible(text.slice(0, LONG)));
  if (text.length <= LONG) return [shown];
  const button = element("button", { type: "button", class: "all" }, `Show all ${count(text.length)} characters`);
  button.addEventListener("click", () => { shown.textContent = visible(text); button.remove(); });
  return [shown, button];
}

function button(label, act) {
  const made = element("button", { type: "button" }, label);
  made.addEventListener("click", () => act(made));
  return made;
}

async function copy(text, pressed) {
  try {
    await navigator.clipboard.writeText(text);
    say("Copied.");
  } catch {
    say("The browser does not let this page copy. Select the text instead.");
  }
  pressed.focus();
}

// `text` may be made when it is asked for.
const copyButton = (label, text) => button(label, (pressed) => copy(typeof text === "function" ? text() : text, pressed));

function download(name, type, text) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  element("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
  say(`${name} is written.`);
}

// To screen readers too; the list has a line of its own for how many there are.
function say(text) {
  const said = document.getElementById("said");
  said.textContent = text;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => { said.textContent = ""; }, 8000);
}

// What the browser keeps from one opening to the next; where it keeps nothing, only until the page is closed.
const kept = {
  names() {
    try { return Object.keys(localStorage); } catch { return []; }
  },
  get(name) {
    try { return localStorage.getItem(name); } catch { return null; }
  },
  set(name, value) {
    try {
      if (value === null) localStorage.removeItem(name);
      else localStorage.setItem(name, value);
      return true;
    } catch {
      say("This browser keeps nothing of this page. Export the decisions before you close it.");
      return false;
    }
  },
};
