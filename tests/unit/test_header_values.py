"""Parsing of documented response headers, as OpenAPI serializes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from batch_conformance.contract import current_contract
from tests.support.overlays import GET, update, using
from tests.unit.test_server_contract_edits import batch, judged, read, red

_FIVE = {"type": "array", "items": {"type": "integer", "maximum": 5}, "maxItems": 3}
_PAIR = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}, "s": {"type": "string"}}}
_JSON = {"application/json": {"schema": _PAIR}}


@pytest.mark.parametrize(
    ("row", "right", "wrong"),
    [
        ({"schema": _FIVE}, ["1,2, 3", "5", ""], ["6", "a", "1,2,3,4"]),
        ({"schema": _PAIR}, ["n,5", "s,x,n,5"], ["n,x", "s,5", "5"]),
        ({"schema": _PAIR, "explode": True}, ["n=5", "s=x,n=5"], ["n=x", "n,5"]),
        ({"content": _JSON}, ['{"n": 5}'], ['{"n": "5"}', "n=5"]),
        ({"schema": {"enum": [1, 2]}}, ["1"], ["3", "one"]),
        ({"schema": {"type": "boolean"}}, ["true"], ["yes", "NaN"]),
        ({"schema": {"type": ["string", "null"]}}, ["5"], []),
    ],
)
def test_headers_are_read_by_their_schema(tmp_path: Path, row: Any, right: list[str], wrong: list[str]) -> None:
    """Lists, objects and JSON are parsed by OpenAPI's serialization."""
    with using(tmp_path, update(f"{GET}.responses['200']", {"headers": {"X-Told": row}})):
        for text in right:
            assert red(judged(read(batch(), 1, x_told=text))) == set(), text
        for text in wrong:
            assert red(judged(read(batch(), 1, x_told=text))) == {"server.header.x-told"}, text


def test_a_content_type_among_headers_is_ignored(tmp_path: Path) -> None:
    """OpenAPI 3.1, 4.8.17: it is ignored in favour of the media types under content."""
    row = {"Content-Type": {"required": True, "schema": {"const": "text/plain"}}}
    with using(tmp_path, update(f"{GET}.responses['200']", {"headers": row})):
        assert red(judged(read(batch()))) == set()


def test_documented_headers_are_checked(tmp_path: Path) -> None:
    """Required headers, and values that have a schema."""
    limit = {"headers": {"X-Rate-Left": {"required": True, "schema": {"type": "integer", "minimum": 0}}}}
    with using(tmp_path, update(f"{GET}.responses['200']", limit)):
        clause = "server.header.x-rate-left"
        assert (
            current_contract().clauses[clause].promise
            == "The header X-Rate-Left is there, and is as the contract says."
        )
        assert red(judged(read(batch(), x_rate_left="3"))) == set()
        for headers in ({}, {"x_rate_left": "-1"}, {"x_rate_left": "many"}):
            assert red(judged(read(batch(), 1, **headers))) == {clause}
