"""The scan's page in a browser: light, dark, on a phone, and printed."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page

CASES = ["null", "quiet", "several_of_a_regression", "slice", "hostile", "short"]
WIDE, PHONE, NARROW = 1440, 390, 320

# WCAG 2.2, 1.4.3: for each piece of text its colour against what lies behind it.
CONTRAST = """
() => {
  const channel = c => { c /= 255; return c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4 };
  const parse = text => (text.match(/[\\d.]+/g) || []).map(Number);
  const luminance = ([r, g, b]) => .2126 * channel(r) + .7152 * channel(g) + .0722 * channel(b);
  const ratio = (a, b) => {
    const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p);
    return (x + .05) / (y + .05);
  };
  const behind = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] > .99) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
    if (!own || !element.getClientRects().length || element.closest('title, desc')) continue;
    const style = getComputedStyle(element);
    const colour = parse(element instanceof SVGElement ? style.fill : style.color);
    found.push([ratio(colour, behind(element)), element.tagName, element.textContent.trim().slice(0, 40)]);
  }
  return found;
}
"""


@contextmanager
def opened(browser: Browser, path, *, width=WIDE, scheme="light") -> Iterator[Page]:
    """The page as somebody sees it; anything it asks for or complains about fails."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("dialog", lambda dialog: (heard.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: heard.append(request.url))
    page.goto(path.as_uri(), wait_until="load")
    yield page
    assert [each for each in heard if each != path.as_uri() and not each.startswith("data:image/svg+xml")] == []
    context.close()


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("width", [WIDE, PHONE, NARROW])
def test_nothing_is_wider_than_the_screen(browser, written, case, width):
    with opened(browser, written(case), width=width) as page:
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
        assert page.title()
        assert page.locator("h1").count() == 1


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_stands_out_from_what_lies_behind_it(browser, written, case, scheme):
    with opened(browser, written(case), scheme=scheme) as page:
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        found = page.evaluate(CONTRAST)
        assert len(found) > 40
        assert [each for each in found if each[0] < 4.5] == []
        light = page.evaluate("getComputedStyle(document.querySelector('.sheet')).backgroundColor")
        assert light == ("rgb(255, 254, 251)" if scheme == "light" else "rgb(27, 26, 23)")


def test_pictures_fill_their_place_and_words_are_not_scaled(browser, written):
    for width in (WIDE, PHONE):
        with opened(browser, written("slice"), width=width) as page:
            boxes = page.evaluate(
                "[...document.querySelectorAll('svg.chart')].map(e => e.getBoundingClientRect().width)"
            )
            assert boxes
            assert min(boxes) > 250
            sizes = page.evaluate("[...document.querySelectorAll('svg text')].map(e => getComputedStyle(e).fontSize)")
            assert set(sizes) == {"12px"}


def test_words_of_a_picture_stay_in_the_page(browser, written):
    for case in ("slice", "hostile", "several_of_a_regression"):
        with opened(browser, written(case), width=PHONE) as page:
            outside = page.evaluate(
                "[...document.querySelectorAll('svg text')].filter(e => e.getClientRects().length)"
                ".map(e => [e.getBoundingClientRect(), e.textContent])"
                ".filter(([box, _]) => box.left < 0 || box.right > innerWidth).map(([_, text]) => text)"
            )
            assert outside == []


@pytest.mark.parametrize("width", [PHONE, NARROW])
def test_names_of_columns_are_not_broken_on_a_phone(browser, written, width):
    for case in ("slice", "null", "quiet"):
        with opened(browser, written(case), width=width) as page:
            names = page.evaluate(
                "[...document.querySelectorAll('.scroll th code')]"
                ".map(e => [e.textContent, e.getBoundingClientRect().height, getComputedStyle(e).lineHeight])"
            )
            assert names
            assert [name for name, height, line in names if len(name) <= 20 and height > 1.5 * float(line[:-2])] == []


def test_marks_are_seen_in_both_schemes(browser, written):
    """Lines and bars have the colours of the series, against the surface they lie on."""
    for scheme, affected, rest in (
        ("light", "rgb(194, 65, 12)", "rgb(47, 95, 204)"),
        ("dark", "rgb(255, 138, 76)", "rgb(126, 162, 255)"),
    ):
        with opened(browser, written("slice"), scheme=scheme) as page:
            assert page.locator("svg path.line.affected").first.evaluate("e => getComputedStyle(e).stroke") == affected
            assert page.locator("svg path.line.rest").first.evaluate("e => getComputedStyle(e).stroke") == rest
            assert page.locator("svg rect.bar.affected").first.evaluate("e => getComputedStyle(e).fill") == affected


def test_it_reads_without_script(browser, written):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(written("slice").as_uri())
    assert "Mountain" in page.locator("h1").inner_text()
    assert page.locator("svg.chart").count() > 2
    context.close()


def test_pictures_are_named_for_whoever_hears_them(browser, written):
    with opened(browser, written("slice")) as page:
        name = "dest_delay_index below 0.1625: share of decisions over time"
        assert page.get_by_role("img", name=name, exact=True).count() == 1
        assert page.get_by_role("heading", name="When it began").count() == 1
        assert page.get_by_role("img").count() == page.locator("svg.chart").count()


def test_a_keyboard_reaches_everything(browser, written):
    with opened(browser, written("several_of_a_regression")) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "To the result"
        reached = set()
        for _ in range(60):
            page.keyboard.press("Tab")
            reached.add(
                page.evaluate("document.activeElement.tagName + ' ' + document.activeElement.textContent.slice(0, 8)")
            )
        assert "SUMMARY As table" in reached
        assert any(each.startswith("A ") for each in reached)


def test_details_open_to_the_numbers(browser, written):
    with opened(browser, written("slice"), width=PHONE) as page:
        page.get_by_text("As table").first.click()
        assert page.locator("details table").first.is_visible()
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0


@pytest.mark.parametrize("case", ["slice", "quiet", "several_of_a_regression"])
def test_it_prints_to_pages_of_paper(browser, written, case):
    with opened(browser, written(case), scheme="dark") as page:
        pdf = page.pdf(prefer_css_page_size=True, print_background=True)
        assert pdf.startswith(b"%PDF")
        boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf)
        assert 2 <= len(boxes) <= 12
        assert {(round(float(w)), round(float(h))) for w, h in boxes} == {(595, 842)}  # A4 in points
        page.emulate_media(media="print", color_scheme="dark")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
