
/* What brings a page to life. Everything a run says is set as text, never as markup. */

function copyButtons() {
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const told = (text) => {
        button.textContent = text;
        setTimeout(() => { button.textContent = "Copy"; }, 1500);
      };
      try {
        await navigator.clipboard.writeText(button.dataset.copy);
        told("Copied");
      } catch {
        // Some browsers forbid it to files: choosing the text is half the work.
        getSelection().selectAllChildren(button.parentElement.querySelector("code"));
        told("Press Ctrl+C");
      }
    });
  }
}

function timelineControls(timeline) {
  for (const button of document.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", () => timeline.zoom(button.dataset.zoom === "in" ? 0.5 : 2));
  }
  for (const button of document.querySelectorAll("[data-view]")) {
    const whole = button.dataset.view === "all";
    button.addEventListener("click", () => timeline.show(...(whole ? [0, timeline.end] : timeline.first())));
  }
  const groups = document.getElementById("groups");
  for (const { name } of timeline.data.timeline.groups) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = name;
    const press = () => button.setAttribute("aria-pressed", String(!timeline.hidden.has(name)));
    button.addEventListener("click", () => { timeline.toggle(name); press(); });
    press();
    groups.append(button);
  }
}

function runReport(data) {
  let table = null;
  const chosen = document.getElementById("chosen-item");
  const onChoose = (found) => {
    if (!found) { chosen.replaceChildren(); return; }
    const [name, when, what] = itemLines(data, found).map((line) => line.textContent);
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Show in the events";
    button.addEventListener("click", () => table.reveal(found.item[SEQ]));
    chosen.replaceChildren(chosenText(name, when, what), button);
  };
  const canvas = document.getElementById("lanes");
  const onView = (view) => { if (table) table.shows(view); };
  const timeline = canvas && new Timeline(canvas, document.getElementById("tip"), data, onChoose, onView);
  table = new EventTable(data, (number, at) => {
    if (!timeline) return;
    timeline.chooseEvent(number, at);
    canvas.focus({ preventScroll: true });
    document.getElementById("timeline").scrollIntoView();
  });
  if (timeline) {
    table.shows(timeline.view);
    timelineControls(timeline);
  }
}

document.documentElement.classList.add("scripted");
copyButtons();
const source = document.getElementById("data");
if (source) runReport(JSON.parse(source.textContent));
// For whoever waits for the page: what a person sees is drawn.
document.documentElement.dataset.readyMs = Math.round(performance.now());
