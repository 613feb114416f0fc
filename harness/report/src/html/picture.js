
/* What is drawn: lanes of items on one time axis, on a canvas. */

// Places in an item, as `Item` in timeline/mod.rs writes it.
const FROM = 0, TO = 1, TONE = 2, MARKED = 3, SEQ = 4, LABEL = 5;

/** The picture of a timeline: where everything is, and how it is drawn. What of the axis is in view, others decide. */
class Picture {
  constructor(canvas, data) {
    Object.assign(this, { canvas, data });
    this.context = canvas.getContext("2d");
    this.end = Math.max(data.timeline.end_ns, 1);
    this.hidden = new Set(data.timeline.groups.filter((group) => !group.shown).map((group) => group.name));
    for (const group of data.timeline.groups) for (const lane of group.lanes) prepare(lane);
    this.chosen = null;
    this.view = { from: 0, to: this.end };
    this.paint();
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
