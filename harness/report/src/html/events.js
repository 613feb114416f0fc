
/* The table of events: only the rows that can be seen are in the document. */

// Places in an event, as `Data` in html/data.rs writes it.
const AT = 0, ACTOR = 1, KIND = 2, SUBJECT = 3, TEXT = 4;

class EventTable {
  constructor(data, onShow) {
    Object.assign(this, { data, onShow });
    this.table = document.getElementById("event-table");
    this.rows = document.getElementById("event-rows");
    this.space = document.getElementById("event-space");
    this.count = document.getElementById("event-count");
    this.details = document.getElementById("chosen-event");
    this.words = document.getElementById("event-words");
    this.kind = document.getElementById("event-kind");
    this.actor = document.getElementById("event-actor");
    this.inView = document.getElementById("event-view");
    this.sort = { column: "time", down: false };
    this.view = null;
    this.chosen = -1;
    this.options(this.kind, KIND);
    this.options(this.actor, ACTOR);
    this.filter();
    this.listen();
  }

  options(select, place) {
    const counts = new Map();
    for (const event of this.data.events) counts.set(event[place], (counts.get(event[place]) || 0) + 1);
    const names = [...counts].map(([name, count]) => [this.data.names[name], name, count]);
    for (const [text, name, count] of names.sort((a, b) => (a[0] < b[0] ? -1 : 1))) {
      select.add(new Option(`${text} (${count})`, name));
    }
  }

  listen() {
    for (const control of [this.words, this.kind, this.actor, this.inView]) {
      control.addEventListener("input", () => this.filter());
    }
    document.getElementById("event-filter").addEventListener("submit", (event) => event.preventDefault());
    for (const button of this.table.querySelectorAll("[data-sort]")) {
      button.addEventListener("click", () => this.sortBy(button.dataset.sort));
    }
    this.rows.addEventListener("scroll", () => this.draw());
    new ResizeObserver(() => this.draw()).observe(this.rows);
    this.rows.addEventListener("click", (event) => {
      const row = event.target.closest(".event-row");
      if (row) this.choose(Number(row.dataset.place));
    });
    this.rows.addEventListener("keydown", (event) => { if (this.key(event)) event.preventDefault(); });
  }

  /** Tells what part of the axis the timeline shows. */
  shows(view) {
    this.view = view;
    if (this.inView.checked) this.filter();
  }

  filter() {
    const { data } = this, { from, to } = this.view || { from: 0, to: Infinity };
    const words = this.words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const [kind, actor] = [this.kind.value, this.actor.value];
    const has = (event) => {
      const text = `${data.names[event[KIND]]} ${event[SUBJECT]} ${event[TEXT]}`.toLowerCase();
      return words.every((word) => text.includes(word));
    };
    const kept = [];
    data.events.forEach((event, place) => {
      if (kind !== "" && event[KIND] !== Number(kind)) return;
      if (actor !== "" && event[ACTOR] !== Number(actor)) return;
      if (this.inView.checked && (event[AT] < from || event[AT] > to)) return;
      if (words.length === 0 || has(event)) kept.push(place);
    });
    this.kept = kept;
    this.order();
  }

  sortBy(column) {
    this.sort = { column, down: this.sort.column === column && !this.sort.down };
    this.order();
  }

  /** Puts what was kept in order; equal ones stay in the order of the log. */
  order() {
    const { data, sort } = this, sign = sort.down ? -1 : 1;
    const key = {
      time: (event) => event[AT],
      actor: (event) => data.names[event[ACTOR]],
      kind: (event) => data.names[event[KIND]],
      subject: (event) => event[SUBJECT],
      text: (event) => event[TEXT],
    }[sort.column];
    const keys = new Map(this.kept.map((place) => [place, key(data.events[place])]));
    this.kept.sort((one, other) => {
      const [a, b] = [keys.get(one), keys.get(other)];
      return (a < b ? -1 : a > b ? 1 : one - other) * sign;
    });
    for (const button of this.table.querySelectorAll("[data-sort]")) {
      const head = button.parentElement;
      if (button.dataset.sort !== sort.column) head.removeAttribute("aria-sort");
      else head.setAttribute("aria-sort", sort.down ? "descending" : "ascending");
    }
    const all = data.events.length, kept = this.kept.length;
    this.count.textContent = kept === all ? `${all} events` : `${kept} of ${all} events`;
    this.table.setAttribute("aria-rowcount", kept + 1);
    this.rows.scrollTop = 0;
    this.draw();
  }

  rowHeight() {
    return parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--event-row"));
  }

  draw() {
    const height = this.rowHeight(), { rows, kept } = this;
    this.space.style.height = kept.length * height + "px";
    const first = Math.max(Math.floor(rows.scrollTop / height) - 4, 0);
    const last = Math.min(first + Math.ceil(rows.clientHeight / height) + 8, kept.length);
    const shown = [];
    for (let place = first; place < last; place += 1) shown.push(this.row(place, height));
    rows.replaceChildren(this.space, ...shown);
    const chosen = this.kept.indexOf(this.chosen);
    if (chosen >= first && chosen < last) rows.setAttribute("aria-activedescendant", `event-${this.chosen}`);
    else rows.removeAttribute("aria-activedescendant");
  }

  row(place, height) {
    const { data } = this, number = this.kept[place], event = data.events[number];
    const row = document.createElement("div");
    row.className = "event-row";
    row.id = `event-${number}`;
    row.dataset.place = number;
    row.setAttribute("role", "row");
    row.setAttribute("aria-rowindex", place + 2);
    row.setAttribute("aria-selected", String(number === this.chosen));
    row.style.top = place * height + "px";
    const cells = {
      time: (event[AT] / 1e9).toFixed(6), actor: data.names[event[ACTOR]], kind: data.names[event[KIND]],
      subject: event[SUBJECT], text: event[TEXT],
    };
    for (const [name, text] of Object.entries(cells)) {
      const cell = document.createElement("span");
      cell.className = `cell ${name}`;
      cell.setAttribute("role", "cell");
      cell.textContent = text;
      row.append(cell);
    }
    return row;
  }

  key(event) {
    const page = Math.max(Math.floor(this.rows.clientHeight / this.rowHeight()) - 1, 1);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    const last = this.kept.length - 1;
    if (!(event.key in steps) || last < 0) return false;
    const here = this.kept.indexOf(this.chosen);
    const next = here < 0 && steps[event.key] < 0 ? 0 : Math.min(Math.max(here + steps[event.key], 0), last);
    this.choose(this.kept[next]);
    return true;
  }

  /** Chooses an event by its place in the log; shows all of it. */
  choose(number) {
    this.chosen = number;
    const place = this.kept.indexOf(number), height = this.rowHeight(), { rows } = this;
    if (place * height < rows.scrollTop) rows.scrollTop = place * height;
    else if ((place + 1) * height > rows.scrollTop + rows.clientHeight) {
      rows.scrollTop = (place + 1) * height - rows.clientHeight;
    }
    this.draw();
    const { data } = this, event = data.events[number];
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Show on the timeline";
    button.addEventListener("click", () => this.onShow(number, event[AT]));
    const text = chosenText(event[SUBJECT] || data.names[event[KIND]], `${momentText(event[AT], 6)}, ${data.names[event[KIND]]} by ${data.names[event[ACTOR]]}`, event[TEXT]);
    this.details.replaceChildren(text, button);
  }

  /** Shows an event that the timeline names, whatever the filter hides. */
  reveal(number) {
    if (!this.kept.includes(number)) {
      document.getElementById("event-filter").reset();
      this.filter();
    }
    this.choose(number);
    this.rows.focus({ preventScroll: true });
    document.getElementById("events").scrollIntoView();
  }
}

/** What was chosen, in one paragraph. */
function chosenText(name, when, what) {
  const paragraph = document.createElement("p");
  const part = (tag, className, text) => {
    const element = document.createElement(tag);
    element.className = className;
    element.textContent = text;
    return element;
  };
  paragraph.append(part("b", "", name), part("span", "when", when));
  if (what) paragraph.append(document.createElement("br"), part("span", "", what));
  return paragraph;
}
