// What happened, which of it is shown, and the part of the address that says so.

const run = JSON.parse(document.getElementById("run").textContent);
const { events, participants } = run;
const word = (place) => (place === undefined ? "" : run.words[place]);
const byId = (id) => document.getElementById(id);

/** An element with a class and a text. Texts are never taken for HTML. */
function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

/** The reports of each event that has some. */
const reportsOf = new Map();
for (const report of run.reports) {
  if (report.event === null) continue;
  reportsOf.set(report.event, [...(reportsOf.get(report.event) ?? []), report]);
}

const UNFILTERED = { module: "", binding: "", thread: "", find: "", reported: "", lanes: "modules" };
const filter = { ...UNFILTERED };
/** The place of the chosen event among all events, or -1. */
let chosen = -1;
/** What is shown, in order: places of events; a section is the negative of its number. */
let rows = [];

/** Reads the filter and the chosen event: #binding=2&thread=3&event=40. */
function readAddress() {
  const address = new URLSearchParams(location.hash.slice(1));
  for (const key of Object.keys(UNFILTERED)) filter[key] = address.get(key) ?? UNFILTERED[key];
  const event = Number(address.get("event") ?? -1);
  chosen = events[event] ? event : -1;
}

function writeAddress() {
  const address = new URLSearchParams();
  for (const [key, value] of Object.entries(filter)) if (value !== UNFILTERED[key]) address.set(key, value);
  if (chosen >= 0) address.set("event", chosen);
  try {
    history.replaceState(null, "", "#" + address);
  } catch {
    // Some browsers do not let a file change its address.
  }
}

const isModule = (event, name) =>
  (event.from !== undefined && (participants[event.from].name === name || participants[event.to].name === name)) ||
  event.image === name;

function isShown(event, place) {
  if (filter.module && !isModule(event, filter.module)) return false;
  if (filter.binding && String(event.binding) !== filter.binding) return false;
  if (filter.thread && String(event.thread) !== filter.thread) return false;
  if (filter.reported && !reportsOf.has(place)) return false;
  return !filter.find || textOf(event).toLowerCase().includes(filter.find.toLowerCase());
}

const textOf = (event) => [word(event.function), word(event.label), word(event.arguments)].join(" ");

/** Finds out what is shown. A section without an event is shown only if everything is. */
function sift() {
  const all = ["module", "binding", "thread", "reported", "find"].every((key) => !filter[key]);
  rows = [];
  let section = 0;
  const begin = (number) => {
    for (; section < number; section += 1) if (all || section + 1 === number) rows.push(-(section + 1));
  };
  events.forEach((event, place) => {
    if (!isShown(event, place)) return;
    begin(event.section);
    rows.push(place);
  });
  if (all) begin(run.sections.length);
}
