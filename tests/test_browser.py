"""The HTML page in a real browser: what may run, keyboard, screen reader, narrow screens, print.

Needs playwright (`pip install playwright`) and a Chromium on the machine; without them each test is skipped, saying why.
axe-core comes from npm (`npm install --no-save axe-core`).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from inprocess import PLANS, run
from report_samples import HOSTILE, named_report, rich_report

from auditor.catalog import Catalog
from auditor.model import Report
from auditor.report import RenderOptions
from auditor.report.html import render

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
AXE = Path(__file__).resolve().parent.parent / "node_modules" / "axe-core" / "axe.min.js"
WIDTHS = (320, 390, 768, 1280)
WIDE = """() => [...document.querySelectorAll('body *')].filter(e => !e.closest('svg, .skip, thead')
  && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.tagName + ': ' + e.textContent.slice(0, 60))"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


def recorded(case: str) -> str:
    folder = PLANS / case
    args = ("--hcl-dir", ".", "--policy", "eu-gdpr", "--as-of", "2026-11-20", "--format", "html")
    made = run("check", "plan.json", *args, cwd=folder)
    assert made.code in {0, 1}, made.err
    return made.out


def sample(made: Report) -> str:
    return render(made, RenderOptions(coordinates=Catalog().coordinates))


PAGES = {
    "rich": lambda: sample(rich_report()),
    "hostile": lambda: sample(named_report(HOSTILE)),
    "copies": lambda: recorded("s-copies-aws"),
    "jobs": lambda: recorded("jobs/aws-efa-traps"),
    "lag": lambda: recorded("lag-beta"),
}


@pytest.fixture(scope="module", params=PAGES)
def page_file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("page") / f"{request.param}.html"
    file.write_text(PAGES[request.param](), encoding="utf-8")
    return file


def opened(browser: Any, file: Path, width: int = 1280, **options: Any) -> tuple[Any, list[str]]:
    """The page, and everything it complained about or asked the network for."""
    page = browser.new_context(viewport={"width": width, "height": 800}, **options).new_page()
    trouble: list[str] = []
    page.on("console", lambda m: trouble.append(m.text))
    page.on("pageerror", lambda e: trouble.append(str(e)))
    page.on("dialog", lambda d: trouble.append(f"dialog {d.message}"))
    page.on("request", lambda r: trouble.append(r.url) if r.url != file.as_uri() else None)
    page.goto(file.as_uri())
    return page, trouble


def test_nothing_is_blocked_fetched_or_wrong(browser: Any, page_file: Path) -> None:
    page, trouble = opened(browser, page_file)
    assert page.evaluate("document.querySelector('#filters') === null || !document.querySelector('#filters').hidden")
    assert page.evaluate("getComputedStyle(document.querySelector('.verdict')).borderRadius") != "0px"  # the style counts
    assert trouble == []


def test_an_injected_script_and_style_do_not_run(browser: Any, page_file: Path, tmp_path: Path) -> None:
    text = page_file.read_text(encoding="utf-8")
    bad = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\"><style>body{display:none}</style>"
    file = tmp_path / "bad.html"
    file.write_text(text.replace("<main>", f"<main>{bad}"), encoding="utf-8")
    page, _ = opened(browser, file)
    page.wait_for_timeout(50)
    assert page.title().startswith("auditor: ")
    assert page.evaluate("getComputedStyle(document.body).display") == "block"


def test_no_sideways_scrolling(browser: Any, page_file: Path) -> None:
    page, _ = opened(browser, page_file)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert (width, page.evaluate(WIDE)) == (width, [])


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1280, "dark"), (1280, "light")])
def test_axe_finds_nothing(browser: Any, page_file: Path, scheme: str, width: int) -> None:
    if not AXE.is_file():
        pytest.skip("axe-core is not installed: npm install --no-save axe-core")
    page, _ = opened(browser, page_file, width, color_scheme=scheme)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    assert [(v["id"], [n["html"][:200] for n in v["nodes"]][:5]) for v in found["violations"]] == []


def test_search_and_filter(browser: Any, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(sample(rich_report()), encoding="utf-8")
    page, _ = opened(browser, file)

    def shown() -> list[str]:
        found: list[str] = page.eval_on_selector_all("article.finding:not([hidden]) .rule", "a => a.map(e => e.textContent)")
        return found

    assert shown() == ["SOV001", "SOV002", "NET002", "LAG001"]
    page.keyboard.press("/")
    page.keyboard.type("  NET002 ")
    assert shown() == ["NET002"]
    assert page.inner_text("#shown") == "1 of 4 shown"
    assert page.eval_on_selector_all("section.set:not([hidden]) h3", "a => a.map(e => e.textContent)") == ["Interconnect"]
    page.fill("#q", "")
    page.uncheck("#filters input[value=error]")
    page.uncheck("#filters input[value=open]")
    assert shown() == ["LAG001"]
    page.fill("#q", "no such word")
    assert page.inner_text("#shown") == "0 of 4 shown"
    page.keyboard.press("Enter")  # submits nothing
    assert page.url == file.as_uri()


def test_keyboard_reaches_everything_and_says_where_it_is(browser: Any, page_file: Path) -> None:
    page, _ = opened(browser, page_file)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the findings"
    box = page.evaluate("document.activeElement.getBoundingClientRect().left")
    assert box >= 0  # seen once it has the focus
    wanted = page.evaluate("[...document.querySelectorAll('a[href], summary, input')].filter(e => e.checkVisibility()).length")
    seen = 0
    for _ in range(wanted):
        outline = page.evaluate("(e => e === document.body ? '' : getComputedStyle(e).outlineStyle)(document.activeElement)")
        assert outline not in {"", "none"}
        seen += 1
        page.keyboard.press("Tab")
    assert seen == wanted
    if page.locator("summary").count():
        page.locator("summary").first.focus()
        was = page.evaluate("document.activeElement.parentElement.open")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.parentElement.open") is not was


def test_links_lead_from_a_job_to_its_findings_and_back(browser: Any, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(recorded("b-gpu-asg-no-efa"), encoding="utf-8")
    page, _ = opened(browser, file)
    page.click("article.card a:text('NET002')")
    assert page.evaluate("document.querySelector(':target .rule').textContent") == "NET002"
    page.click("article.finding:target dl a")
    assert page.evaluate("document.querySelector(':target').className") == "card"


def test_it_reads_without_script(browser: Any, page_file: Path) -> None:
    page, _ = opened(browser, page_file, java_script_enabled=False)
    assert page.locator("h1").is_visible()
    assert page.locator("#findings").is_visible()
    if page.locator("#filters").count():
        assert not page.locator("#filters").is_visible()  # nothing that would do nothing


def test_print_shows_what_is_folded(browser: Any, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(sample(rich_report()), encoding="utf-8")
    page, _ = opened(browser, file)
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("[...document.querySelectorAll('details')].every(d => d.open)")
    assert not page.locator("nav").is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.pdf(format="A4").startswith(b"%PDF")
