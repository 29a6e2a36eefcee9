// The timeline of a report: canvas, one frame when something changed, and only what is visible.
"use strict";
(function () {
  const box = document.getElementById("timeline");
  const source = document.getElementById("timeline-data");
  if (!box || !source) return;
  box.hidden = false;
  const data = JSON.parse(source.textContent);
  const canvas = box.querySelector("canvas");
  const pen = canvas.getContext("2d");
  const tip = box.querySelector(".tip");
  const said = box.querySelector(".said");
  const shownWindow = box.querySelector(".window");
  const HEAD = 26, ROW = 42, GAP = 8, FOOT = 6;
  const FOLD = 3; // pixels of a slice below which columns show the shares of several
  const LEAST = 10; // picoseconds that the narrowest window shows
  const rows = data.tracks;
  rows.filter((row) => row.starts).forEach(sumUp);
  const items = rows.reduce((sum, row) => sum + (row.starts ? row.starts.length : 0), 0);
  const state = { from: 0, to: data.makespan, row: 0, item: -1, hover: null };
  // what tests look at: nothing else reads it
  const stats = { items: items, frames: 0, drawn: 0, looked: 0 };
  let dirty = false, width = 0, left = 90, colours = {};

  // -- search ----------------------------------------------------------------------------------
  // first place from `low` on whose value is above `limit`; values rise
  function above(values, limit, low) {
    let high = values.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      stats.looked += 1;
      if (values[middle] > limit) high = middle; else low = middle + 1;
    }
    return low;
  }

  // -- drawing ---------------------------------------------------------------------------------
  function readColours() {
    const style = getComputedStyle(document.documentElement);
    for (const name of ["paper", "ink", "soft", "rule", "panel", "accent"]) {
      colours[name] = style.getPropertyValue("--" + name).trim();
    }
    // what is drawn has a colour in light and one in dark
    for (const row of rows) {
      for (const colour of row.colours || [row.colour]) {
        colours[colour] = style.getPropertyValue(variable(colour)).trim() || colour;
      }
    }
  }
  const scale = () => (width - left) / (state.to - state.from);
  const xOf = (ps) => left + (ps - state.from) * scale();
  const psOf = (x) => state.from + (x - left) / scale();
  const yOf = (row) => HEAD + row * (ROW + GAP);
  const height = HEAD + rows.length * (ROW + GAP) + FOOT;

  function resize() {
    width = canvas.clientWidth;
    left = width < 520 ? 72 : 108;
    const ratio = Math.min(3, window.devicePixelRatio || 1);
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.height = height + "px";
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    ask();
  }
  function ask() {
    if (dirty) return;
    dirty = true;
    requestAnimationFrame(draw);
  }
  function drawAxis() {
    const size = Math.max(1, step(state.to - state.from, width - left));
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    for (let at = Math.ceil(state.from / size) * size; at <= state.to; at += size) {
      const x = Math.round(xOf(at)) + 0.5;
      pen.fillStyle = colours.rule;
      pen.fillRect(x, HEAD - 4, 1, height - HEAD);
      pen.fillStyle = colours.soft;
      const label = time(at);
      const half = pen.measureText(label).width / 2;
      pen.fillText(label, Math.min(Math.max(x, left + half), width - half - 4), HEAD / 2);
    }
  }
  function draws(row, x, wide, top, found) {
    const looks = (row.colours || [row.colour]).map((colour) => colours[colour]);
    stats.drawn += row.colours ? stack(pen, x, wide, top + ROW, ROW, looks, found) : bar(pen, x, wide, top, ROW, looks[0], found);
  }
  function name(row, at, x, top, wide, colour, computed) {
    const text = fitted(data.names[row.labels[at]], wide - 10, pen);
    if (!text) return;
    if (row.mixes && row.mixes[at]) {
      pen.fillStyle = colours.paper;
      pen.fillRect(x + 3, top + ROW / 2 - 9, pen.measureText(text).width + 5, 18);
    }
    // in the part of the box that is of one colour and has room
    const full = ROW * computed >= 18;
    const middle = full ? top + ROW - (ROW * computed) / 2 : top + (ROW * (1 - computed)) / 2;
    pen.fillStyle = full ? inkOn(colour) : colours.ink;
    pen.textAlign = "left";
    pen.fillText(text, x + 5, middle);
  }
  function drawSlices(row, top, place) {
    let at = above(row.ends, state.from, 0);
    let done = left;
    while (at < row.starts.length && row.starts[at] < state.to) {
      const x = Math.max(done, xOf(row.starts[at]));
      const end = Math.min(width, xOf(row.ends[at]));
      const wide = end - x;
      const colour = colours[row.colours ? row.colours[row.sorts[at]] : row.colour];
      if (wide >= FOLD) {
        const found = sharesOf(row, at), is_mixed = row.mixes && row.mixes[at];
        draws(row, x, wide - 0.5, top, row.colours ? found : [1, found[1]]);
        if (wide > 34) name(row, at, x, top, wide, is_mixed ? colours.paper : colour, row.colours ? 1 : found[1]);
        if (state.row === place && state.item === at) {
          pen.strokeStyle = colours.ink;
          pen.lineWidth = 2;
          pen.strokeRect(x + 1, top + 1, Math.max(wide - 2, 2), ROW - 2);
        }
        // all that ends within this column of pixels would be drawn over it
        done = Math.floor(Math.max(end, x + 1));
        const next = at + 1, column = psOf(done);
        at = next < row.ends.length && row.ends[next] <= column ? above(row.ends, column, next) : next;
      } else {
        const column = Math.floor(x), from = psOf(Math.max(left, column)), to = psOf(column + 1);
        const next = above(row.ends, to, at);
        draws(row, column, 1, top, shares(row, from, to, at, next));
        if (state.row === place && state.item >= at && state.item < Math.max(next, at + 1)) {
          pen.fillStyle = colours.ink;
          pen.fillRect(column, top, 1, ROW);
        }
        done = column + 1;
        at = next;
      }
    }
  }
  function drawRate(row, top) {
    pen.fillStyle = colours[row.colour];
    let at = Math.max(0, above(row.edges, state.from, 0) - 1);
    while (at < row.values.length && row.edges[at] < state.to) {
      const x = Math.max(left, xOf(row.edges[at]));
      const end = Math.min(width, xOf(row.edges[at + 1]));
      const tall = Math.min(1, row.values[at] / row.full) * ROW;
      if (tall > 0) pen.fillRect(x, top + ROW - tall, Math.max(end - x, 0.5), tall);
      stats.drawn += 1;
      at += 1;
    }
    pen.fillStyle = colours.rule;
    pen.fillRect(left, top + ROW, width - left, 1);
  }
  function drawNames() {
    pen.textBaseline = "middle";
    pen.textAlign = "left";
    rows.forEach((row, place) => {
      pen.fillStyle = place === state.row && document.activeElement === canvas ? colours.accent : colours.ink;
      const middle = yOf(place) + ROW / 2;
      let name = row.name, more = second(row, left);
      const blank = name.indexOf(" ");
      if (!more && blank > 0 && pen.measureText(name).width > left - 14) {
        more = name.slice(blank + 1);
        name = name.slice(0, blank);
      }
      while (name.length > 2 && pen.measureText(name).width > left - 14) name = name.slice(0, -2) + "…";
      pen.fillText(name, 8, more ? middle - 7 : middle);
      if (more) {
        pen.fillStyle = colours.soft;
        pen.save();
        pen.font = "10px " + FONT;
        pen.fillText(more, 8, middle + 8);
        pen.restore();
      }
    });
  }
  const FONT = getComputedStyle(document.body).fontFamily;
  function draw() {
    dirty = false;
    stats.frames += 1;
    stats.drawn = 0;
    stats.looked = 0;
    pen.clearRect(0, 0, width, height);
    pen.font = "12px " + FONT;
    drawAxis();
    rows.forEach((row, place) => {
      if (row.starts) drawSlices(row, yOf(place), place); else drawRate(row, yOf(place));
    });
    pen.clearRect(0, 0, left, height);
    drawNames();
    shownWindow.textContent = time(state.from) + " to " + time(state.to) + " of " + time(data.makespan);
    canvas.dataset.from = String(state.from);
    canvas.dataset.to = String(state.to);
    for (const name of Object.keys(stats)) canvas.dataset[name] = String(stats[name]);
  }

  // -- moving ----------------------------------------------------------------------------------
  function look(from, to) {
    const span = Math.min(data.makespan, Math.max(LEAST, to - from));
    const start = Math.min(Math.max(0, from), data.makespan - span);
    state.from = start;
    state.to = start + span;
    ask();
  }
  function zoom(factor, at) {
    look(at - (at - state.from) / factor, at + (state.to - at) / factor);
  }
  function pan(share) {
    const by = share * (state.to - state.from);
    look(state.from + by, state.to + by);
  }
  const centre = () => (state.from + state.to) / 2;

  // -- choosing --------------------------------------------------------------------------------
  // a column of pixels in which several slices lie: the shares of its time, and how many they are
  function dense(place, x) {
    const row = rows[place];
    if (!row.layers) return "";
    const from = Math.max(state.from, psOf(Math.floor(x))), to = Math.min(state.to, psOf(Math.floor(x) + 1));
    const at = above(row.ends, from, 0), next = above(row.ends, to, at);
    if (next <= at || (row.ends[at] - row.starts[at]) * scale() >= FOLD) return "";
    const found = shares(row, from, to, at, next);
    const last = next < row.starts.length && row.starts[next] < to ? next : next - 1;
    const count = (last - at + 1).toLocaleString("en") + (last > at ? " slices" : " slice");
    return row.name + ": " + count + " from " + time(from) + " to " + time(to) + ", " + told(row, found);
  }
  function find(x, y) {
    const place = Math.floor((y - HEAD) / (ROW + GAP));
    if (place < 0 || place >= rows.length || x < left) return null;
    const row = rows[place], at = psOf(x);
    if (row.values) {
      const index = above(row.edges, at, 0) - 1;
      return index >= 0 && index < row.values.length ? { place: place, at: index } : null;
    }
    const reach = 1.5 / scale();
    const index = above(row.ends, at - reach, 0);
    return index < row.starts.length && row.starts[index] <= at + reach ? { place: place, at: index } : null;
  }
  function choose(place, at) {
    state.row = place;
    state.item = at;
    said.textContent = at >= 0 ? words(rows[place], at, data.names) : rows[place].name;
    ask();
  }
  function go(by) {
    const row = rows[state.row];
    if (!row.starts || !row.starts.length) {
      choose(state.row, -1);
      return;
    }
    let at = state.item + by;
    if (state.item < 0) at = Math.min(row.starts.length - 1, above(row.ends, state.from, 0));
    at = Math.min(row.starts.length - 1, Math.max(0, at));
    const start = row.starts[at], end = row.ends[at], span = state.to - state.from;
    if (start < state.from || end > state.to) {
      const wide = Math.max(span, 1.2 * (end - start));
      look((start + end - wide) / 2, (start + end + wide) / 2);
    }
    choose(state.row, at);
  }
  function hover(event) {
    const area = canvas.getBoundingClientRect();
    const x = event.clientX - area.left, y = event.clientY - area.top;
    const found = find(x, y);
    tip.hidden = !found;
    if (!found) return;
    tip.textContent = dense(found.place, x) || words(rows[found.place], found.at, data.names);
    tip.style.left = Math.max(0, Math.min(x + 12, area.width - tip.offsetWidth - 4)) + "px";
    tip.style.top = y + 16 + "px";
  }

  // -- input -----------------------------------------------------------------------------------
  const actions = {
    in: () => zoom(2, centre()), out: () => zoom(0.5, centre()),
    left: () => pan(-0.2), right: () => pan(0.2),
    before: () => go(-1), after: () => go(1), all: () => look(0, data.makespan),
  };
  const keys = {
    "+": "in", "=": "in", "-": "out", "_": "out", ArrowLeft: "left", ArrowRight: "right",
    p: "before", P: "before", n: "after", N: "after", "0": "all", Home: "all",
  };
  box.querySelector(".controls").addEventListener("click", (event) => {
    const action = actions[event.target.dataset.do];
    if (action) action();
  });
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      const by = event.key === "ArrowUp" ? -1 : 1;
      choose(Math.min(rows.length - 1, Math.max(0, state.row + by)), -1);
    } else if (keys[event.key]) actions[keys[event.key]]();
    else return;
    event.preventDefault();
  });
  canvas.addEventListener("focus", ask);
  canvas.addEventListener("blur", ask);
  canvas.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && document.activeElement !== canvas) return;
    event.preventDefault();
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) pan(event.deltaX / 800);
    else zoom(Math.exp(-event.deltaY / 300), psOf(event.clientX - canvas.getBoundingClientRect().left));
  }, { passive: false });
  const fingers = new Map();
  let moved = 0;
  canvas.addEventListener("pointerdown", (event) => {
    fingers.set(event.pointerId, event.clientX);
    moved = 0;
    canvas.setPointerCapture(event.pointerId);
    tip.hidden = true;
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!fingers.has(event.pointerId)) {
      hover(event);
      return;
    }
    const before = fingers.get(event.pointerId);
    if (fingers.size === 1) {
      moved += Math.abs(event.clientX - before);
      const by = (before - event.clientX) / scale();
      look(state.from + by, state.to + by);
    } else if (fingers.size === 2) {
      const other = [...fingers.entries()].find(([id]) => id !== event.pointerId)[1];
      const factor = Math.max(1, Math.abs(event.clientX - other)) / Math.max(1, Math.abs(before - other));
      zoom(factor, psOf((event.clientX + other) / 2 - canvas.getBoundingClientRect().left));
      moved += 99;
    }
    fingers.set(event.pointerId, event.clientX);
  });
  function lift(event) {
    fingers.delete(event.pointerId);
    if (event.type !== "pointerup" || moved > 4) return;
    const area = canvas.getBoundingClientRect();
    const found = find(event.clientX - area.left, event.clientY - area.top);
    if (found) choose(found.place, rows[found.place].starts ? found.at : -1);
  }
  canvas.addEventListener("pointerup", lift);
  canvas.addEventListener("pointercancel", lift);
  canvas.addEventListener("pointerleave", () => { tip.hidden = true; });

  // -- set-up ----------------------------------------------------------------------------------
  fillKey(box.querySelector(".key"), data.key);
  readColours();
  resize();
  window.addEventListener("resize", resize);
  for (const query of ["(prefers-color-scheme: dark)", "print"]) {
    window.matchMedia(query).addEventListener("change", () => { readColours(); ask(); });
  }
})();
