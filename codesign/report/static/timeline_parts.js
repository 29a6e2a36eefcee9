// What the timeline says and counts, apart from any canvas: numbers, colours, sums over slices.
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
