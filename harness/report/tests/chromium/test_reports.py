"""What a browser makes of the reports of a run and of an exploration."""

import pytest

from conftest import WIDTHS

RUN, EXPLORATION, PATHS = "run/report.html", "exploration/report.html", "paths/report.html"
PAGES = [RUN, EXPLORATION, PATHS, "hostile.html", "empty.html", "many.html"]

# The contrast of every text with what is behind it, by WCAG 2; translucent colours are none of ours.
POOR_CONTRAST = """() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = (colour) => {
    const [r, g, b] = colour.map((c) => c / 255).map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = parse(getComputedStyle(e).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== "");
    if (!own || element.closest("script, noscript, .skip, td.none") || !element.checkVisibility()) continue;
    const [a, b] = [parse(getComputedStyle(element).color).slice(0, 3), behind(element).slice(0, 3)].map(light);
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5 && !element.classList.contains("dot")) poor.push(`${ratio.toFixed(2)} ${element.outerHTML.slice(0, 120)}`);
  }
  return poor;
}"""


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_keeps_to_itself_and_fits(opened, path, width, scheme):
    it = opened(path, width=width, scheme=scheme)
    wide = it.page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert wide[0] <= wide[1], "it scrolls sideways"
    assert it.page.evaluate(POOR_CONTRAST) == []
    ground = it.page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert (sum(ground) > 3 * 200) == (scheme == "light"), ground
    it.page.mouse.wheel(0, 5000)
    assert it.left() == []
    assert it.complaints == []


def test_the_policy_forbids_what_no_page_does(opened):
    it = opened(RUN)
    stopped = it.page.evaluate("fetch('http://198.18.0.1/').then(() => false, () => true)")
    assert stopped and any("Content Security Policy" in complaint for complaint in it.complaints)


def test_hostile_words_stay_words(opened):
    it = opened("hostile.html")
    assert it.page.evaluate("window.owned") is None
    assert it.page.locator("img").count() == 0
    it.page.fill("#event-words", "onerror")
    it.page.locator(".event-row").first.click()
    assert "<img src=x onerror=" in it.page.locator("#chosen-event").inner_text()
    assert it.complaints == []


def tab_stops(page):
    """Every stop of the tab key: what it is, its name, and whether one sees that it is there."""
    stops = []
    for _ in range(200):
        page.keyboard.press("Tab")
        stop = page.evaluate(
            """() => {
              const e = document.activeElement;
              if (e === document.body) return null;
              const name = e.getAttribute("aria-label") || (e.labels && [...e.labels].map((l) => l.textContent).join(" ")) || e.textContent;
              const style = getComputedStyle(e);
              const seen = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
              return [e.id || e.dataset.zoom || e.dataset.view || e.dataset.sort || e.className || e.tagName, name.trim(), seen];
            }"""
        )
        if stop is None:
            break
        stops.append(stop)
    return stops


@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
def test_every_control_is_reached_by_keyboard(opened, width):
    stops = tab_stops(opened(RUN, width=width).page)
    reached = [stop[0] for stop in stops]
    wanted = ["skip", "copy", "in", "out", "first", "all", "lanes", "event-words", "event-kind", "event-actor",
              "event-view", "time", "kind", "subject", "event-rows"]
    assert [name for name in wanted if name not in reached] == []
    assert [stop for stop in stops if not stop[1]] == [], "each has a name"
    assert [stop for stop in stops if not stop[2]] == [], "each shows that it has the focus"


@pytest.mark.parametrize("path", [EXPLORATION, PATHS])
def test_a_table_is_reached_by_keyboard(opened, path):
    it = opened(path, width=390)
    stops = tab_stops(it.page)
    assert sum(stop[0] == "scroller" for stop in stops) == it.page.locator(".matrix").count() > 0
    assert [stop for stop in stops if not stop[1] or not stop[2]] == []


def drawn(page):
    """What of the run the timeline shows, how many items that are, and every pixel of it."""
    data = page.evaluate("({...document.getElementById('lanes').dataset})")
    pixels = page.evaluate("document.getElementById('lanes').toDataURL()")
    return int(data["from"]), int(data["to"]), int(data["drawn"]), pixels


def check_zoom(page, closer, back):
    before = drawn(page)
    closer()
    near = drawn(page)
    assert near[1] - near[0] < before[1] - before[0], "it shows a shorter part"
    assert near[3] != before[3], "and draws another picture"
    back()
    assert drawn(page)[1] - drawn(page)[0] > near[1] - near[0]


def test_zoom_changes_what_is_drawn(opened):
    page = opened(RUN).page
    page.click("[data-view=all]")
    whole = drawn(page)
    check_zoom(page, lambda: page.click("[data-zoom=in]"), lambda: page.click("[data-zoom=out]"))
    page.focus("#lanes")
    check_zoom(page, lambda: page.keyboard.press("+"), lambda: page.keyboard.press("-"))

    def wheel(by):
        page.locator("#lanes").hover(position={"x": 600, "y": 80})
        page.keyboard.down("Control")
        page.mouse.wheel(0, by)
        page.keyboard.up("Control")
        page.wait_for_function("(before) => document.getElementById('lanes').dataset.to !== before", arg=str(drawn_to))

    drawn_to = drawn(page)[1]
    wheel(-300)
    near = drawn(page)
    assert near[1] - near[0] < whole[1] - whole[0]
    page.keyboard.press("0")
    assert drawn(page)[:3] == whole[:3], "the whole run is the whole run again"
    page.click("[data-view=first]")
    first = drawn(page)
    assert first[1] - first[0] < whole[1] - whole[0] and first[2] < whole[2]


def test_lanes_can_be_hidden(opened):
    page = opened(RUN).page
    before = drawn(page)
    calls = page.get_by_role("button", name="Calls")
    calls.click()
    assert calls.get_attribute("aria-pressed") == "false"
    assert drawn(page)[2] < before[2]


def test_hovering_and_arrows_tell_what_an_item_is(opened):
    it = opened(RUN)
    page = it.page
    page.locator("#lanes").hover(position={"x": 300, "y": 90})
    assert page.locator("#tip").is_visible()
    assert page.locator("#tip").inner_text().count("\n") >= 1
    page.focus("#lanes")
    page.keyboard.press("ArrowDown")
    first = page.locator("#chosen-item").inner_text()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    second = page.locator("#chosen-item").inner_text()
    assert first != second and "Steps" in second
    page.click("#chosen-item button")
    assert page.locator("#chosen-event").inner_text() != ""
    page.click("#chosen-event button")
    assert page.evaluate("document.activeElement.id") == "lanes"
    assert it.complaints == []


def rows(page):
    return page.locator(".event-row").all_inner_texts()


def test_the_table_filters_and_sorts(opened):
    page = opened(RUN).page
    all_of = int(page.locator("#event-count").inner_text().split()[0])
    page.fill("#event-words", "PowerOnVM_Task haproxy")
    page.fill("#event-words", "poweronvm_task")
    kept = int(page.locator("#event-count").inner_text().split()[0])
    assert 0 < kept < all_of
    assert all("poweronvm_task" in row.lower() for row in rows(page))
    page.fill("#event-words", "")
    page.select_option("#event-kind", label=[o for o in page.locator("#event-kind option").all_inner_texts() if o.startswith("availability")][0])
    assert all("availability" in row for row in rows(page)) and rows(page)
    page.select_option("#event-kind", "")
    page.click("[data-sort=subject]")
    subjects = page.locator(".event-row .subject").all_inner_texts()
    assert subjects == sorted(subjects)
    page.click("[data-sort=subject]")
    backwards = page.locator(".event-row .subject").all_inner_texts()
    assert backwards == sorted(backwards, reverse=True) and backwards != subjects
    page.click("[data-view=first]")
    page.check("#event-view")
    assert int(page.locator("#event-count").inner_text().split()[0]) < all_of
    page.focus("#event-rows")
    page.keyboard.press("End")
    assert page.locator('.event-row[aria-selected="true"]').count() == 1


def test_fifty_thousand_events_are_ready(opened):
    it = opened("many.html")
    page = it.page
    print(f"\nready with 50,000 events: {page.get_attribute('html', 'data-ready-ms')} ms after the page was asked for")
    assert page.locator("#event-count").inner_text() == "50000 events"
    assert 0 < page.locator(".event-row").count() < 100, "only what can be seen is in the document"
    page.click("[data-view=all]")
    assert drawn(page)[2] > 10_000
    page.fill("#event-words", "PowerOnVM_Task")
    assert 0 < int(page.locator("#event-count").inner_text().split()[0]) < 50_000
    assert it.complaints == []


def test_without_scripts_the_verdict_and_the_checks_are_there(opened):
    page = opened(RUN, scripts=False).page
    for text in ["Failed", "grenadier run", "power-off-old"]:
        assert page.locator("header").get_by_text(text).first.is_visible(), text
    assert page.locator("#checks li h3").first.is_visible()
    assert page.locator(".tools:visible, canvas:visible").count() == 0, "nothing that would do nothing"
    assert page.locator("#timeline noscript").is_visible()


def test_an_exploration_leads_to_the_runs_of_its_failures(opened):
    it = opened(EXPLORATION)
    assert it.page.locator(".matrix td.bad").count() > 0
    it.page.get_by_role("link", name="Report of this run").first.click()
    it.page.wait_for_selector("#lanes")
    assert it.page.locator(".verdict").inner_text().strip() == "Failed"
    assert it.complaints == []


def test_a_matrix_leads_to_the_runs_of_its_leaps(opened):
    it = opened(PATHS)
    words = [badge.inner_text() for badge in it.page.locator(".matrix td .badge").all()]
    assert len(words) == 12 and words.count("refused 1") == 6 and "FAILED" in words
    it.page.locator("#rehearsals a").first.click()
    it.page.wait_for_selector("#lanes")
    assert it.complaints == []
