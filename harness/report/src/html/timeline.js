"use strict";

/* Lanes of items on one time axis, on a canvas. Times are nanoseconds. */

// Places in an item, as `Item` in timeline/mod.rs writes it.
const FROM = 0, TO = 1, TONE = 2, MARKED = 3, SEQ = 4, LABEL = 5;

/** A length of time as every report of Grenadier writes it. */
function lengthText(ns) {
  const scaled = (unit, name) => {
    const text = (Math.floor(ns * 1000 / unit) / 1000).toFixed(3).replace(/\.?0+$/, "");
    return text + name;
  };
  if (ns === 0) return "0s";
  if (ns < 1e3) return ns + "ns";
  if (ns < 1e6) return scaled(1e3, "µs");
  if (ns < 1e9) return scaled(1e6, "ms");
  if (ns < 60e9) return scaled(1e9, "s");
  const seconds = Math.floor(ns / 1e9), two = (n) => String(n).padStart(2, "0");
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return h > 0 ? `${h}h${two(m)}m${two(s)}s` : `${m}m${two(s)}s`;
}

/** A moment, in minutes and seconds with `digits` behind the point. */
function momentText(ns, digits) {
  const negative = ns < 0, all = Math.abs(ns) / 1e9;
  const whole = Math.floor(all / 60 + 1e-12), seconds = Math.max(0, all - whole * 60);
  const [hours, minutes] = [Math.floor(whole / 60), whole % 60];
  const padded = seconds.toFixed(digits).padStart(digits > 0 ? digits + 3 : 2, "0");
  const text = hours > 0 ? `${hours}h${String(minutes).padStart(2, "0")}m${padded}s`
    : minutes > 0 ? `${minutes}m${padded}s`
    : `${seconds.toFixed(digits)}s`;
  return (negative ? "−" : "") + text;
}

/** The step between two marks of the axis: 1, 2 or 5 times a power of ten, or a fraction of an hour. */
function axisStep(least) {
  const minutes = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600].map((m) => m * 60e9);
  const below = [1, 2, 5, 10, 15, 30].map((s) => s * 1e9);
  if (least >= 1e9) return [...below, ...minutes].find((step) => step >= least) || least;
  const power = 10 ** Math.floor(Math.log10(Math.max(least, 1)));
  return [1, 2, 5, 10].map((n) => n * power).find((step) => step >= least);
}

class Timeline {
  constructor(canvas, tip, data, onChoose, onView) {
    Object.assign(this, { canvas, tip, data, onChoose, onView });
    this.context = canvas.getContext("2d");
    this.end = Math.max(data.timeline.end_ns, 1);
    this.hidden = new Set(data.timeline.groups.filter((group) => !group.shown).map((group) => group.name));
    for (const group of data.timeline.groups) for (const lane of group.lanes) prepare(lane);
    this.chosen = null;
    this.view = { from: 0, to: this.end };
    this.paint();
    this.show(...this.first());
    this.listen();
  }

  /** The part that is worth looking at first, with some air around it. */
  first() {
    const [from, to] = this.data.timeline.view_ns, air = (to - from) * 0.03;
    return to > from ? [from - air, to + air] : [0, this.end];
  }

  /** Shows a part of the axis; never less than a microsecond, never beyond the run. */
  show(from, to) {
    const length = Math.min(Math.max(to - from, 1e3), this.end);
    const start = Math.min(Math.max((from + to - length) / 2, 0), this.end - length);
    this.view = { from: start, to: start + length };
    this.draw();
    this.onView(this.view);
  }

  zoom(factor, at) {
    const { from, to } = this.view;
    const around = at ?? (this.chosen ? clamp(this.chosen.item[FROM], from, to) : (from + to) / 2);
    this.show(around - (around - from) * factor, around + (to - around) * factor);
  }

  move(by) {
    const length = this.view.to - this.view.from;
    const start = clamp(this.view.from + by, 0, this.end - length);
    this.show(start, start + length);
  }

  showsAll() { return this.view.to - this.view.from >= this.end; }

  toggle(name) {
    if (!this.hidden.delete(name)) this.hidden.add(name);
    if (this.chosen && this.hidden.has(this.chosen.group)) this.choose(null);
    this.draw();
  }

  /** Chooses an item, or none; brings it into view. */
  choose(chosen) {
    this.chosen = chosen;
    if (chosen) {
      const [from, to] = chosen.item, { view } = this, length = view.to - view.from;
      if (to < view.from || from > view.to) this.show(from - length / 3, from + length * 2 / 3);
    }
    this.draw();
    this.onChoose(chosen);
  }

  /** The item an event belongs to: the one it says most about, or the moment itself. */
  chooseEvent(seq, at) {
    for (const group of this.data.timeline.groups) {
      for (const lane of group.lanes) {
        const item = lane.items.find((item) => item[SEQ] === seq);
        if (!item) continue;
        this.hidden.delete(group.name);
        this.choose({ group: group.name, lane, item });
        return;
      }
    }
    this.choose(null);
    const length = this.view.to - this.view.from;
    this.guide = at;
    this.show(at - length / 2, at + length / 2);
  }

  // Layout.

  place() {
    const width = this.canvas.clientWidth;
    const narrow = width < 640;
    this.width = width;
    this.left = narrow ? 0 : Math.round(clamp(width * 0.18, 130, 210));
    this.lanes = [];
    let y = 54;
    for (const group of this.data.timeline.groups) {
      if (this.hidden.has(group.name)) continue;
      const head = y;
      y += 24;
      for (const lane of group.lanes) {
        const height = narrow ? 36 : 24;
        this.lanes.push({ group: group.name, lane, y, height, bar: narrow ? y + 16 : y + 3, label: narrow ? y + 12 : y + 16 });
        y += height;
      }
      this.lanes[this.lanes.length - group.lanes.length].head = head;
      y += 10;
    }
    this.height = y;
  }

  x(ns) { return this.left + (ns - this.view.from) / (this.view.to - this.view.from) * (this.width - this.left); }
  ns(x) { return this.view.from + (x - this.left) / (this.width - this.left) * (this.view.to - this.view.from); }

  // Drawing.

  /** Reads the colours and makes the hatching, anew when light turns to dark. */
  paint() {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue("--" + name).trim();
    this.colours = Object.fromEntries(
      ["ground", "raised", "ink", "soft", "line", "edge", "accent", "good", "bad", "notice"].map((name) => [name, colour(name)]));
    this.font = style.getPropertyValue("--text");
    const fill = {
      strong: colour("accent-fill"), good: colour("good-fill"), bad: colour("bad-fill"),
      notice: colour("notice-fill"), quiet: colour("quiet-fill"),
    };
    const edge = {
      strong: colour("accent"), good: colour("good"), bad: colour("bad"), notice: colour("notice"), quiet: colour("edge"),
    };
    this.tones = Object.fromEntries(Object.keys(fill).map((tone) => [tone, { fill: fill[tone], edge: edge[tone] }]));
    this.tones.bad.hatch = this.hatch(colour("bad"), (c) => { c.moveTo(0, 8); c.lineTo(8, 0); });
    this.tones.notice.hatch = this.hatch(colour("notice"), (c) => { c.rect(2, 2, 1, 1); });
  }

  hatch(colour, path) {
    const tile = document.createElement("canvas");
    tile.width = tile.height = 8;
    const c = tile.getContext("2d");
    c.strokeStyle = colour;
    c.globalAlpha = 0.55;
    path(c);
    c.stroke();
    return this.context.createPattern(tile, "repeat");
  }

  draw() {
    this.place();
    const { canvas, context: c, width, height } = this, ratio = window.devicePixelRatio || 1;
    if (width === 0) return;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.height = height + "px";
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    c.textBaseline = "alphabetic";
    this.drawOverview();
    this.drawAxis();
    let drawn = 0;
    for (const row of this.lanes) drawn += this.drawLane(row);
    this.drawFaults();
    this.drawGuide();
    this.drawChosen();
    Object.assign(canvas.dataset, { from: Math.round(this.view.from), to: Math.round(this.view.to), drawn });
  }

  /** Draws once before the next frame, however often it is asked to. */
  drawSoon() {
    this.frame ??= requestAnimationFrame(() => { this.frame = null; this.draw(); });
  }

  text(text, x, y, colour, size = 12, weight = 400) {
    this.context.font = `${weight} ${size}px ${this.font}`;
    this.context.fillStyle = colour;
    this.context.fillText(text, x, y);
  }

  /** The whole run in one strip, and what of it is in view. */
  drawOverview() {
    const { context: c, colours } = this, span = this.width - this.left;
    const at = (ns) => this.left + ns / this.end * span;
    if (this.left > 0) this.text("Whole run", 0, 13, colours.soft);
    c.fillStyle = colours.raised;
    c.fillRect(this.left, 4, span, 12);
    const strip = (item, colour, least) => {
      c.fillStyle = colour;
      c.fillRect(at(item[FROM]), 4, Math.max(at(item[TO]) - at(item[FROM]) - (least ? 0 : 1), 1), 12);
    };
    for (const group of this.data.timeline.groups) {
      const lanes = { Run: group.lanes.filter((lane) => lane.name === "Phases"), Availability: group.lanes }[group.name] || [];
      for (const lane of lanes) {
        for (const item of lane.items) {
          if (group.name === "Run") strip(item, this.tones[item[TONE]].fill, false);
          else if (item[TONE] === "bad") strip(item, colours.bad, true);
        }
      }
    }
    c.strokeStyle = colours.ink;
    c.lineWidth = 1.5;
    const from = at(this.view.from), to = Math.max(at(this.view.to), from + 4);
    c.strokeRect(from + 0.75, 2.75, Math.min(to, this.width) - from - 1.5, 14.5);
  }

  drawAxis() {
    const { context: c, colours } = this, { from, to } = this.view;
    const step = axisStep((to - from) * 84 / (this.width - this.left));
    const digits = step >= 1e9 ? 0 : Math.min(9, Math.ceil(-Math.log10(step / 1e9) - 1e-9));
    c.lineWidth = 1;
    for (let mark = Math.ceil(from / step) * step; mark <= to; mark += step) {
      const x = Math.round(this.x(mark)) + 0.5;
      c.strokeStyle = colours.line;
      c.beginPath();
      c.moveTo(x, 42);
      c.lineTo(x, this.height);
      c.stroke();
      const text = momentText(mark, digits);
      c.font = `400 12px ${this.font}`;
      const half = c.measureText(text).width / 2;
      this.text(text, clamp(x - half, this.left, this.width - 2 * half), 37, colours.soft);
    }
  }

  drawLane(row) {
    const { context: c, colours } = this, { lane, y, bar, label } = row;
    if (row.head !== undefined) {
      this.text(row.group, 0, row.head + 16, colours.ink, 12, 600);
    }
    c.save();
    c.beginPath();
    c.rect(0, y, this.left > 0 ? this.left - 10 : this.width, row.height);
    c.clip();
    this.text(lane.name, this.left > 0 ? 0 : 2, label, colours.soft);
    c.restore();
    c.save();
    c.beginPath();
    c.rect(this.left, y, this.width - this.left, row.height);
    c.clip();
    const [bad, moments] = [[], []];
    let drawn = 0, last = -1, lastTone = "";
    for (let place = firstIn(lane, this.view.from); place < lane.items.length; place += 1) {
      const item = lane.items[place];
      if (item[FROM] > this.view.to) break;
      if (item[TO] < this.view.from) continue;
      const x = this.x(item[FROM]), wide = Math.max(this.x(item[TO]) - x, 2), pixel = Math.round(x);
      drawn += 1;
      // Thousands of calls within a pixel look like one.
      if (wide <= 2 && pixel === last && item[TONE] === lastTone) continue;
      [last, lastTone] = [pixel, item[TONE]];
      if (item[FROM] === item[TO] && lane.moments) moments.push([item, x]);
      else if (item[TONE] === "bad") bad.push([item, x, wide]);
      else this.drawBar(item, x, wide, bar);
    }
    // What is short and bad must not vanish below what is long and good, nor moments below what lasts.
    for (const [item, x, wide] of bad) this.drawBar(item, x, wide, bar);
    for (const [item, x] of moments) this.drawMoment(item, x, bar);
    c.restore();
    return drawn;
  }

  drawBar(item, x, wide, y) {
    const { context: c, colours } = this, tone = this.tones[item[TONE]];
    const left = Math.max(x, this.left - 2), right = Math.min(x + wide, this.width + 2);
    if (wide < 4) {
      c.fillStyle = tone.edge;
      c.fillRect(left, y, wide, 18);
      return;
    }
    const inner = Math.max(right - left - 1, 1);
    c.fillStyle = tone.fill;
    c.fillRect(left, y, inner, 18);
    if (tone.hatch) {
      c.fillStyle = tone.hatch;
      c.fillRect(left, y, inner, 18);
    }
    c.fillStyle = tone.edge;
    c.fillRect(left, y, Math.min(2, inner), 18);
    if (inner < 26) return;
    c.font = `400 12px ${this.font}`;
    const start = Math.max(left, this.left) + 7, room = left + inner - start - 4, text = fitted(c, item[LABEL], room);
    if (text === "") return;
    if (tone.hatch) {
      c.fillStyle = tone.fill;
      c.fillRect(start - 2, y + 2, c.measureText(text).width + 4, 14);
    }
    c.fillStyle = colours.ink;
    c.fillText(text, start, y + 13);
  }

  drawMoment(item, x, y) {
    const { context: c } = this;
    c.fillStyle = this.tones[item[TONE]].edge;
    c.beginPath();
    if (item[MARKED]) {
      c.moveTo(x - 7, y + 2); c.lineTo(x + 7, y + 2); c.lineTo(x, y + 15);
    } else {
      c.moveTo(x, y + 3); c.lineTo(x + 6, y + 9); c.lineTo(x, y + 15); c.lineTo(x - 6, y + 9);
    }
    c.fill();
  }

  /** Where a fault acted: through all lanes, and a mark on the call it struck. */
  drawFaults() {
    const { context: c, tones } = this;
    for (const row of this.lanes) {
      for (const item of row.lane.marked) {
        const x = this.x(item[FROM] === item[TO] ? item[FROM] : (item[FROM] + item[TO]) / 2);
        if (x < this.left || x > this.width) continue;
        c.strokeStyle = c.fillStyle = tones.bad.edge;
        if (item[FROM] === item[TO]) {
          c.setLineDash([3, 3]);
          c.lineWidth = 1;
          c.beginPath();
          c.moveTo(x, row.bar + 16);
          c.lineTo(x, this.height);
          c.stroke();
          c.setLineDash([]);
        } else {
          c.beginPath();
          c.moveTo(x - 5, row.bar - 3); c.lineTo(x + 5, row.bar - 3); c.lineTo(x, row.bar + 6);
          c.fill();
        }
      }
    }
  }

  drawGuide() {
    if (this.guide === undefined || this.guide === null) return;
    const { context: c, colours } = this, x = Math.round(this.x(this.guide)) + 0.5;
    if (x < this.left) return;
    c.strokeStyle = colours.edge;
    c.lineWidth = 1;
    c.beginPath();
    c.moveTo(x, 42);
    c.lineTo(x, this.height);
    c.stroke();
  }

  drawChosen() {
    if (!this.chosen) return;
    const row = this.lanes.find((row) => row.lane === this.chosen.lane);
    if (!row) return;
    const { context: c, colours } = this, [from, to] = this.chosen.item;
    const x = Math.max(this.x(from), this.left), wide = Math.max(Math.min(this.x(to), this.width) - x, 2);
    c.strokeStyle = colours.ink;
    c.lineWidth = 2;
    c.strokeRect(x - 2, row.bar - 2, wide + 3, 22);
  }

  // Pointer and keys.

  at(event) {
    const box = this.canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  /** The shortest item near a point: what lies within others can be reached too. */
  itemAt({ x, y }) {
    const row = this.lanes.find((row) => y >= row.y && y < row.y + row.height);
    if (!row || x < this.left) return null;
    let best = null;
    for (let place = firstIn(row.lane, this.ns(x - 6)); place < row.lane.items.length; place += 1) {
      const item = row.lane.items[place];
      if (this.x(item[FROM]) > x + 6) break;
      if (this.x(item[TO]) < x - 6) continue;
      const far = Math.max(this.x(item[FROM]) - x, x - this.x(item[TO]), 0), long = item[TO] - item[FROM];
      if (!best || far < best.far || (far === best.far && long < best.long)) best = { far, long, item };
    }
    return best && { group: row.group, lane: row.lane, item: best.item };
  }

  listen() {
    const { canvas } = this;
    new ResizeObserver(() => { if (canvas.clientWidth !== this.width) this.draw(); }).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { this.paint(); this.draw(); });
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    canvas.addEventListener("pointerdown", (event) => this.press(event));
    canvas.addEventListener("pointermove", (event) => this.pass(event));
    canvas.addEventListener("pointerup", (event) => this.release(event));
    canvas.addEventListener("pointercancel", () => { this.grip = null; });
    canvas.addEventListener("pointerleave", () => this.leave());
    canvas.addEventListener("dblclick", (event) => this.fill(this.itemAt(this.at(event))));
    canvas.addEventListener("keydown", (event) => { if (this.key(event)) event.preventDefault(); });
  }

  wheel(event) {
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      this.zoom(Math.exp(clamp(event.deltaY, -60, 60) * 0.008), this.ns(Math.max(this.at(event).x, this.left)));
    } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      event.preventDefault();
      this.move(event.deltaX * (this.view.to - this.view.from) / (this.width - this.left));
    }
  }

  press(event) {
    if (event.button !== 0) return;
    const point = this.at(event);
    this.grip = { ...point, view: { ...this.view }, moved: false, overview: point.y < 20 };
    this.canvas.setPointerCapture(event.pointerId);
    if (this.grip.overview) this.centre(point.x);
  }

  pass(event) {
    const point = this.at(event), { grip } = this;
    if (!grip) {
      this.guide = point.x >= this.left ? this.ns(point.x) : null;
      this.drawSoon();
      this.hover(point);
    } else if (grip.overview) {
      this.centre(point.x);
    } else if (grip.moved || Math.abs(point.x - grip.x) > 3) {
      grip.moved = true;
      this.canvas.classList.add("moving");
      this.tip.hidden = true;
      const { from, to } = grip.view, length = to - from;
      const start = clamp(from - (point.x - grip.x) * length / (this.width - this.left), 0, this.end - length);
      this.show(start, start + length);
    }
  }

  centre(x) {
    const middle = (x - this.left) / (this.width - this.left) * this.end, half = (this.view.to - this.view.from) / 2;
    const start = clamp(middle - half, 0, this.end - 2 * half);
    this.show(start, start + 2 * half);
  }

  release(event) {
    const { grip } = this;
    this.grip = null;
    this.canvas.classList.remove("moving");
    if (grip && !grip.moved && !grip.overview) this.choose(this.itemAt(this.at(event)));
  }

  leave() {
    this.tip.hidden = true;
    this.guide = null;
    this.drawSoon();
  }

  hover(point) {
    const found = this.itemAt(point), { tip } = this;
    this.canvas.style.cursor = found ? "pointer" : "";
    tip.hidden = !found;
    if (!found) return;
    tip.replaceChildren(...itemLines(this.data, found));
    const right = point.x > this.width / 2;
    tip.style.left = right ? "" : point.x + 14 + "px";
    tip.style.right = right ? this.width - point.x + 14 + "px" : "";
    tip.style.top = point.y + 16 + "px";
  }

  /** Makes an item as long as the view. */
  fill(found) {
    if (!found) return;
    const [from, to] = found.item, air = Math.max((to - from) * 0.05, 5e5);
    this.choose(found);
    this.show(from - air, to + air);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    const eighth = (this.view.to - this.view.from) / 8;
    switch (event.key) {
      case "+": case "=": this.zoom(0.6); return true;
      case "-": case "_": this.zoom(1 / 0.6); return true;
      case "0": case "Home": this.show(0, this.end); return true;
      case "ArrowLeft": if (event.shiftKey) this.move(-eighth); else this.next(-1); return true;
      case "ArrowRight": if (event.shiftKey) this.move(eighth); else this.next(1); return true;
      case "ArrowUp": this.nextLane(-1); return true;
      case "ArrowDown": this.nextLane(1); return true;
      case "Enter": this.fill(this.chosen); return true;
      case "Escape": this.choose(null); return true;
      default: return false;
    }
  }

  next(by) {
    if (!this.chosen) { this.nextLane(1); return; }
    const { group, lane, item } = this.chosen;
    const found = lane.items[lane.items.indexOf(item) + by];
    if (found) this.choose({ group, lane, item: found });
  }

  /** The nearest item on another lane. */
  nextLane(by) {
    const here = this.chosen ? this.lanes.findIndex((row) => row.lane === this.chosen.lane) : -1;
    const row = this.lanes[here + by];
    if (!row) return;
    const middle = this.chosen ? this.chosen.item[FROM] : this.view.from;
    const near = (item) => Math.max(item[FROM] - middle, middle - item[TO], 0);
    let best = row.lane.items[0];
    for (const item of row.lane.items) if (near(item) < near(best)) best = item;
    this.choose({ group: row.group, lane: row.lane, item: best });
  }
}

/** Notes up to where each item and all before it reach, so that the first one in view is found fast; and which are marked. */
function prepare(lane) {
  let most = -1;
  lane.reach = lane.items.map((item) => (most = Math.max(most, item[TO])));
  lane.moments = lane.kind === "spans";
  lane.marked = lane.items.filter((item) => item[MARKED]);
}

function firstIn(lane, from) {
  let [low, high] = [0, lane.items.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (lane.reach[middle] < from) low = middle + 1; else high = middle;
  }
  return low;
}

function clamp(value, least, most) { return Math.min(Math.max(value, least), most); }

/** The text, or as much of it as there is room for. */
function fitted(context, text, room) {
  if (context.measureText(text).width <= room) return text;
  let [low, high] = [0, text.length];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (context.measureText(text.slice(0, middle) + "…").width <= room) low = middle; else high = middle - 1;
  }
  return low < 2 ? "" : text.slice(0, low) + "…";
}

/** What an item is, when it was, and what its event tells. */
function itemLines(data, { lane, item }) {
  const line = (tag, text) => {
    const element = document.createElement(tag);
    element.textContent = text;
    return element;
  };
  const long = item[TO] - item[FROM], event = data.events[item[SEQ]];
  const when = long > 0
    ? `${momentText(item[FROM], 3)} – ${momentText(item[TO], 3)}, ${lengthText(long)}`
    : momentText(item[FROM], 3);
  const lines = [line("b", item[LABEL]), line("span", `${lane.name} · ${when}`)];
  if (event && event[4] && event[4] !== "began" && !item[LABEL].includes(event[4])) lines.push(line("span", event[4]));
  return lines;
}
