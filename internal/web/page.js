"use strict";

// What the server told, and the elements that show it, by ID of the incident.
const incidents = new Map();
const shown = new Map();
let samples = [];
let about = { watching: [] };
let rules = [];

const $ = (id) => document.getElementById(id);

// setText changes a text only where it is another one: what is selected, and what a
// screen reader has read, stays.
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function plural(n, noun) {
  return n === 1 ? "1 " + noun : n + " " + noun + "s";
}

async function ask(path, fields) {
  const answer = await fetch(path, { method: "POST", headers: { "X-Edgescan": "page" }, body: new URLSearchParams(fields) });
  if (!answer.ok) throw new Error((await answer.text()).trim());
  return answer.json();
}

// enter goes to the page, or asks for the token.
async function enter() {
  let known;
  try {
    known = (await (await fetch("/session")).json()).known;
  } catch {
    setText($("status"), "edgescan does not answer. Trying again");
    setTimeout(enter, 3000);
    return;
  }
  $("login").hidden = known;
  if (known) {
    watch();
    return;
  }
  $("page").hidden = true;
  setText($("status"), "This page asks for the token of --web-token.");
  $("token").focus();
}

$("login").addEventListener("submit", async (event) => {
  event.preventDefault();
  const wrong = $("login").querySelector(".wrong");
  wrong.textContent = "";
  try {
    const known = (await ask("/login", { token: $("token").value })).known;
    if (!known) {
      wrong.textContent = "This is not the token.";
      $("token").select();
    } else {
      $("token").value = "";
      enter();
    }
  } catch (error) {
    wrong.textContent = error.message;
  }
});

// watch takes what changes until the connection is lost for good.
function watch() {
  const source = new EventSource("/events");
  source.onmessage = (event) => take(JSON.parse(event.data));
  source.onerror = () => {
    setText($("status"), "The connection is lost. Trying again");
    document.body.classList.add("lost");
    if (source.readyState === EventSource.CLOSED) setTimeout(enter, 3000);
  };
}

function take(message) {
  document.body.classList.remove("lost");
  $("page").hidden = false;
  if (message.full) {
    about = message.about;
    incidents.clear();
    samples = [];
  }
  for (const id of message.gone || []) incidents.delete(id);
  for (const incident of message.incidents) {
    if (!message.full && !incidents.has(incident.id)) setText($("news"), incident.line);
    incidents.set(incident.id, incident);
  }
  samples = samples.concat(message.samples).slice(-300);
  if (message.rules_changed) {
    rules = message.rules || [];
    showRules();
  }
  showIncidents();
  if (message.samples.length > 0) showFigures();
  showState();
}

function showState() {
  const open = [...incidents.values()].filter((i) => !i.verdict);
  const going = open.filter((i) => i.ongoing).length;
  document.title = going > 0 ? "(" + going + ") edgescan" : "edgescan";
  setText($("status"), "Watching " + about.watching.join(", ") + ". " + (going > 0 ? plural(going, "scan") + (going === 1 ? " goes on." : " go on.") : "No scan goes on."));
  $("silence").hidden = open.length > 0;
  setText($("about"), about.program + ". Times are UTC. A source is named from a certainty of " + (100 * about.threshold).toFixed(1) + "% on.");
}

function showIncidents() {
  for (const [id, element] of shown) {
    if (!incidents.has(id)) {
      element.remove();
      shown.delete(id);
    }
  }
  let aside = 0;
  for (const incident of incidents.values()) {
    let element = shown.get(incident.id);
    if (!element) {
      element = newIncident(incident.id);
      shown.set(incident.id, element);
    }
    if (incident.verdict) aside++;
    const place = incident.verdict ? $("closed") : $("open");
    if (element.parentNode !== place) {
      // The newest is first, wherever it comes from.
      const later = [...incidents.keys()];
      const at = later.indexOf(incident.id);
      const before = [...place.children].find((other) => later.indexOf(other.dataset.id) < at);
      place.insertBefore(element, before || null);
    }
    showIncident(element, incident);
  }
  setText($("aside-count"), String(aside));
  $("aside").hidden = aside === 0;
}

function newIncident(id) {
  const element = $("incident").content.firstElementChild.cloneNode(true);
  element.dataset.id = id;
  element.id = "incident-" + id;
  const heading = element.querySelector("h3");
  heading.id = "heading-" + id;
  element.setAttribute("aria-labelledby", heading.id);
  element.querySelector(".dismiss").addEventListener("click", () => openDialog("dismiss", id));
  element.querySelector(".allow").addEventListener("click", () => openDialog("allow", id));
  element.querySelector(".restore").addEventListener("click", () => ask("/restore", { id }).then(() => $("scans").focus(), complain));
  return element;
}

function showIncident(element, incident) {
  const scan = incident.alert.scan;
  const find = (selector) => element.querySelector(selector);
  element.className = (scan ? scan.kind : "summary") + (incident.ongoing ? " ongoing" : "");
  setText(find("h3"), scan ? incident.who + ": " + scan.kind + " scan" : "Many scans");
  setText(find(".what"), scan ? whenOf(incident, scan) + ". " + whatOf(incident, scan) : "");
  setText(find(".line"), incident.line);
  setText(find(".verdict"), incident.verdict ? incident.verdict + ": " + incident.reason : "");
  find(".verdict").hidden = !incident.verdict;
  find(".allow").hidden = Boolean(incident.verdict) || !scan;
  find(".dismiss").hidden = Boolean(incident.verdict);
  find(".restore").hidden = !incident.verdict;
  if (!scan) return;
  for (const button of element.querySelectorAll("button")) button.setAttribute("aria-describedby", "heading-" + incident.id);
  showPicture(find("img"), incident);
}

// whenOf says when a scan was seen: with the date where that is another one than of the
// latest.
function whenOf(incident, scan) {
  const last = scan.last_seen;
  const clock = (at) => (at.slice(0, 10) === last.slice(0, 10) ? "" : at.slice(0, 10) + " ") + at.slice(11, 19);
  return incident.ongoing ? "Goes on, since " + clock(scan.first_seen) : "Ended, from " + clock(scan.first_seen) + " to " + last.slice(0, 10) + " " + last.slice(11, 19);
}

function whatOf(incident, scan) {
  const words = [incident.what, incident.ports, plural(scan.contacts, "contact")];
  for (const outcome of ["answered", "refused", "silent", "odd"]) if (scan[outcome] > 0) words.push(scan[outcome] + " " + outcome);
  words.push("certainty " + (100 * scan.score).toFixed(1) + "%");
  return words.filter(Boolean).join(", ") + ".";
}

// showPicture has a picture drawn anew where it has changed, at most every two seconds.
function showPicture(image, incident) {
  image.hidden = !incident.picture;
  if (!incident.picture || image.dataset.version === String(incident.picture) || image.dataset.waits) return;
  const draw = () => {
    delete image.dataset.waits;
    const now = incidents.get(incident.id);
    if (!now || !now.picture) return;
    image.dataset.version = now.picture;
    image.dataset.at = Date.now();
    image.alt = "Hosts and ports that " + now.who + " tried: " + now.what;
    image.src = "/incidents/" + now.id + ".svg?" + now.picture;
  };
  const wait = Number(image.dataset.at || 0) + 2000 - Date.now();
  if (wait <= 0) {
    draw();
    return;
  }
  image.dataset.waits = "1";
  setTimeout(draw, wait);
}

function showFigures() {
  const last = samples.length - 1;
  for (const [id, unit] of [["packets", " a second"], ["drops", " a second"], ["sources", " in a minute"]]) {
    const values = samples.map((s, i) => (id === "sources" || i === 0 ? s[id] : (1000 * s[id]) / Math.max(s.time - samples[i - 1].time, 1)));
    const most = Math.max(...values, 1);
    let line = "M" + (300 - values.length) + " 40";
    values.forEach((value, i) => (line += "L" + (300 - values.length + i) + " " + (40 - (38 * value) / most).toFixed(1)));
    $(id).firstElementChild.setAttribute("d", line + "L299 40z");
    const now = Math.round(values[last]) + unit;
    setText($(id + "-now"), now);
    $(id).setAttribute("aria-label", id + ": now " + now + ", at most " + Math.round(Math.max(...values)));
  }
  $("drops").classList.toggle("bad", samples.some((s) => s.drops > 0));
}

function showRules() {
  $("rules").hidden = rules.length === 0;
  setText($("rules-kept"), about.rules ? "They are kept in " + about.rules + "." : "They are kept until edgescan ends. With --web-rules FILE they last.");
  $("rules-list").replaceChildren(
    ...rules.map((rule) => {
      const item = document.createElement("li");
      const text = document.createElement("code");
      const button = document.createElement("button");
      text.textContent = rule;
      button.textContent = "Remove";
      button.setAttribute("aria-label", "Remove the rule " + rule);
      button.addEventListener("click", () => ask("/disallow", { rule }).then(() => $("scans").focus(), complain));
      item.append(text, " ", button);
      return item;
    }),
  );
}

// The busiest sources are asked for while somebody looks at them.
let busyAgain;

async function showBusy() {
  clearTimeout(busyAgain);
  if (!$("busy").open) return;
  if (!document.hidden) {
    try {
      const answer = await fetch("/sources");
      if (answer.ok) listBusy((await answer.json()).sources);
    } catch {
      // The connection is lost, which the page says already.
    }
  }
  clearTimeout(busyAgain);
  busyAgain = setTimeout(showBusy, 5000);
}

$("busy").addEventListener("toggle", showBusy);

// listBusy leaves rows where they are while one of them has the focus, which it would
// lose.
function listBusy(sources) {
  const list = $("busy-list");
  const rows = new Map([...list.children].map((row) => [row.dataset.address, row]));
  const still = list.contains(document.activeElement);
  sources.forEach((source, i) => {
    let row = rows.get(source.address);
    rows.delete(source.address);
    if (!row) {
      row = newBusy(source.address);
      list.append(row);
    }
    if (!still && list.children[i] !== row) list.insertBefore(row, list.children[i]);
    const figures = [source.contacts, ...["productive", "answered", "refused", "silent", "odd", "pending"].map((o) => source.outcomes[o] || 0)];
    figures.forEach((n, k) => setText(row.children[k + 1], String(n)));
  });
  for (const row of rows.values()) if (!row.contains(document.activeElement)) row.remove();
}

function newBusy(address) {
  const row = document.createElement("tr");
  row.dataset.address = address;
  const name = document.createElement("th");
  name.scope = "row";
  const button = document.createElement("button");
  button.textContent = address;
  button.setAttribute("aria-label", "Show what " + address + " touched");
  button.addEventListener("click", () => {
    const image = $("busy-picture").firstElementChild;
    image.alt = "Hosts and ports that " + address + " touched";
    image.src = "/sources/" + address + ".svg?" + Date.now();
    $("busy-picture").hidden = false;
  });
  name.append(button);
  row.append(name);
  for (let k = 0; k < 7; k++) row.append(document.createElement("td"));
  return row;
}

function complain(error) {
  setText($("status"), error.message);
}

// The dialogs: dismiss and allow.
function openDialog(name, id) {
  const incident = incidents.get(id);
  const dialog = $(name);
  dialog.querySelector("form").reset();
  dialog.querySelector(".wrong").textContent = "";
  dialog.dataset.id = id;
  setText($(name + "-title"), (name === "allow" ? "Allow scans by " : "Dismiss the scan by ") + (incident.who || "many"));
  if (name === "allow") {
    setText($("narrow"), (incident.narrow || []).join("\n"));
    setText($("wide"), incident.wide || "");
    setText($("wide-words"), incident.alert.scan.scope === "distributed" ? "All scans of this destination" : "All scans by this source");
  }
  dialog.showModal();
  dialog.querySelector("[name=reason]").focus();
}

for (const name of ["dismiss", "allow"]) {
  const dialog = $(name);
  dialog.querySelector("form").addEventListener("submit", async (event) => {
    if (event.submitter && event.submitter.value === "cancel") return;
    event.preventDefault();
    const fields = Object.fromEntries(new FormData(event.target));
    try {
      await ask("/" + name, { ...fields, id: dialog.dataset.id });
      dialog.close();
      $("scans").focus();
    } catch (error) {
      dialog.querySelector(".wrong").textContent = error.message;
    }
  });
}

enter();
