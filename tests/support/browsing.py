"""What is asked of every page in a browser: checks for the tests, and for pages broken on purpose."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from batch_conformance.contract import load_contract

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 900}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


class Visit:
    """A page in a browser, and everything it complained about or asked for."""

    def __init__(self, browser: Browser, path: Path, *, link: str = "", **options: Any) -> None:
        self.context = browser.new_context(**({"viewport": DESK} | options))
        self.page: Page = self.context.new_page()
        self.noise: list[str] = []
        self.page.on("console", lambda message: self.noise.append(f"console: {message.text}"))
        self.page.on("pageerror", lambda error: self.noise.append(f"error: {error}"))
        self.page.on("dialog", lambda dialog: self.noise.append(f"dialog: {dialog.message}"))
        self.page.on("request", self.requested)
        self.address = path.as_uri()
        self.page.goto(self.address + link)

    def requested(self, request: Any) -> None:
        """Anything but the page itself and what it holds inline is noise."""
        if not request.url.startswith(("data:", self.address)):
            self.noise.append(f"request: {request.url[:200]}")

    def visible(self, selector: str) -> list[str]:
        """Ids of the elements that can be seen, be they scrolled out of sight."""
        found: list[str] = self.page.eval_on_selector_all(
            selector,
            "all => all.filter(one => one.checkVisibility({visibilityProperty: true}))"
            ".map(one => one.id || one.querySelector('[id]')?.id || one.tagName)",
        )
        return found

    def count(self, selector: str) -> int:
        """How many elements there are, seen or not."""
        return self.page.locator(selector).count()


Go = Callable[..., Visit]


def check_quiet(go: Go, path: Path) -> None:
    """It loads without a complaint, asks for nothing, and runs nothing that was planted in it."""
    seen = go(path)
    seen.page.wait_for_timeout(200)
    assert seen.noise == []
    assert seen.page.evaluate("window.pwned") is None


def check_fits_a_phone(go: Go, path: Path) -> None:
    """Nothing is wider than a small phone, but what scrolls in a box of its own."""
    seen = go(path, viewport=PHONE)
    seen.page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    wide = seen.page.evaluate(
        """width => [...document.querySelectorAll('body *')]
        .filter(one => !one.closest('.scroller') && one.getBoundingClientRect().right > width + 1)
        .map(one => one.className + ': ' + one.textContent.slice(0, 60))""",
        PHONE["width"],
    )
    assert wide == []


def check_accessible(go: Go, path: Path, **options: Any) -> None:
    """Axe has nothing to say, contrast included, with everything unfolded."""
    from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]

    seen = go(path, **options)
    seen.page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    found = Axe().run(seen.page, options={"runOnly": RULES, "resultTypes": ["violations"]}).response
    said = [
        f"{broken['id']}: {node['html'][:150]}"
        for broken in found["violations"]
        for node in broken["nodes"][:3]
    ]
    assert said == []
    assert len(found["passes"]) > 15


def check_filters_by_keyboard(go: Go, path: Path, **options: Any) -> None:
    """Tab to a filter, Enter; the page's address remembers it, and the way back works."""
    seen = go(path, **options)
    every = seen.visible(".clause")
    assert len(every) == len(load_contract().of_side("server"))
    for _ in range(150):
        seen.page.keyboard.press("Tab")
        if seen.page.evaluate("document.activeElement.getAttribute('href')") == "#only-fail":
            break
    assert seen.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    seen.page.keyboard.press("Enter")
    failed = [
        "server.body.created_at",
        "server.auth.near-key",
        "server.notfound.near-id",
        "server.error.documented-status",
        "server.poll.forward-only",
    ]
    assert seen.visible(".clause") == failed
    assert seen.page.url.endswith("#only-fail")
    seen.page.go_back()
    assert seen.visible(".clause") == every


def check_filters_by_link(go: Go, path: Path, **options: Any) -> None:
    """Every filter's link shows just the clauses that it counts."""
    seen = go(path, link="#only-warn", **options)
    shown = len(seen.visible(".clause"))
    pills = seen.page.locator(".filters a").evaluate_all(
        "all => all.map(one => [one.hash, one.dataset.verdict, +one.querySelector('b').textContent])"
    )
    assert len(pills) == 6
    assert shown == next(count for link, _, count in pills if link == "#only-warn")
    for link, verdict, count in pills:
        seen.page.goto(seen.address + link)
        assert len(seen.visible(".clause")) == count
        assert len(seen.visible(f".clause[data-verdict='{verdict}']" if verdict else ".clause")) == count
        themes = set(seen.visible(".theme"))
        assert themes == set(seen.visible(f".theme:has([data-verdict='{verdict}'])" if verdict else ".theme"))


def check_clause_by_link(go: Go, path: Path, **options: Any) -> None:
    """A link to a clause unfolds it and brings it into sight, whole head and all."""
    for clause in ("server.ok.status", "server.auth.near-key", "server.rate.429", "server.auth.challenge"):
        seen = go(path, link=f"#{clause}", **options)
        assert seen.visible(f"[id='{clause}'] ~ .about") == ["DL"]
        box = seen.page.locator(f".clause:has([id='{clause}']) > summary").bounding_box()
        bar = seen.page.locator(".filters").bounding_box()
        assert box is not None
        assert bar is not None
        sticky = seen.page.locator(".filters").evaluate("one => getComputedStyle(one).position") == "sticky"
        top = bar["y"] + bar["height"] if sticky else 0
        assert top <= box["y"] < seen.page.evaluate("innerHeight") - 40


def check_prints_everything(go: Go, path: Path) -> None:
    """Paper cannot be clicked: all evidence is there, in light colours, whatever the filter on the screen."""
    seen = go(path, link="#only-warn", color_scheme="dark")
    seen.page.evaluate("document.querySelectorAll('details').forEach(one => one.open = false)")
    assert len(seen.visible(".evidence")) == 0
    seen.page.emulate_media(media="print")
    for part in (".clause", ".evidence", ".comparison", ".exchange pre", ".curl code", ".about"):
        assert len(seen.visible(part)) == seen.count(part) > 0
    assert seen.visible(".filters") == []
    assert seen.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert seen.page.locator(".tall").first.evaluate("one => one.scrollHeight - one.clientHeight") <= 1
