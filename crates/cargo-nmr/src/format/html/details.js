// The chosen event with its reports, the filters, and the keys.

const details = byId("details");

function line(list, name, text) {
  if (text === undefined || text === "") return;
  const value = element("dd");
  value.append(typeof text === "string" ? element("bdi", "", text) : text);
  list.append(element("dt", "", name), value);
}

function button(text, action) {
  const made = element("button", "", text);
  made.type = "button";
  made.addEventListener("click", action);
  return made;
}

function reportBox(report) {
  return element("div", `report ${report.severity}`, report.text);
}

function showEvent() {
  const event = events[chosen];
  const list = element("dl");
  const thread = run.threads.find(({ number }) => number === event.thread);
  const name = (place) => (place === undefined ? undefined : [participants[place].name, participants[place].kind, participants[place].id].join(" "));
  line(list, "Event", event.sequence === undefined ? undefined : String(event.sequence));
  line(list, "Caller", name(event.from));
  line(list, "Callee", name(event.to));
  line(list, "Image", event.image);
  line(list, "Arguments", word(event.arguments));
  line(list, "Result", word(event.result));
  line(list, "Status", event.code);
  line(list, "Thread", `T${event.thread}${thread ? `: ${thread.what}` : ""}`);
  line(list, "IRQL", word(event.irql));
  if (event.binding !== undefined) line(list, "Binding", button(`${event.binding}: show only this`, () => change("binding", String(event.binding))));
  line(list, "Section", event.section ? `${event.section}. ${run.sections[event.section - 1].title}` : undefined);
  if (event.partner !== undefined) {
    const [name, text] = event.kind === "call" ? ["Returns", "go to its return"] : ["Called", "go to its call"];
    const distance = Math.abs(event.partner - chosen);
    line(list, name, button(`${distance === 1 ? "next to it" : `${distance} events away`}: ${text}`, () => chooseEvent(event.partner)));
  } else if (event.kind === "call") line(list, "Returns", "never");
  const why = word(event.why);
  details.replaceChildren(
    element("h2", "", event.from === undefined ? word(event.label) : word(event.function)),
    ...(reportsOf.get(chosen) ?? []).map(reportBox),
    ...(why ? [element("p", "", why)] : []),
    list,
  );
}

function showSection(number) {
  const { title, text } = run.sections[number - 1];
  details.replaceChildren(element("h2", "", `${number}. ${title}`), element("p", "", text));
}

function showOverview() {
  byId("title").textContent = run.title;
  const verdict = byId("verdict");
  verdict.textContent = run.wrong.length ? `Wrong: ${run.wrong[0]}${run.wrong.length > 1 ? `, and ${run.wrong.length - 1} more` : ""}` : "Everything happened as the contract of the NMR demands.";
  verdict.classList.toggle("wrong", run.wrong.length > 0);
  for (const [name, text] of run.summary) line(byId("summary"), name, text);
  for (const text of run.wrong) line(byId("summary"), "wrong", text);
  byId("report-count").textContent = run.reports.length === 1 ? "1 report" : `${run.reports.length} reports`;
  byId("all-reports").hidden = run.reports.length === 0;
  for (const report of run.reports) {
    const item = element("li");
    item.append(reportBox(report));
    if (report.event !== null) item.append(button("go to the event", () => chooseEvent(report.event)));
    byId("reports").append(item);
  }
}

function options(id, all, values) {
  const option = ([value, text]) => Object.assign(element("option", "", text), { value });
  byId(id).replaceChildren(...[["", all], ...values].map(option));
}

function fillFilters() {
  const images = events.flatMap(({ image }) => (image === undefined ? [] : [image]));
  const names = [...new Set([...participants.map(({ name }) => name), ...images])];
  options("module", "all", names.map((name) => [name, name]));
  const bindings = [...new Set(events.map(({ binding }) => binding))].filter((binding) => binding !== undefined);
  options("binding", "all", bindings.sort((a, b) => a - b).map((binding) => [String(binding), String(binding)]));
  options("thread", "all", run.threads.map(({ number, what }) => [String(number), `T${number}: ${what}`]));
}

function showFilter() {
  for (const key of ["module", "binding", "thread", "lanes", "find"]) byId(key).value = filter[key];
  byId("reported").checked = filter.reported !== "";
}

/** Changes one setting of the filter. */
function change(key, value) {
  filter[key] = value;
  showFilter();
  writeAddress();
  draw();
}

function showAll() {
  Object.assign(filter, UNFILTERED, { lanes: filter.lanes });
  showFilter();
  draw();
}

function goToReport(step) {
  const all = [...reportsOf.keys()].sort((a, b) => a - b);
  const next = step > 0 ? all.find((event) => event > chosen) : all.findLast((event) => event < chosen);
  if (next !== undefined) chooseEvent(next);
}

function key(event) {
  if (event.target.matches("input, select, button, summary")) {
    if (event.key !== "Escape") return;
    timeline.focus();
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const now = rows.indexOf(chosen);
  const page = Math.max(1, Math.floor(timeline.clientHeight / ROW) - 3);
  const move = (to, step) => {
    let row = Math.min(Math.max(to, 0), rows.length - 1);
    while (rows[row] < 0) row += step;
    choose(row);
  };
  const actions = {
    ArrowDown: () => move(now + 1, 1),
    ArrowUp: () => move(now - 1, -1),
    PageDown: () => move(now + page, 1),
    PageUp: () => move(now - page, -1),
    Home: () => move(0, 1),
    End: () => move(rows.length - 1, -1),
    Enter: () => events[chosen]?.partner !== undefined && chooseEvent(events[chosen].partner),
    r: () => goToReport(1),
    R: () => goToReport(-1),
    "/": () => byId("find").focus(),
    Escape: () => showAll(),
  };
  const action = actions[event.key];
  if (!action) return;
  event.preventDefault();
  action();
}

function begin() {
  readAddress();
  showFilter();
  draw();
  const first = chosen >= 0 ? chosen : (run.reports.find(({ event }) => event !== null)?.event ?? -1);
  if (rows.includes(first)) choose(rows.indexOf(first));
  else if (run.sections.length) showSection(1);
}

showOverview();
fillFilters();
for (const id of ["module", "binding", "thread", "lanes"]) byId(id).addEventListener("change", ({ target }) => change(id, target.value));
byId("find").addEventListener("input", ({ target }) => change("find", target.value));
byId("reported").addEventListener("change", ({ target }) => change("reported", target.checked ? "1" : ""));
byId("clear").addEventListener("click", () => { showAll(); writeAddress(); });
byId("filters").addEventListener("submit", (event) => event.preventDefault());
canvas.addEventListener("click", ({ target }) => {
  const row = target.closest(".row");
  if (row) choose(Number(row.dataset.row));
});
timeline.addEventListener("scroll", () => requestAnimationFrame(paint));
addEventListener("resize", paint);
addEventListener("hashchange", begin);
addEventListener("keydown", key);
begin();
