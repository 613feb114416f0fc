
/* What of the run is in view, and which item is chosen: by buttons, pointer and keys. */

class Timeline extends Picture {
  constructor(canvas, tip, data, onChoose, onView) {
    super(canvas, data);
    Object.assign(this, { tip, onChoose, onView });
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

  // Pointer and keys.

  at(event) {
    const box = this.canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
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
