// Lays a page's state out.

import { drawing, element, show } from "./dom.js";
import { chart, trend } from "./draw.js";
import { figure, timeOfDay } from "./format.js";

const byId = (id) => document.getElementById(id);
// A word and a shape: colour only says it a third time.
const VERDICTS = { met: ["●", "on target"], missed: ["▲", "off target"], "no target": ["", ""], "no value": ["○", "no data"], "nobody waits": ["●", "nobody waits"] };
const GOOD = { up: "higher is better", down: "lower is better", none: "" };

function goal(tile) {
  if (tile.target === null || tile.direction === "none") return GOOD[tile.direction];
  return `${tile.direction === "up" ? "at least" : "at most"} ${figure(tile.target, tile.kind, tile.unit)}`;
}

function tileOf(tile, link) {
  const [shape, word] = VERDICTS[tile.verdict];
  const others = tile.others.map(([value, unit]) => ` + ${figure(value, tile.kind, unit)}`).join("");
  const samples = ["ratio", "duration", "score"].includes(tile.kind) && tile.samples !== null ? ` · ${tile.samples} samples` : "";
  return element(
    "article",
    { class: `tile ${tile.verdict.replaceAll(" ", "-")}`, "data-kpi": tile.kpi },
    element("h2", {}, element("a", { href: link(`/kpi/${tile.kpi}`) }, tile.title)),
    element("p", { class: "value" }, figure(tile.value, tile.kind, tile.unit), others && element("small", {}, others)),
    trend(tile.trend),
    element("p", { class: "verdict" }, word ? element("b", {}, element("span", { "aria-hidden": "true" }, `${shape} `), word, " ") : "",
      element("span", { class: "goal" }, goal(tile))),
    element("p", { class: "quiet" }, tile.window, samples, tile.split ? "" : " · everything: not split by this"),
  );
}

function alertOf(alert, link) {
  const value = figure(alert.value, alert.kind, alert.unit), target = figure(alert.target, alert.kind, alert.unit);
  return element(
    "article",
    { class: "alert", "data-kpi": alert.kpi },
    element("h2", {}, "▲ ", element("a", { href: link(`/kpi/${alert.kpi}`) }, alert.title), ` ${value}, target ${target}`),
    element("p", {}, alert.advice),
    element("p", { class: "quiet" }, `${alert.window} · since ${timeOfDay(alert.since_ms)}`),
  );
}

function recoveredOf(alert) {
  const when = `${timeOfDay(alert.since_ms)} to ${timeOfDay(alert.until_ms)}`;
  return element("p", { class: "recovered" }, `● ${alert.title}: recovered, off target ${when}`);
}

function cellOf(cell, column, countsDown) {
  if (countsDown && cell.value !== null) {
    return element("td", { class: "count", "data-deadline-ms": String(cell.deadline_ms) }, "");
  }
  return element("td", {}, figure(cell.value, column.kind, cell.unit || column.unit));
}

function tableOf(panel) {
  const head = panel.columns.map((column) => element("th", { scope: "col" }, column.title));
  const rows = panel.rows.map((row) => element(
    "tr", {},
    element("th", { scope: "row" }, row.name),
    ...row.cells.map((cell, i) => cellOf(cell, panel.columns[i], panel.shape === "countdown" && i === 0)),
  ));
  return element("table", {},
    element("thead", {}, element("tr", {}, element("th", { scope: "col" }, panel.dimension), ...head)),
    element("tbody", {}, ...rows));
}

function barsOf(panel) {
  const most = Math.max(1, ...panel.rows.map((row) => row.cells[0].value));
  const column = panel.columns[0];
  return element("ul", {}, ...panel.rows.map((row) => element(
    "li", {},
    element("span", {}, row.name),
    drawing("svg", { viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" },
      drawing("rect", { width: String((row.cells[0].value / most) * 100), height: "8", rx: "1" })),
    element("b", {}, figure(row.cells[0].value, column.kind, column.unit)),
  )));
}

function deadlinesOf(panel) {
  const head = ["ticket or chat", "time left"];
  return element("table", {},
    element("thead", {}, element("tr", {}, ...head.map((name) => element("th", { scope: "col" }, name)))),
    element("tbody", {}, ...panel.rows.map((row) => element("tr", {},
      element("th", { scope: "row" }, element("span", {}, row.name), element("small", {}, `${row.promise} · ${row.group}`)),
      element("td", { class: "count", "data-deadline-ms": String(row.deadline_ms), "data-owed": "" }, "")))));
}

function bodyOf(panel) {
  switch (panel.shape) {
    case "bars": return barsOf(panel);
    case "deadlines": return deadlinesOf(panel);
    default: return tableOf(panel);
  }
}

const NOTHING = { countdown: "Nothing is promised that runs.", deadlines: "Nothing is promised that runs." };

function panelOf(panel) {
  const body = panel.rows.length === 0
    ? element("p", { class: "quiet" }, NOTHING[panel.shape] ?? "Nothing here now.")
    : bodyOf(panel);
  return element(
    "article", { class: `panel ${panel.shape}`, id: `panel-${panel.id}` },
    element("h2", {}, panel.title, panel.total_of ? element("small", {}, " everything: not split by the filter") : "",
      panel.of_nearest ? element("small", {}, ` among the ${panel.of_nearest} nearest of all`) : ""),
    body,
    panel.more ? element("p", { class: "quiet" }, `and ${panel.more} more`) : null,
  );
}

function figuresTable(caption, first, rows, tile) {
  const durations = tile.kind === "duration";
  const head = [first, "value", ...(durations ? ["median", "p90"] : []), "samples"];
  return element("table", {},
    element("caption", {}, caption),
    element("thead", {}, element("tr", {}, ...head.map((name) => element("th", { scope: "col" }, name)))),
    element("tbody", {}, ...rows.map((row) => element("tr", {},
      element("th", { scope: "row" }, row.name ?? row.window),
      element("td", {}, figure(row.value, tile.kind, row.unit)),
      ...(durations ? [row.p50, row.p90].map((value) => element("td", {}, figure(value, tile.kind, row.unit))) : []),
      element("td", {}, row.samples === null ? "–" : row.samples.toLocaleString("en"))))));
}

function kpiDetails(state) {
  const tile = state.tiles[0];
  return [
    element("article", { class: "panel wide" }, element("h2", {}, "Every five minutes"), chart(state.chart, tile)),
    element("article", { class: "panel" }, element("h2", {}, "What it is"), element("p", {}, state.definition),
      element("p", { class: "quiet" }, "Formula ", element("code", {}, state.formula)),
      element("p", { class: "quiet" }, "Metric ", element("code", {}, state.metric))),
    element("article", { class: "panel" }, element("h2", {}, "What to do when it is bad"), element("p", {}, state.advice)),
    element("article", { class: "panel" }, element("h2", {}, "Windows"), figuresTable("The same in other windows", "window", state.windows, tile)),
    ...state.cuts.filter((cut) => cut.rows.length > 0).map((cut) => element("article", { class: "panel" },
      element("h2", {}, `By ${cut.dimension}`), figuresTable(cut.window, cut.dimension, cut.rows, tile))),
  ];
}

export function render(state, page, link) {
  byId("title").textContent = state.title;
  byId("audience").textContent = state.audience ?? "";
  document.title = `${state.title} – stream-kpi`;
  document.body.dataset.page = page.kind;
  show(byId("numbers"), ...state.tiles.map((tile) => tileOf(tile, link)));
  show(byId("alerts"), ...state.alerts.map((alert) => alertOf(alert, link)), ...state.recovered.map(recoveredOf));
  show(byId("details"), ...(page.kind === "kpi" ? kpiDetails(state) : state.panels.map(panelOf)));
}
