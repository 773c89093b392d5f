// Which page, its stream, and how old what it shows is.

import { element, show } from "./dom.js";
import { countdown, duration, timeOfDay } from "./format.js";
import { render } from "./view.js";

const SILENT_MS = 12000; // more than two of the server's heartbeats
const byId = (id) => document.getElementById(id);
const FILTERS = ["channel", "group", "category"];

let page = pageOf(location);
let clock = null; // what the server said last, and when it came by the browser's own clock
let stream = null;
let heardMs = performance.now();

function pageOf(place) {
  const [, kind, id] = place.pathname.split("/");
  return kind === "kpi" ? { kind, id: decodeURIComponent(id) } : { kind: "board", id: id || "floor" };
}

function query() {
  return new URLSearchParams(location.search);
}

function link(path, change = {}) {
  const kept = query();
  for (const [key, value] of Object.entries(change)) value ? kept.set(key, value) : kept.delete(key);
  const text = kept.toString();
  return text ? `${path}?${text}` : path;
}

// Where the address holds a user name and its password, as that of a screen on a wall may, a relative one is refused.
function served(path) {
  return new URL(path, location.origin);
}

function heard(said) {
  heardMs = performance.now();
  clock = { nowMs: said.now_ms, asOfMs: said.as_of_ms, runs: said.runs, stale: said.stale, staleAfterS: said.stale_after_s };
  tick();
}

function connect() {
  stream?.close();
  const asked = new URLSearchParams({ page: `${page.kind}:${page.id}` });
  for (const name of FILTERS) if (query().get(name)) asked.set(name, query().get(name));
  stream = new EventSource(served(`/wallboard/stream?${asked}`));
  stream.addEventListener("state", (event) => {
    const state = JSON.parse(event.data);
    render(state, page, link);
    filters(state);
    heard(state);
  });
  stream.addEventListener("clock", (event) => heard(JSON.parse(event.data)));
  stream.addEventListener("error", () => {
    // A refused stream is closed for good by the browser; one that broke it opens again by itself.
    if (stream.readyState === EventSource.CLOSED) setTimeout(connect, 5000);
  });
}

function nowMs() {
  return clock.runs ? clock.nowMs + (performance.now() - heardMs) : clock.nowMs;
}

// How long, not told aloud: it changes with every second, what is said once is enough.
function lasting(seconds) {
  return element("span", { "aria-live": "off" }, duration(seconds));
}

function troubleOf() {
  const silentMs = performance.now() - heardMs;
  if (silentMs > SILENT_MS || stream.readyState === EventSource.CLOSED) {
    return ["▲ Connection lost ", lasting(silentMs / 1000), " ago: these numbers are not current. Connecting again …"];
  }
  if (clock === null) return [];
  if (clock.asOfMs === null) return ["○ No values yet: the worker is starting, or another worker publishes."];
  const ageS = (nowMs() - clock.asOfMs) / 1000;
  if (clock.stale || (clock.runs && ageS > clock.staleAfterS)) return ["▲ Stale: these numbers are ", lasting(ageS), " old."];
  return [];
}

function tick() {
  const trouble = byId("trouble");
  show(trouble, ...troubleOf());
  document.body.classList.toggle("stale", trouble.textContent.startsWith("▲"));
  if (clock === null || clock.asOfMs === null) return;
  byId("clock").textContent = `Data as of ${timeOfDay(clock.asOfMs)}`;
  for (const cell of document.querySelectorAll("[data-deadline-ms]")) {
    const leftS = (Number(cell.dataset.deadlineMs) - nowMs()) / 1000;
    const owed = leftS <= 0 && "owed" in cell.dataset;
    cell.textContent = leftS > 0 ? countdown(leftS) : owed ? `missed by ${countdown(-leftS)}` : "due now";
    cell.classList.toggle("soon", leftS < 300 && !owed);
    cell.classList.toggle("owed", owed);
  }
}

function filters(state) {
  show(byId("filters"), ...FILTERS.map((name) => {
    const chosen = state.filter?.dimension === name ? state.filter.value : "";
    const values = chosen && !state.choices[name].includes(chosen) ? [chosen, ...state.choices[name]] : state.choices[name];
    const options = values.map((value) => element("option", { value, selected: value === chosen ? "" : null }, value));
    return element("label", {}, element("span", {}, name),
      element("select", { name }, element("option", { value: "" }, `every ${name}`), ...options));
  }));
  // Once somebody has chosen, a select no longer looks at the attribute.
  for (const select of byId("filters").querySelectorAll("select")) {
    const value = select.querySelector("[selected]")?.value ?? "";
    if (select.value !== value) select.value = value;
  }
}

function go(url) {
  history.pushState(null, "", url);
  arrive();
}

function arrive() {
  page = pageOf(location);
  boards();
  connect();
}

let known = [];
function boards() {
  show(byId("boards"), ...known.map((board) => element(
    "a",
    { href: link(`/board/${board.id}`), "aria-current": page.kind === "board" && page.id === board.id ? "page" : null },
    board.title,
  )));
}

function theme() {
  const systemDark = !matchMedia("(prefers-color-scheme: light)").matches;
  let dark = localStorage.getItem("theme") ? localStorage.getItem("theme") === "dark" : systemDark;
  const paint = () => {
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    byId("theme").textContent = dark ? "Light theme" : "Dark theme";
  };
  byId("theme").addEventListener("click", () => {
    dark = !dark;
    localStorage.setItem("theme", dark ? "dark" : "light");
    paint();
  });
  paint();
}

function kiosk() {
  const seconds = Number(query().get("kiosk"));
  if (!(seconds >= 5 && seconds <= 3600)) return;
  document.body.classList.add("kiosk");
  setInterval(() => {
    const walls = known.filter((board) => board.wall).map((board) => board.id);
    const next = walls[(walls.indexOf(page.id) + 1) % walls.length];
    history.replaceState(null, "", link(`/board/${next}`));
    arrive();
  }, seconds * 1000);
}

byId("filters").addEventListener("change", (event) => {
  const change = Object.fromEntries(FILTERS.map((name) => [name, ""]));
  change[event.target.name] = event.target.value;
  go(link(location.pathname, change));
});
document.addEventListener("click", (event) => {
  const anchor = event.target.closest("a[href^='/board'], a[href^='/kpi']");
  if (!anchor || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  go(anchor.getAttribute("href"));
  scrollTo(0, 0);
});
addEventListener("popstate", arrive);

theme();
connect();
setInterval(tick, 250);
known = (await (await fetch(served("/wallboard/boards"))).json()).boards;
boards();
kiosk();
