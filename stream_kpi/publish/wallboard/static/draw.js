// A trend line beside a number, and the chart of a KPI's page.

import { drawing, element } from "./dom.js";
import { figure, timeOfDay } from "./format.js";

function points(values, width, height, low, high) {
  const span = high - low || 1;
  const step = width / Math.max(1, values.length - 1);
  return values.map((v, i) => `${(i * step).toFixed(1)},${(height - ((v - low) / span) * height).toFixed(1)}`).join(" ");
}

export function trend(values) {
  if (values.length < 2) return drawing("svg", { class: "trend", viewBox: "0 0 100 24", "aria-hidden": "true" });
  const low = Math.min(...values), high = Math.max(...values);
  return drawing(
    "svg",
    { class: "trend", viewBox: "-1 -2 102 28", preserveAspectRatio: "none", "aria-hidden": "true" },
    drawing("polyline", { points: points(values, 100, 24, low, high) }),
  );
}

export function chart(course, tile) {
  if (course.length < 2) return element("p", { class: "quiet" }, "No chart yet: it needs two windows of five minutes.");
  const values = course.map((point) => point[1]);
  const all = tile.target === null ? values : [...values, tile.target];
  const low = Math.min(0, ...all), high = Math.max(...all) * 1.05 || 1;
  const width = 720, height = 200;
  const y = (value) => height - ((value - low) / (high - low || 1)) * height;
  const label = (text, x, at, anchor) => drawing("text", { x, y: at, "text-anchor": anchor }, text);
  const parts = [
    drawing("line", { class: "axis", x1: 0, x2: width, y1: height, y2: height }),
    drawing("polyline", { class: "line", points: points(values, width, height, low, high) }),
    label(timeOfDay(course[0][0]).slice(0, 5), 0, height + 20, "start"),
    label(timeOfDay(course.at(-1)[0]).slice(0, 5), width, height + 20, "end"),
    label(figure(Math.max(...values), tile.kind, tile.unit), -8, y(Math.max(...values)) + 5, "end"),
  ];
  if (tile.target !== null) {
    parts.push(drawing("line", { class: "target", x1: 0, x2: width, y1: y(tile.target), y2: y(tile.target) }));
    parts.push(label(`target ${figure(tile.target, tile.kind, tile.unit)}`, width, y(tile.target) - 6, "end"));
  }
  const words = `From ${figure(values[0], tile.kind, tile.unit)} to ${figure(values.at(-1), tile.kind, tile.unit)}`;
  return drawing("svg", { class: "chart", viewBox: "-90 -24 830 256", role: "img", "aria-label": words }, ...parts);
}
