"""Checks of a page in a browser, for the tests and for pages that are broken on purpose."""

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
    """A page in a browser, with the console messages and requests it caused."""

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
        """Record a request, unless it is for the page itself or for inline data."""
        if not request.url.startswith(("data:", self.address)):
            self.noise.append(f"request: {request.url[:200]}")

    def visible(self, selector: str) -> list[str]:
        """Return the ids of the matching elements that are displayed, scrolled out of view or not."""
        found: list[str] = self.page.eval_on_selector_all(
            selector,
            "all => all.filter(one => one.checkVisibility({visibilityProperty: true}))"
            ".map(one => one.id || one.querySelector('[id]')?.id || one.tagName)",
        )
        return found

    def count(self, selector: str) -> int:
        """Count the matching elements, displayed or not."""
        return self.page.locator(selector).count()


Go = Callable[..., Visit]


def check_quiet(go: Go, path: Path) -> None:
    """Check that the page loads without messages or requests, and does not run scripts planted in it."""
    seen = go(path)
    seen.page.wait_for_timeout(200)
    assert seen.noise == []
    assert seen.page.evaluate("window.pwned") is None


def check_fits_a_phone(go: Go, path: Path) -> None:
    """Check that nothing is wider than a small phone, except what scrolls in its own box."""
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
    """Check that axe finds nothing, contrast included, with everything unfolded."""
    from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]

    seen = go(path, **options)
    seen.page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    found = Axe().run(seen.page, options={"runOnly": RULES, "resultTypes": ["violations"]}).response
    messages = [
        f"{broken['id']}: {node['html'][:150]}" for broken in found["violations"] for node in broken["nodes"][:3]
    ]
    assert messages == []
    assert len(found["passes"]) > 15


def check_filters_by_keyboard(go: Go, path: Path, **options: Any) -> None:
    """Check that Tab and Enter set a filter, the URL keeps it, and Back undoes it."""
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
    """Check that every filter's link shows exactly the clauses that it counts."""
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
    """Check that a link to a clause unfolds it and scrolls its heading into view."""
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
    """Check that print shows all evidence in light colours, whatever filter is set on the screen."""
    seen = go(path, link="#only-warn", color_scheme="dark")
    seen.page.evaluate("document.querySelectorAll('details').forEach(one => one.open = false)")
    assert len(seen.visible(".evidence")) == 0
    seen.page.emulate_media(media="print")
    for part in (".clause", ".evidence", ".comparison", ".exchange pre", ".curl code", ".about"):
        assert len(seen.visible(part)) == seen.count(part) > 0
    assert seen.visible(".filters") == []
    assert seen.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert seen.page.locator(".tall").first.evaluate("one => one.scrollHeight - one.clientHeight") <= 1
