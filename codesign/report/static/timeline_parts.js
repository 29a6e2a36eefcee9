// What the timeline says and counts, apart from any canvas: numbers, colours, key, sums of slices.
"use strict";
const PREFIXES = ["p", "n", "µ", "m", "", "k", "M", "G", "T", "P"];
function quantity(value, unit, start) {
  if (value === 0) return "0 " + unit;
  let place = start;
  let size = value;
  while (size >= 999.95 && place < PREFIXES.length - 1) { size /= 1000; place += 1; }
  while (size < 1 && place > 0) { size *= 1000; place -= 1; }
  return Number(size.toPrecision(4)) + " " + PREFIXES[place] + unit;
}
const time = (ps) => quantity(ps, "s", 0);
function percent(part, whole) {
  const found = whole > 0 ? (100 * part) / whole : 0;
  return (found > 0 && found < 0.05 ? "< 0.1" : found.toFixed(1)) + " %";
}
const rate = (value) => quantity(value, "B/s", 4);

const variable = (colour) => "--c-" + colour.slice(1);
const inkOn = (colour) => {
  const parts = [1, 3, 5].map((place) => parseInt(colour.slice(place, place + 2), 16) / 255);
  const [r, g, b] = parts.map((p) => (p <= 0.04045 ? p / 12.92 : Math.pow((p + 0.055) / 1.055, 2.4)));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b < 0.18 ? "#ffffff" : "#111111";
};

// what the colours of the critical path mean
function fillKey(key, entries) {
  for (const [name, colour] of entries) {
    const entry = document.createElement("li"), mark = document.createElement("i");
    mark.style.background = "var(" + variable(colour) + ", " + colour + ")";
    entry.append(mark, name);
    key.append(entry);
  }
}

// how much of each slice is there up to its end: covered without gaps, and spent computing
function sumUp(row) {
  row.covered = new Float64Array(row.starts.length + 1);
  row.spent = new Float64Array(row.starts.length + 1);
  for (let at = 0; at < row.starts.length; at += 1) {
    const length = row.lengths ? row.lengths[at] : row.ends[at] - row.starts[at];
    row.covered[at + 1] = row.covered[at] + length;
    row.spent[at + 1] = row.spent[at] + (row.busy ? row.busy[at] : length);
  }
}
// both up to a time, where `at` is the first slice that ends after it
function until(row, ps, at) {
  if (at >= row.starts.length || ps <= row.starts[at]) return [row.covered[at], row.spent[at]];
  const share = (ps - row.starts[at]) / (row.ends[at] - row.starts[at]);
  return [row.covered, row.spent].map((sums) => sums[at] + share * (sums[at + 1] - sums[at]));
}

// shares of a time in which a row was taken and computed; `at` is a slice that ends after its start
function shares(row, from, to, at, next) {
  while (at > 0 && row.ends[at - 1] > from) at -= 1;
  const before = until(row, from, at), after = until(row, to, next);
  return [0, 1].map((sum) => Math.min(1, Math.max(0, (after[sum] - before[sum]) / (to - from))));
}

// what stands below the name of a row
function second(row, left) {
  if (row.values) return (row.peak ? (left > 80 ? "peak " : "") : "most ") + rate(row.full);
  return row.used === undefined ? "" : percent(row.used, 1) + (left > 80 ? " computing" : "");
}

// what is told of a slice or of a step of a rate
function words(row, at, names) {
  if (row.values) return row.name + ": " + rate(row.values[at]) + " at " + time(row.edges[at]);
  const start = row.starts[at], length = row.ends[at] - start, kind = row.kinds[row.sorts[at]];
  const title = names[row.labels[at]] + (row.busy && kind ? " (" + kind + ")" : "") + " on " + row.name;
  const computed = row.busy ? ", computes " + percent(row.busy[at], length) + " of it" : "";
  return title + ": starts at " + time(start) + ", takes " + time(length) + computed;
}

// how far ticks are from each other on so many pixels
function step(span, pixels) {
  const rough = span / Math.max(2, pixels / 110);
  const power = Math.pow(10, Math.floor(Math.log10(rough)));
  return [1, 2, 5, 10].map((m) => m * power).find((one) => one >= rough);
}

// as much of a text as there is room for; nothing where that is too little to read
function fitted(text, room, pen) {
  const wide = pen.measureText(text).width;
  if (wide <= room) return text;
  const signs = Math.floor((text.length * room) / wide) - 1;
  return signs < 4 ? "" : text.slice(0, signs) + "…";
}
