// Numbers as people read them.

const MINUTE_S = 60, HOUR_S = 3600, DAY_S = 86400;

export function duration(seconds) {
  const s = Math.max(0, seconds);
  if (s < 10) return `${s.toFixed(1).replace(/\.0$/, "")} s`;
  if (s < MINUTE_S) return `${Math.round(s)} s`;
  if (s < HOUR_S) return pair(Math.round(s), MINUTE_S, "m", 1, "s");
  if (s < 2 * DAY_S) return pair(Math.round(s / MINUTE_S), 60, "h", 1, "m");
  return pair(Math.round(s / HOUR_S), 24, "d", 1, "h");
}

function pair(units, per, large, _one, small) {
  const rest = units % per;
  return rest ? `${Math.floor(units / per)} ${large} ${rest} ${small}` : `${Math.floor(units / per)} ${large}`;
}

export function countdown(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  const two = (n) => String(n).padStart(2, "0");
  const clock = `${two(Math.floor((s % HOUR_S) / MINUTE_S))}:${two(s % MINUTE_S)}`;
  return s < HOUR_S ? clock : `${Math.floor(s / HOUR_S)}:${clock}`;
}

export function number(value, digits = 0) {
  return new Intl.NumberFormat("en", { maximumFractionDigits: digits }).format(value);
}

export function figure(value, kind, unit) {
  if (value === null || value === undefined) return "–";
  switch (kind) {
    case "ratio": return `${number(value * 100, Math.abs(value) < 0.1 ? 1 : 0)} %`;
    case "duration": case "age": case "time": case "left": return duration(value);
    case "money": return `${Math.abs(value) < 10000 ? number(value, 2) : compact(value)} ${unit}`;
    case "months": return `${number(value, 1)} months`;
    case "quotient": case "score": return number(value, 1);
    default: return number(value);
  }
}

function compact(value) {
  return new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 }).format(value);
}

export function timeOfDay(ms) {
  return new Date(ms).toLocaleTimeString("en-GB");
}
