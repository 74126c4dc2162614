// The timeline: the rows that are in view are elements, however many there are.

const ROW = 26;
const MARGIN = 150;
const LANE = 230;
const BESIDE = 6;
const timeline = byId("timeline");
const canvas = byId("canvas");

/** The lanes: modules with the registrar, or threads. */
function lanes() {
  if (filter.lanes === "threads") return run.threads.map(({ number, what }) => ({ name: `T${number}`, kind: what }));
  return participants;
}
const laneOfThread = new Map(run.threads.map(({ number }, place) => [number, place]));
const x = (lane) => MARGIN + LANE / 2 + lane * LANE;
const colour = (thread) => `var(--t${(thread - 1) % 8})`;

/** The times that functions run, as rows from and to, on the lanes of those who were called. */
let bars = [];

function findBars() {
  bars = [];
  if (filter.lanes === "threads") return;
  const rowOf = new Map(rows.map((place, row) => [place, row]));
  const open = new Map();
  rows.forEach((place, from) => {
    const event = events[place];
    if (event?.kind !== "call" || event.from === event.to) return;
    const to = event.partner === undefined ? rows.length : rowOf.get(event.partner);
    if (to === undefined) return;
    const beside = (open.get(event.to) ?? []).filter((bar) => bar.to > from);
    let slot = 0;
    while (beside.some((bar) => bar.slot === slot)) slot += 1;
    const bar = { lane: event.to, from, to, slot, thread: event.thread };
    open.set(event.to, [...beside, bar]);
    bars.push(bar);
  });
}

function place(made, left, top, width, height) {
  made.style.left = `${left}px`;
  if (top !== undefined) made.style.top = `${top}px`;
  if (width !== undefined) made.style.width = `${width}px`;
  if (height !== undefined) made.style.height = `${height}px`;
  return made;
}

/** Draws everything anew, after the filter has changed. */
function draw() {
  sift();
  findBars();
  const all = lanes();
  const width = MARGIN + all.length * LANE;
  byId("heads").replaceChildren(
    ...all.map(({ name, kind, id }, lane) => {
      const head = place(element("div", "head"), MARGIN + lane * LANE, undefined, LANE);
      head.append(element("bdi", "", name), element("small", "", kind));
      head.title = `${name}: ${kind} ${id ?? ""}`;
      return head;
    }),
  );
  byId("heads").style.width = canvas.style.width = `max(${width}px, 100%)`;
  canvas.style.height = `${rows.length * ROW}px`;
  const shown = rows.filter((row) => row >= 0).length;
  byId("count").textContent = `${shown} of ${events.length} events`;
  document.body.dataset.shown = shown;
  paint();
}

/** Draws what is in view. */
function paint() {
  const first = Math.max(0, Math.floor(timeline.scrollTop / ROW) - 10);
  const last = Math.min(rows.length, first + Math.ceil(timeline.clientHeight / ROW) + 20);
  const lines = lanes().map((_, lane) => place(element("div", "lifeline"), x(lane)));
  const inView = bars.filter((bar) => bar.from < last && bar.to >= first);
  const drawn = inView.map((bar) => {
    const made = place(element("div", "bar"), x(bar.lane) - 4 + bar.slot * BESIDE, bar.from * ROW + 19, undefined, (bar.to - bar.from) * ROW);
    made.style.color = colour(bar.thread);
    return made;
  });
  const shown = [];
  for (let row = first; row < last; row += 1) shown.push(rows[row] < 0 ? headingRow(row) : eventRow(row));
  canvas.replaceChildren(...lines, ...drawn, ...shown);
}

function newRow(row, className) {
  const made = place(element("div", `row ${className}`), 0, row * ROW);
  made.setAttribute("role", "option");
  made.setAttribute("aria-posinset", row + 1);
  made.setAttribute("aria-setsize", rows.length);
  made.setAttribute("aria-selected", rows[row] === chosen);
  made.id = `row-${row}`;
  made.dataset.row = row;
  return made;
}

function headingRow(row) {
  const { title, text } = run.sections[-rows[row] - 1];
  const made = newRow(row, "heading");
  made.append(place(element("bdi", "label", `${-rows[row]}. ${title}`), 10));
  made.title = text;
  return made;
}

function eventRow(row) {
  const event = events[rows[row]];
  const made = newRow(row, rows[row] === chosen ? "event chosen" : "event");
  made.style.color = colour(event.thread);
  made.append(element("span", "place", event.sequence ?? ""), element("span", "thread", `T${event.thread}`));
  const reports = reportsOf.get(rows[row]);
  if (reports) {
    const isError = reports.some((report) => report.severity !== "warning");
    const mark = element("span", isError ? "mark" : "mark warning", `⚠ ${reports.map((report) => report.rule).join(" ")}`);
    mark.title = reports.map((report) => report.text).join("\n");
    made.append(mark);
  }
  if (filter.lanes === "threads") made.append(threadLabel(event));
  else if (event.from === undefined) made.append(place(element("bdi", "label said", word(event.label)), MARGIN));
  else made.append(...arrow(event));
  return made;
}

const look = (event) => (event.look ? ` ${event.look}` : "");

function threadLabel(event) {
  const way = event.kind === "call" ? [event.from, event.to] : [event.to, event.from];
  const [from, to] = way.map((place) => participants[place]?.name);
  const text = event.from === undefined ? word(event.label) : `${from} → ${to}: ${word(event.label)}`;
  const left = MARGIN + (laneOfThread.get(event.thread) ?? 0) * LANE + 8 + Math.min(event.depth, 12) * 10;
  return place(element("bdi", `label${look(event)}`, text), left, 4);
}

/** An arrow from the one who acts to the other, with its label over the first lane on its way. */
function arrow(event) {
  const [from, to] = event.kind === "call" ? [event.from, event.to] : [event.to, event.from];
  const right = to > from;
  const label = element("bdi", `label${look(event)}`, word(event.label));
  if (from === to) return [place(label, x(from) + 8, 4)];
  const line = element("span", `arrow ${right ? "right" : "left"}${event.kind === "call" ? "" : " dashed"}`);
  place(line, Math.min(x(from), x(to)) + 5, undefined, Math.abs(to - from) * LANE - 10);
  return [line, place(label, right ? x(from) + 12 : x(to) + 12)];
}

/** Chooses a row, and brings it into view. */
function choose(row) {
  if (rows[row] === undefined) return;
  if (rows[row] < 0) return showSection(-rows[row]);
  chosen = rows[row];
  timeline.setAttribute("aria-activedescendant", `row-${row}`);
  const top = row * ROW;
  const height = timeline.clientHeight - byId("heads").offsetHeight;
  if (top < timeline.scrollTop) timeline.scrollTop = top;
  if (top + ROW > timeline.scrollTop + height) timeline.scrollTop = top + ROW - height;
  paint();
  showEvent();
  writeAddress();
}

/** Chooses an event, and shows all events if it is not among those that are shown. */
function chooseEvent(event) {
  if (!rows.includes(event)) showAll();
  choose(rows.indexOf(event));
  timeline.focus({ preventScroll: true });
}
