"""Comparison of two groups of responses: which features differ between the groups but not within them?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Literal, NamedTuple
from urllib.parse import quote

from batch_conformance.http import Exchange

_ID, _ABSENT = "<id>", "(absent)"


class Feature(NamedTuple):
    """Part of a response whose value is compared; ``name`` is for people."""

    part: Literal["head", "body"]
    name: str


#: The only feature of a body that a HEAD shows.
_LENGTH = Feature("head", "the header content-length")


def noise(exchanges: Iterable[Exchange]) -> frozenset[Feature]:
    """Return the features that vary among like requests with any kind of key, e.g. of a cache or a trace.

    In one small group, a random feature may happen to be constant; in several groups, it shows.
    """
    rows = list(exchanges)
    ids = {exchange.intent.id for exchange in rows}
    groups: dict[tuple[str, str, int | None], list[dict[Feature, str]]] = defaultdict(list)
    for exchange in rows:
        groups[exchange.intent.key_kind, exchange.intent.id_kind, exchange.status].append(_features(exchange, ids))
    found = frozenset(
        feature
        for group in groups.values()
        for feature in {feature for features in group for feature in features}
        if len({features.get(feature, _ABSENT) for features in group}) > 1
    )
    # With the body, its length may vary.
    return found | {_LENGTH} if any(feature.part == "body" for feature in found) else found


def distinguishing_features(
    known: Sequence[Exchange],
    unknown: Sequence[Exchange],
    noisy: Collection[Feature] = (),
    *,
    only_body: bool = False,
) -> Iterator[tuple[str, str, str]]:
    """Yield features that are constant in each group and differ between the two: (name, known, unknown).

    Requested ids are replaced where they are echoed. The status comes first and, if it differs, alone.
    Features in ``noisy`` are left out; with ``only_body``, so is all but the body's text or members.
    """
    ours_only, theirs_only = ({exchange.status for exchange in group} for group in (known, unknown))
    if ours_only != theirs_only:
        # A status that both groups get at times is chance.
        if ours_only.isdisjoint(theirs_only) and not only_body:
            yield "the status", _status(known), _status(unknown)
        return
    ids = {exchange.intent.id for exchange in (*known, *unknown)}
    ours, theirs = ([_features(item, ids) for item in group] for group in (known, unknown))
    found = False
    features = {feature for group in (*ours, *theirs) for feature in group}.difference(noisy)
    for feature in sorted(features, key=lambda one: one.name):
        if only_body and feature.part != "body":
            continue
        here = {group.get(feature, _ABSENT) for group in ours}
        there = {group.get(feature, _ABSENT) for group in theirs}
        if len(here) == len(there) == 1 and here != there:
            found = True
            yield feature.name, here.pop(), there.pop()
    if not found and not only_body and not any(feature.part == "body" for feature in noisy):
        # Equal values may still be serialized differently.
        bodies, others = ({_body(item, ids) for item in group} for group in (known, unknown))
        if len(bodies) == len(others) == 1 and bodies != others:
            yield "the way the body is written", repr(bodies.pop()), repr(others.pop())


def _status(group: Sequence[Exchange]) -> str:
    return " or ".join(sorted({str(exchange.status) for exchange in group}))


def _features(exchange: Exchange, ids: set[str]) -> dict[Feature, str]:
    response = exchange.response
    if response is None:
        return {Feature("head", "the answer"): exchange.outcome()}
    head = {
        "the reason phrase": response.reason,
        "the order and spelling of the headers": ", ".join(name for name, _ in response.headers),
    }
    # Where there is a body, it is compared itself.
    left_out = {"date"} if exchange.request.method == "HEAD" else {"date", "content-length"}
    for name, value in response.headers:
        if name.lower() not in left_out:
            head[f"the header {name.lower()}"] = _anonymous(value, ids)
    read = response.json
    body = _leaves(read.value, "the body", ids) if read.ok else {"the body": _body(exchange, ids)}
    return {Feature("head", name): value for name, value in head.items()} | {
        Feature("body", name): value for name, value in body.items()
    }


def _body(exchange: Exchange, ids: set[str]) -> str:
    text = exchange.response.body.decode("utf-8", "replace") if exchange.response else ""
    return _anonymous(text, ids)


def _leaves(value: Any, path: str, ids: set[str]) -> dict[str, str]:
    if isinstance(value, dict) and value:
        return {
            key: text for name, item in value.items() for key, text in _leaves(item, f"{path}'s {name}", ids).items()
        }
    if isinstance(value, list) and value:
        return {
            key: text
            for index, item in enumerate(value)
            for key, text in _leaves(item, f"{path}[{index}]", ids).items()
        }
    return {path: _anonymous(repr(value), ids)}


def _anonymous(text: str, ids: set[str]) -> str:
    for value in ids:
        text = text.replace(quote(value, safe=""), _ID).replace(value, _ID)
    return text
