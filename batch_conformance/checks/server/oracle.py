"""Comparison of two groups of responses: which features differ between the groups but not within them?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import quote

from batch_conformance.http import Exchange

_ECHO, _ABSENT = "<id>", "(absent)"


def noise(exchanges: Iterable[Exchange]) -> frozenset[str]:
    """Return the features that vary among like requests with any kind of key, e.g. of a cache or a trace.

    In one small group, a random feature may happen to be constant; in several groups, it shows.
    """
    rows = list(exchanges)
    asked = {exchange.intent.id for exchange in rows}
    groups: dict[tuple[str, str, int | None], list[dict[str, str]]] = defaultdict(list)
    for exchange in rows:
        groups[exchange.intent.key_kind, exchange.intent.id_kind, exchange.status].append(_features(exchange, asked))
    return frozenset(
        name
        for group in groups.values()
        for name in {name for features in group for name in features}
        if len({features.get(name, _ABSENT) for features in group}) > 1
    )


def distinguishing_features(
    known: Sequence[Exchange], unknown: Sequence[Exchange], noisy: Collection[str] = ()
) -> Iterator[tuple[str, str, str]]:
    """Yield features that are constant in each group and differ between the two: (name, known, unknown).

    Requested ids are replaced where they are echoed. The status comes first and, if it differs, alone.
    Features in ``noisy`` are left out.
    """
    ours_only, theirs_only = ({exchange.status for exchange in group} for group in (known, unknown))
    if ours_only != theirs_only:
        # A status that both groups get at times is chance.
        if ours_only.isdisjoint(theirs_only):
            yield "the status", _status(known), _status(unknown)
        return
    asked = {exchange.intent.id for exchange in (*known, *unknown)}
    ours, theirs = ([_features(item, asked) for item in group] for group in (known, unknown))
    found = False
    for name in sorted({name for features in (*ours, *theirs) for name in features}.difference(noisy)):
        here = {features.get(name, _ABSENT) for features in ours}
        there = {features.get(name, _ABSENT) for features in theirs}
        if len(here) == len(there) == 1 and here != there:
            found = True
            yield name, here.pop(), there.pop()
    if not found:
        # Equal values may still be serialized differently.
        bodies, others = ({_body(item, asked) for item in group} for group in (known, unknown))
        if len(bodies) == len(others) == 1 and bodies != others:
            yield "the way the body is written", repr(bodies.pop()), repr(others.pop())


def _status(group: Sequence[Exchange]) -> str:
    return " or ".join(sorted({str(exchange.status) for exchange in group}))


def _features(exchange: Exchange, asked: set[str]) -> dict[str, str]:
    response = exchange.response
    if response is None:
        return {"the answer": exchange.outcome()}
    features = {
        "the reason phrase": response.reason,
        "the order and spelling of the headers": ", ".join(name for name, _ in response.headers),
    }
    for name, value in response.headers:
        if name.lower() not in ("date", "content-length"):
            features[f"the header {name.lower()}"] = _anonymous(value, asked)
    read = response.json
    if read.ok:
        features.update(_leaves(read.value, "the body", asked))
    else:
        features["the body"] = _anonymous(response.body.decode("utf-8", "replace"), asked)
    return features


def _body(exchange: Exchange, asked: set[str]) -> str:
    text = exchange.response.body.decode("utf-8", "replace") if exchange.response else ""
    return _anonymous(text, asked)


def _leaves(value: Any, path: str, asked: set[str]) -> dict[str, str]:
    if isinstance(value, dict) and value:
        return {
            key: text
            for name, item in value.items()
            for key, text in _leaves(item, f"{path}'s {name}", asked).items()
        }
    if isinstance(value, list) and value:
        return {
            key: text
            for index, item in enumerate(value)
            for key, text in _leaves(item, f"{path}[{index}]", asked).items()
        }
    return {path: _anonymous(repr(value), asked)}


def _anonymous(text: str, asked: set[str]) -> str:
    for value in asked:
        text = text.replace(quote(value, safe=""), _ECHO).replace(value, _ECHO)
    return text
