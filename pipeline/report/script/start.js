// What happens when the page is opened, and when its address changes.
async function unpack(packed) {
  const bytes = Uint8Array.from(atob(packed), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).json();
}

function start(page) {
  recallDecisions();
  const alerts = listed(page);
  let left = null; // {hash, scroll, focus} of the whole run, while a host or user is shown

  function follow() {
    const asked = askedPlace();
    if (asked) {
      if (!left) left = { ...follow.before };
      showPlace(asked, page);
      return;
    }
    const back = left;
    left = null;
    leavePlace();
    // To come back finds the list as it was, the opened alerts too.
    if (back?.hash === location.hash) {
      scrollTo(0, back.scroll);
      back.focus?.focus({ preventScroll: true });
    } else if (alerts.recall()) {
      alerts.show();
      if (!alerts.openOne()) document.getElementById("alerts").focus();
    } else if (back) {
      document.getElementById(location.hash.slice(1))?.scrollIntoView();
    }
  }

  // Where one was is known only before a link is followed.
  addEventListener("click", () => { if (!left) follow.before = { hash: location.hash, scroll: scrollY, focus: document.activeElement }; });
  // What was typed since the address changed has changed it again: to follow late would take the focus from the typist.
  addEventListener("hashchange", ({ newURL }) => { if (newURL === location.href) follow(); });
  addEventListener("storage", ({ key, newValue }) => {
    if (!key?.startsWith(KEPT)) return;
    const decision = keptDecision(newValue);
    const id = key.slice(KEPT.length);
    if (decision) decisions.set(id, decision);
    else decisions.delete(id);
    showDecision(id);
  });
  for (const rows of [list, place]) {
    rows.addEventListener("keydown", close);
    rows.addEventListener("keydown", decideByKey);
  }
  if (!askedPlace()) alerts.recall();
  alerts.show();
  if (askedPlace()) follow();
  else alerts.openOne();
  offerFiles(page, alerts);
}

function offerFiles(page, alerts) {
  const file = document.getElementById("file");
  document.getElementById("csv").addEventListener("click", () => download("alerts.csv", "text/csv", asCsv(alerts.taken())));
  document.getElementById("export").addEventListener("click", () => download("decisions.json", "application/json", asDecisions(page.alerts)));
  document.getElementById("import").addEventListener("click", () => file.click());
  file.addEventListener("change", async () => {
    const [given] = file.files;
    if (!given) return;
    try {
      const taken = takeDecisions(JSON.parse(await given.text()));
      alerts.show();
      say(`${counted(taken, "decision")} taken from ${visible(given.name)}.`);
    } catch (error) {
      say(`${visible(given.name)} is no file of decisions: ${visible(error.message)}`);
    }
    file.value = "";
  });
  document.getElementById("tools").hidden = false;
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
