"""Features that distinguish known ids from unknown ones, without those that vary by chance."""

from __future__ import annotations

from typing import Literal

from batch_conformance.checks.server.oracle import distinguishing_features, noise
from batch_conformance.http import Exchange, Intent, Request, Response

_SIGN = ("the header x-cache", "HIT", "MISS")


def _refusal(key: Literal["missing", "empty"], id_kind: Literal["known", "unknown"], cache: str) -> Exchange:
    intent = Intent("id-enumeration", f"batch_{id_kind}", id_kind, key)
    request = Request("GET", f"http://h/v2/batch/{intent.id}", ())
    return Exchange(1, intent, request, Response(401, (("x-cache", cache),), b'{"message": "no"}'), started=0, ended=0)


KNOWN = [_refusal("empty", "known", "HIT")] * 2
UNKNOWN = [_refusal("empty", "unknown", "MISS")] * 2


def test_features_that_are_constant_in_each_group_distinguish() -> None:
    """Whatever other kinds of key showed."""
    steady = [_refusal("missing", "known", "HIT"), _refusal("missing", "unknown", "MISS")]
    assert list(distinguishing_features(KNOWN, UNKNOWN, noise([*KNOWN, *UNKNOWN, *steady]))) == [_SIGN]


def test_features_that_vary_with_the_key_do_not_distinguish() -> None:
    """Two pairs of responses may agree by chance."""
    varied = [_refusal("missing", "known", value) for value in ("HIT", "MISS")]
    assert list(distinguishing_features(KNOWN, UNKNOWN)) == [_SIGN]
    assert list(distinguishing_features(KNOWN, UNKNOWN, noise([*KNOWN, *UNKNOWN, *varied]))) == []
