"""Evidence as HTML: expected beside actual, the exchange, and the commands that repeat it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from xml.etree.ElementTree import Element

from batch_conformance.http import read_json
from batch_conformance.http.text import indented_json
from batch_conformance.report.difference import Piece, distinguishing_features
from batch_conformance.report.labels import frequency, message_of
from batch_conformance.report.markup import h
from batch_conformance.report.replaying import curl_of, replay_of

#: HTTP messages longer than this, in characters or lines, get a box that scrolls.
_TALL_CHARACTERS = 1500
_TALL_LINES = 28


def evidence_items(clause: Mapping[str, Any]) -> Iterable[Element]:
    """Yield the evidence of a clause: the first item open, further ones folded."""
    for number, item in enumerate(clause["evidence"], 1):
        inner = _comparison(item), _exchange(item), _curl(curl_of(clause, item)), _replay(clause, item)
        if number == 1:
            yield h("div", h("p", message_of(clause, item), _often(item), class_="message"), *inner, class_="evidence")
        else:
            summary = h("summary", h("span", message_of(clause, item), _often(item), class_="message"), _start(item))
            yield h("details", summary, *inner, class_="evidence more")


def _often(item: Mapping[str, Any]) -> Element | None:
    often = frequency(item)
    return h("span", f" · {often}", class_="often") if often else None


def _start(item: Mapping[str, Any]) -> Element | None:
    """Return the request line, which distinguishes folded pieces of evidence with the same message."""
    request = item["request"]
    return h("small", f"{request['method']} {request['url']}"[:160]) if request else None


def _comparison(item: Mapping[str, Any]) -> Element | None:
    if not item["expected"] and not item["actual"]:
        return None
    expected, actual = distinguishing_features(item["expected"], item["actual"])
    return h(
        "dl",
        h("div", h("dt", "Expected"), h("dd", _pieces(expected)), class_="expected"),
        h("div", h("dt", "Actual"), h("dd", _pieces(actual)), class_="actual"),
        class_="comparison",
    )


def _pieces(pieces: list[Piece]) -> list[Element | str]:
    return [h("mark", text) if marked else text for text, marked in pieces]


def _exchange(item: Mapping[str, Any]) -> Element | None:
    request, response = item["request"], item["response"]
    if request is None:
        return None
    outcome = item.get("outcome") or "no response"
    return h(
        "div",
        *(part for step in item.get("prelude", []) for part in _step(step)),
        _message("Request", f"{request['method']} {request['url']}", request, item.get("notes", [])),
        _message("Response", outcome, response) if response else _message("Response", outcome, None),
        class_="exchange",
    )


def _step(step: Mapping[str, Any]) -> Iterable[Element]:
    """Yield a request that was sent before that of the evidence, and its response."""
    request, outcome = step["request"], step["outcome"]
    yield _message("Request", f"{request['method']} {request['url']}", request, ["sent before"])
    yield _message("Response", outcome, step["response"])


def _message(kind: str, start: str, message: Mapping[str, Any] | None, notes: Iterable[str] = ()) -> Element:
    first, _, rest = start.partition(" ")
    parts: list[Element | str] = [h("b", first), f" {rest}"]
    note = ""
    if message:
        for name, value in message["headers"]:
            parts += ["\n", h("span", f"{name}:", class_="name"), f" {value}"]
        body, note = _readable(message["body"])
        if body:
            parts.append("\n\n" + body)
    length = sum(len(part if isinstance(part, str) else part.text or "") for part in parts)
    breaks = sum((part if isinstance(part, str) else "").count("\n") for part in parts)
    notes = [*notes, note]
    return h(
        "section",
        h("h4", kind, *(h("span", f" · {text}", class_="note") for text in notes if text)),
        _box(kind, parts, tall=length > _TALL_CHARACTERS or breaks > _TALL_LINES),
        class_=kind.lower(),
    )


def _box(name: str, parts: Iterable[Element | str], *, tall: bool) -> Element:
    # A box that scrolls must be focusable by keyboard, and then it needs an accessible name.
    reach = {"class_": "tall", "tabindex": "0", "role": "region", "aria_label": name} if tall else {}
    return h("pre", h("code", parts), **reach)


def _readable(body: str) -> tuple[str, str]:
    if "\n" in body.strip() or len(body) < 60 or not read_json(body.encode("utf-8", "replace")).ok:
        return body, ""
    return indented_json(body), "indented for reading"


def _replay(clause: Mapping[str, Any], item: Mapping[str, Any]) -> Element | None:
    line = replay_of(clause, item)
    if not line:
        return None
    title = "Replay" if clause["id"].startswith("server.") else "Serve this answer again"
    return h("div", h("h4", title), _box("replay line", [line], tall=False), class_="curl")


def _curl(text: str) -> Element | None:
    if not text:
        return None
    line = _box("curl line", [text], tall=len(text) > _TALL_CHARACTERS)
    return h("div", h("h4", "Repeat the request"), line, class_="curl")
