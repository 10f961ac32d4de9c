"""Reads exchanges from files: HAR, cassettes (vcrpy, VCR, betamax, go-vcr), mocks and bodies in JSON or YAML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from batch_conformance.contract import parse_date_time
from batch_conformance.recorded.detection import looks_like_batch, looks_like_error
from batch_conformance.recorded.parts import BODY_NAMES, body_of, headers_of, once, status_of
from batch_conformance.recorded.reading import Unreadable, parse, written
from batch_conformance.recorded.recording import Draft

_CASSETTE_NAMES = ("http_interactions", "interactions")
_URL_NAMES = ("url", "uri", "urlPath", "urlPathTemplate", "urlPattern", "urlPathPattern", "path")
_MEDIA_TYPE_NAMES = ("content_type", "contentType")
_METHOD_NAMES = ("method", "httpMethod")
#: Levels of nesting that are searched for exchanges in a file of unknown format.
DEPTH = 30


def drafts_of(data: bytes, name: str, suffix: str) -> Iterator[Draft]:
    """Yield all possible exchanges of a file, in order. Raises :class:`Unreadable`."""
    value = parse(data, suffix)
    log = value.get("log") if isinstance(value, Mapping) else None
    if isinstance(value, Mapping) and {"report", "suite", "subject", "clauses"} <= value.keys():
        return  # a report of this suite: its evidence was checked before
    if isinstance(log, Mapping) and "entries" in log:
        yield from _har(log["entries"], name)
    elif suffix == ".har":
        raise Unreadable("it is not a HAR file: there is no log with entries")
    elif (interactions := _interactions(value)) is not None:
        yield from _cassette(interactions, name)
    elif looks_like_batch(value) or (looks_like_error(value) and not _is_answer(value)):
        # The whole file is the body; JSON is kept byte for byte.
        yield Draft(name, body=written(value) if suffix in (".yaml", ".yml") else data.removeprefix(b"\xef\xbb\xbf"))
    else:
        yield from _found(value, name)


# HAR 1.2.


def _har(entries: Any, name: str) -> Iterator[Draft]:
    if not isinstance(entries, list):
        raise Unreadable("it is not a HAR file: log.entries is not an array")
    times = [_began(entry) for entry in entries]
    dated = None not in times
    for number, (entry, began) in enumerate(zip(entries, times, strict=True), 1):
        place = f"{name}: entry {number}"
        draft = _draft(place, *_sides(entry, place))
        if dated and began is not None:
            yield replace(draft, order=name, at=began, until=began + _seconds(entry.get("time")))
        else:
            yield replace(draft, order=name, at=float(number), until=float(number))


def _began(entry: Any) -> float | None:
    started = entry.get("startedDateTime") if isinstance(entry, Mapping) else None
    instant = parse_date_time(started) if isinstance(started, str) else ""
    return None if isinstance(instant, str) else instant.seconds + float(instant.fraction)


def _seconds(milliseconds: Any) -> float:
    try:
        value = float(milliseconds) / 1000
    except (TypeError, ValueError, OverflowError):
        return 0.0
    return value if 0 <= value < 1e9 else 0.0


# Cassettes.


def _interactions(value: Any) -> Any:
    """Return the interactions of a cassette; None for Pact files, whose interactions have no order."""
    if not isinstance(value, Mapping) or {"consumer", "provider"} <= value.keys():
        return None
    return next((value[key] or [] for key in _CASSETTE_NAMES if key in value), None)


def _cassette(interactions: Any, name: str) -> Iterator[Draft]:
    if not isinstance(interactions, list):
        raise Unreadable("it is not a cassette: its interactions are not a list")
    for number, interaction in enumerate(interactions, 1):
        place = f"{name}: interaction {number}"
        draft = _draft(place, *_sides(interaction, place))
        yield replace(draft, order=name, at=float(number), until=float(number))


def _sides(exchange: Any, place: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    if not isinstance(exchange, Mapping):
        raise Unreadable(f"{place} is not an object")
    once(exchange, place)
    request, response = exchange.get("request"), exchange.get("response")
    for name, side in (("request", request), ("response", response)):
        if not isinstance(side, Mapping):
            raise Unreadable(f"{place} has no {name}")
        once(side, f"{place}: {name}")
    assert isinstance(request, Mapping)
    assert isinstance(response, Mapping)
    return request, response


# Mocks, in any format, and bodies on their own.


def _found(value: Any, name: str) -> Iterator[Draft]:
    """Search a value for exchanges and bodies, in document order; aliased values are searched once."""
    seen: set[int] = set()
    stack: list[tuple[Any, str, int]] = [(value, "", 0)]
    while stack:
        node, path, depth = stack.pop()
        if not isinstance(node, Mapping | list) or id(node) in seen or depth > DEPTH:
            continue
        seen.add(id(node))
        place = f"{name}: {path}" if path else name
        draft = _mock(node, place) if isinstance(node, Mapping) else None
        if draft is not None:
            yield draft
            continue
        inner = (
            [(item, f"{path}.{_short(key)}" if path else _short(key), depth + 1) for key, item in node.items()]
            if isinstance(node, Mapping)
            else [(item, f"{path}[{index}]", depth + 1) for index, item in enumerate(node)]
        )
        stack += reversed(inner)


def _short(key: object) -> str:
    text = str(key)
    return text if len(text) <= 60 else f"{text[:60]}…"


def _mock(node: Mapping[str, Any], place: str) -> Draft | None:
    """Read an object as an exchange: request and response, nock's format, a response or a body alone."""
    request, response = node.get("request"), node.get("response")
    if isinstance(request, Mapping) and isinstance(response, Mapping):
        once(node, place)
        once(request, f"{place}: request")
        once(response, f"{place}: response")
    elif isinstance(node.get("path"), str) and "response" in node and status_of(node)[0]:
        once(node, place)
        scope = node.get("scope")
        path = f"{scope}{node['path']}" if isinstance(scope, str) else node["path"]
        request = {"method": node.get("method"), "path": path, "headers": node.get("reqheaders")}
        response = {key: item for key, item in node.items() if key not in BODY_NAMES} | {"body": response}
    elif _is_answer(node):
        once(node, place)
        request = {key: item for key, item in node.items() if key != "headers"}
        response = node
    elif looks_like_batch(node) or looks_like_error(node):
        return Draft(place, body=written(node))
    else:
        return None
    return _draft(place, request, response)


def _is_answer(node: Mapping[str, Any]) -> bool:
    """Whether an object is a response: it has a status, and a body or headers."""
    if status_of(node)[0] is None or looks_like_batch(node):
        return False
    certain = "headers" in node or node.get("body") is not None
    return certain or (not looks_like_error(node) and any(node.get(name) is not None for name in BODY_NAMES))


def _draft(place: str, request: Mapping[str, Any], response: Mapping[str, Any]) -> Draft:
    headers = headers_of(response.get("rawHeaders") or response.get("headers"))
    media_type = _text(response, _MEDIA_TYPE_NAMES)
    if media_type and not any(name.lower() == "content-type" for name, _ in headers or ()):
        headers = (*(headers or ()), ("content-type", media_type))
    status, reason = status_of(response)
    try:
        body, text = body_of(response, headers)
    except Unreadable as error:
        raise Unreadable(f"{place}: {error}") from None
    return Draft(
        place,
        method=_text(request, _METHOD_NAMES),
        url=_text(request, _URL_NAMES),
        sent=headers_of(request.get("headers")),
        status=status or None,  # HAR writes 0 where no response came
        reason=reason,
        headers=headers,
        body=body,
        text=text,
    )


def _text(request: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    return next((request[name] for name in names if isinstance(request.get(name), str)), None)
