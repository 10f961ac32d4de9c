"""The pages in a real browser: without a script, a mouse or a network, for everyone, on any screen."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from batch_conformance.contract import load_contract
from batch_conformance.report.files import write_reports
from batch_conformance.report.matrix import write_matrix
from tests.support import samples
from tests.support.browsing import (
    DESK,
    PHONE,
    Go,
    Visit,
    check_accessible,
    check_clause_by_link,
    check_filters_by_keyboard,
    check_filters_by_link,
    check_fits_a_phone,
    check_prints_everything,
    check_quiet,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser

#: Root needs --no-sandbox; the others keep Chromium from calling home.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
#: All clauses but those that have another verdict in the failing sample.
PASSED = len(load_contract().of_side("server")) - 11
PAGES = ["failing", "passing", "unreachable", "client", "matrix"]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium. Without it these tests are skipped with a reason, and fail where CI is true."""
    missing = [name for name in ("playwright", "axe_playwright_python") if not find_spec(name)]
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not chromium:
        missing.append("Chromium (Debian: apt-get install chromium)")
    if missing:
        reason = f"the pages were not tried in a browser, for want of: {', '.join(missing)}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All samples as pages."""
    folder = tmp_path_factory.mktemp("site")
    runs = [samples.failing_server(), samples.passing_server(), *samples.client_runs()]
    for number, run in enumerate(runs):
        write_reports(run, folder / "published" / str(number))
    write_matrix(folder / "published")
    write_reports(samples.unreachable_server(), folder / "unreachable")
    write_reports(samples.hostile_run(), folder / "hostile")
    return folder


def place(site: Path, name: str) -> Path:
    """Where a sample's page is."""
    return (
        site
        / {
            "failing": "published/0/conformance.html",
            "passing": "published/1/conformance.html",
            "client": "published/4/conformance.html",
            "unreachable": "unreachable/conformance.html",
            "hostile": "hostile/conformance.html",
            "matrix": "published/index.html",
        }[name]
    )


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Visit]]:
    """Opens pages, and closes them after the test."""
    opened: list[Visit] = []

    def go(path: Path, **options: Any) -> Visit:
        opened.append(Visit(browser, path, **options))
        return opened[-1]

    yield go
    for one in opened:
        one.context.close()


@pytest.mark.parametrize("name", [*PAGES, "hostile"])
def test_pages_load_in_peace(visit: Go, site: Path, name: str) -> None:
    """No console message, no request, no planted script."""
    check_quiet(visit, place(site, name))


@pytest.mark.parametrize("name", [*PAGES, "hostile"])
def test_pages_fit_a_phone(visit: Go, site: Path, name: str) -> None:
    """360 pixels."""
    check_fits_a_phone(visit, place(site, name))


@pytest.mark.parametrize(
    ("name", "screen", "scheme"),
    [
        ("failing", PHONE, "light"),
        ("failing", DESK, "dark"),
        ("passing", DESK, "light"),
        ("unreachable", PHONE, "dark"),
        ("client", DESK, "light"),
        ("client", PHONE, "dark"),
        ("matrix", DESK, "light"),
        ("matrix", PHONE, "dark"),
    ],
)
def test_pages_are_accessible(visit: Go, site: Path, name: str, screen: Any, scheme: str) -> None:
    """Every verdict in both colour schemes; each combination takes seconds, so not all of them."""
    check_accessible(visit, place(site, name), viewport=screen, color_scheme=scheme)


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_filters_work_by_keyboard(visit: Go, site: Path, script: bool) -> None:
    """With or without a script."""
    check_filters_by_keyboard(visit, place(site, "failing"), java_script_enabled=script)


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_filters_work_by_link(visit: Go, site: Path, script: bool) -> None:
    """So that a filtered report can be sent to someone."""
    check_filters_by_link(visit, place(site, "failing"), java_script_enabled=script)


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
@pytest.mark.parametrize("screen", [PHONE, DESK], ids=["phone", "desk"])
def test_a_link_to_a_clause_opens_it(visit: Go, site: Path, screen: Any, script: bool) -> None:
    """Folded or not."""
    check_clause_by_link(visit, place(site, "failing"), viewport=screen, java_script_enabled=script)


def test_print_shows_all_evidence(visit: Go, site: Path) -> None:
    """On paper and in a PDF."""
    check_prints_everything(visit, place(site, "failing"))


def test_pages_print_to_pdf(visit: Go, site: Path) -> None:
    """The browser's own printing takes them."""
    for name in ("failing", "matrix"):
        pdf = visit(place(site, name)).page.pdf()
        assert pdf.startswith(b"%PDF-")
        assert pdf.count(b"/Type /Page\n") >= 3


def test_clauses_fold_by_keyboard(visit: Go, site: Path) -> None:
    """The browser's own element does it."""
    seen = visit(place(site, "passing"))
    summary = seen.page.locator(".clause > summary").first
    summary.focus()
    assert seen.visible(".about") == []
    seen.page.keyboard.press("Enter")
    assert seen.visible(".about") == ["DL"]


def test_the_filter_that_is_on_is_said_aloud_and_seen(visit: Go, site: Path) -> None:
    """For those who cannot see it, and those who can."""
    seen = visit(place(site, "failing"))
    current = ".filters [aria-current]"
    assert seen.page.locator(current).get_attribute("href") == "#clauses"
    seen.page.click(".filters a[href='#only-warn']")
    assert seen.page.locator(current).get_attribute("href") == "#only-warn"
    paint = "one => getComputedStyle(one).backgroundColor"
    on = seen.page.locator(current).evaluate(paint)
    off = seen.page.locator(".filters a[href='#clauses']").evaluate(paint)
    assert on != off


def test_the_copy_button_copies_the_curl_line(visit: Go, site: Path) -> None:
    """As one line, as it stands in the report."""
    seen = visit(place(site, "failing"), permissions=["clipboard-read", "clipboard-write"])
    block = seen.page.locator(".curl").first
    block.locator("button").click()
    seen.page.wait_for_function("document.querySelector('.curl button').textContent === 'Copied'")
    copied = seen.page.evaluate("navigator.clipboard.readText()")
    assert copied == block.locator("code").text_content()
    assert copied.startswith("curl ")
    assert "\n" not in copied


def test_dark_is_dark_and_light_is_light(visit: Go, site: Path) -> None:
    """As the reader's system asks for."""
    shade = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number).reduce((a, b) => a + b)"
    for name in ("failing", "matrix"):
        assert visit(place(site, name), color_scheme="light").page.evaluate(shade) > 700
        assert visit(place(site, name), color_scheme="dark").page.evaluate(shade) < 90


def test_matrix_leads_to_the_clause_in_the_report(visit: Go, site: Path) -> None:
    """One click from the cell to its evidence."""
    seen = visit(place(site, "matrix"))
    seen.page.click("[id='client.auth.redirect'] .cell[data-verdict='fail'] >> nth=0")
    seen.page.wait_for_url(re.compile(r"conformance\.html#client\.auth\.redirect$"))
    assert (
        "the key went along to another origin"
        in seen.page.locator(".inside:has([id='client.auth.redirect'])").inner_text()
    )


def test_matrix_filters_by_link(visit: Go, site: Path) -> None:
    """What is broken, and what has changed."""
    rows = "tbody tr[id]"
    assert len(visit(place(site, "matrix")).visible(rows)) == len(load_contract().clauses)
    broken = visit(place(site, "matrix"), link="#only-broken").visible(rows)
    assert len(broken) == 15
    assert "server.auth.near-key" in broken
    assert visit(place(site, "matrix"), link="#only-changed").visible(rows) == [
        "client.request.id-encoding",
        "client.auth.redirect",
        "client.decode.counts",
        "client.decode.optional",
        "client.retry.waits",
        "client.fault.drip",
    ]


def test_matrix_keeps_its_heads_in_sight(visit: Go, site: Path) -> None:
    """On a desk the versions, on a phone the clauses."""
    desk = visit(place(site, "matrix"), link="#client.fault.drip")
    head = desk.page.locator("#client thead").bounding_box()
    row = desk.page.locator("[id='client.fault.drip']").bounding_box()
    assert head is not None
    assert row is not None
    assert 0 < head["y"] + head["height"] <= row["y"] < DESK["height"]
    phone = visit(place(site, "matrix"), viewport=PHONE)
    phone.page.locator("#client .scroller").evaluate("one => one.scrollLeft = 1000")
    box = phone.page.locator("[id='client.auth.redirect'] th").bounding_box()
    assert box is not None
    assert box["x"] >= 0


def without_policy(page: str) -> str:
    """The page without its content security policy, which would stop what is planted below for another reason."""
    return re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)


#: How a page may be broken, and the check that must see it.
BROKEN: dict[str, tuple[Callable[[str], str], Callable[..., None]]] = {
    "a script that came through": (
        lambda page: page.replace("<main>", "<main><script>pwned=1</script>"),
        check_quiet,
    ),
    "a script that came through, without a policy": (
        lambda page: without_policy(page).replace("<main>", "<main><script>pwned=1</script>"),
        check_quiet,
    ),
    "an image from elsewhere": (
        lambda page: page.replace("<main>", '<main><img alt="" src="http://127.0.0.1:9/a.png">'),
        check_quiet,
    ),
    "a script that throws": (
        lambda page: without_policy(page).replace('"use strict";', '"use strict"; nothing();'),
        check_quiet,
    ),
    "something wide": (
        lambda page: without_policy(page).replace("<main>", '<main><p style="width: 500px">wide</p>'),
        check_fits_a_phone,
    ),
    "text that does not wrap": (
        lambda page: without_policy(page).replace("white-space: pre-wrap", "white-space: pre"),
        check_fits_a_phone,
    ),
    "pale text": (
        lambda page: without_policy(page).replace("--soft: #5f5c54", "--soft: #9c9a94"),
        check_accessible,
    ),
    "a page without a language": (lambda page: page.replace(' lang="en"', ""), check_accessible),
    "a page without a main part": (
        lambda page: page.replace("<main>", "<div>").replace("</main>", "</div>"),
        check_accessible,
    ),
    "cells without a name": (lambda page: re.sub(r' (aria-label|title)="[^"]*"', "", page), check_accessible),
    "a box that only a mouse can scroll": (lambda page: page.replace(' tabindex="0"', ""), check_accessible),
    "a filter without its rule": (
        lambda page: without_policy(page).replace('.clause:not([data-verdict="fail"])', ".nothing"),
        check_filters_by_keyboard,
    ),
    "a filter that is no link": (
        lambda page: page.replace('href="#only-fail"', 'data-href="#only-fail"'),
        check_filters_by_keyboard,
    ),
    "a filter without its target": (lambda page: page.replace('id="only-warn"', ""), check_filters_by_link),
    "a filter that counts wrong": (
        lambda page: page.replace(f"<b> {PASSED}</b>", f"<b> {PASSED - 1}</b>"),
        check_filters_by_link,
    ),
    "a clause without its id": (lambda page: page.replace('id="server.rate.429"', ""), check_clause_by_link),
    "a clause under the bar": (
        lambda page: without_policy(page).replace("scroll-margin-top: 4.5rem", "scroll-margin-top: 0"),
        check_clause_by_link,
    ),
    "folded evidence on paper": (
        lambda page: without_policy(page).replace("details::details-content", ".nothing"),
        check_prints_everything,
    ),
    "a filter on paper": (
        lambda page: without_policy(page).replace(".theme, .clause { display: block !important; }", ""),
        check_prints_everything,
    ),
    "dark paper": (
        lambda page: without_policy(page).replace("--paper: #fff; --card", "--paper: #111; --card"),
        check_prints_everything,
    ),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_page_broken_on_purpose_is_caught(visit: Go, site: Path, tmp_path: Path, how: str) -> None:
    """Each check can fail, and for the page as it is each passes."""
    break_it, check = BROKEN[how]
    whole = place(site, "failing").read_text("utf-8")
    broken = break_it(whole)
    assert broken != whole
    path = tmp_path / "broken.html"
    path.write_text(broken, "utf-8")
    with pytest.raises(AssertionError):
        check(visit, path)
