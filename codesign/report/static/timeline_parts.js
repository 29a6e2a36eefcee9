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

// what of each slice is there up to its end, layer by layer: of an engine what is covered without
// gaps and what of it is spent computing, of the critical path the time of each cause
function sumUp(row) {
  const count = row.colours ? row.colours.length : 2;
  row.layers = Array.from({ length: count }, () => new Float64Array(row.starts.length + 1));
  for (let at = 0; at < row.starts.length; at += 1) {
    const length = row.lengths ? row.lengths[at] : row.ends[at] - row.starts[at];
    row.layers.forEach((sums) => { sums[at + 1] = sums[at]; });
    if (row.colours) {
      for (const [cause, ps] of row.mixes[at] || [[row.sorts[at], length]]) row.layers[cause][at + 1] += ps;
    } else {
      row.layers[0][at + 1] += length;
      row.layers[1][at + 1] += row.busy[at];
    }
  }
}
// each layer up to a time, where `at` is the first slice that ends after it
function until(row, ps, at) {
  if (at >= row.starts.length || ps <= row.starts[at]) return row.layers.map((sums) => sums[at]);
  const share = (ps - row.starts[at]) / (row.ends[at] - row.starts[at]);
  return row.layers.map((sums) => sums[at] + share * (sums[at + 1] - sums[at]));
}

// share of a time in each layer of a row; `at` is a slice that ends after its start
function shares(row, from, to, at, next) {
  while (at > 0 && row.ends[at - 1] > from) at -= 1;
  const before = until(row, from, at), after = until(row, to, next);
  return after.map((sum, layer) => Math.min(1, Math.max(0, (sum - before[layer]) / (to - from))));
}
// the shares of one slice
function sharesOf(row, at) {
  const spent = row.layers.map((sums) => sums[at + 1] - sums[at]);
  const whole = row.colours ? spent.reduce((sum, one) => sum + one, 0) : row.ends[at] - row.starts[at];
  if (whole > 0) return spent.map((one) => one / whole);
  return row.colours ? row.colours.map((_, cause) => Number(cause === row.sorts[at])) : [1, 1];
}
// causes with their shares, the largest first
function mixed(row, found) {
  return found.map((share, cause) => [share, row.kinds[cause]]).filter(([share]) => share > 0)
    .sort((a, b) => b[0] - a[0]).map(([share, cause]) => cause + " " + percent(share, 1)).join(", ");
}
// what is told of a column of pixels
function told(row, found) {
  if (row.colours) return mixed(row, found) + ", in turns";
  return percent(found[1], 1) + " computing, " + percent(Math.max(0, found[0] - found[1]), 1) + " waiting";
}

// pale where the row is taken, full below for the share in which it computed
function bar(pen, x, wide, top, tall, colour, [taken, computed]) {
  pen.fillStyle = colour;
  if (computed < taken) {
    pen.globalAlpha = 0.28;
    pen.fillRect(x, top + tall * (1 - taken), wide, tall * taken);
    pen.globalAlpha = 1;
  }
  pen.fillRect(x, top + tall * (1 - computed), wide, tall * computed);
  return 1;
}
// of the path: the causes above each other, each as high as its share
function stack(pen, x, wide, bottom, tall, looks, found) {
  let low = bottom, drawn = 0;
  found.forEach((share, cause) => {
    if (!(share > 0)) return;
    pen.fillStyle = looks[cause];
    pen.fillRect(x, low - tall * share, wide, tall * share);
    low -= tall * share;
    drawn += 1;
  });
  return drawn;
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
  const turns = row.mixes && row.mixes[at] ? ": " + mixed(row, sharesOf(row, at)) + ", in turns" : "";
  const title = names[row.labels[at]] + (row.busy && kind ? " (" + kind + ")" : "") + " on " + row.name;
  const computed = row.busy ? ", computes " + percent(row.busy[at], length) + " of it" : "";
  return title + ": starts at " + time(start) + ", takes " + time(length) + computed + turns;
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
