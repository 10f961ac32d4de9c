"""The known-failures file: what its patterns match, what it may say, and how a malformed one is refused."""

from __future__ import annotations

import re
import time
from datetime import date
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from batch_conformance.checks.finding import Finding
from batch_conformance.contract import contract_root, load_contract
from batch_conformance.http import Redactor
from batch_conformance.known_failures import (
    Expected,
    KnownFailure,
    MalformedKnownFailures,
    ReceivedRequest,
    read_known_failures,
    seen_of,
)
from batch_conformance.known_failures.patterns import pattern_of

SAME = [
    (ReceivedRequest("id of a COMPLETED batch", "123"), ReceivedRequest("id of a PENDING batch", "98765")),
    (
        ReceivedRequest("a read of 'batch_iqm089', an id of the same form that nobody issued", "200 OK"),
        ReceivedRequest("a read of 'batch_cne341', an id of the same form that nobody issued", "200 OK"),
    ),
    (
        ReceivedRequest("GET of the request", "GET http://127.0.0.1:40123/v2/batch/x"),
        ReceivedRequest("GET of the request", "GET http://127.0.0.1:59999/v2/batch/x"),
    ),
    (
        ReceivedRequest("the retry came too early", "0.031 s; 3 of 4 retries waited less"),
        ReceivedRequest("the retry came too early", "0.7 s; 12 of 13 retries waited less"),
    ),
    (
        ReceivedRequest("created_at of a FAILED batch: no offset", '"2024-01-15T10:30:00"'),
        ReceivedRequest("created_at of a PENDING batch: no offset", '"2026-11-23T18:20:04"'),
    ),
    (
        ReceivedRequest("an error", "error other, no status: lost 5f2d9c1e-77aa-4be1-9d3e-0c4b5a697887"),
        ReceivedRequest("an error", "error other, no status: lost 01890c4e-0000-7abc-8def-aaaabbbbcccc"),
    ),
    (ReceivedRequest("a batch", "a batch: {'id': 'x', 'n': 1}"), ReceivedRequest("a batch", "a batch: {'id': 'y'}")),
    (ReceivedRequest("the trace", "Error\n  at line 5"), ReceivedRequest("the trace", "Error\n  at line 6 of 7")),
]
OTHERS = [
    (ReceivedRequest("id of a COMPLETED batch", "123"), ReceivedRequest("id of a COMPLETED batch", "null")),
    (
        ReceivedRequest("id of a COMPLETED batch", '"BATCH_ABC123"'),
        ReceivedRequest("id of a COMPLETED batch", '"batch_def456"'),
    ),
    (
        ReceivedRequest("a read with no key", "200 OK"),
        ReceivedRequest("a read with no key", "500 Internal Server Error"),
    ),
    (ReceivedRequest("a read with no key", "404"), ReceivedRequest("a read with no key", "405")),
    (ReceivedRequest("status", '"DONE"'), ReceivedRequest("status", '"done"')),
    (
        ReceivedRequest("GET of 'batch_abc123'", "500"),
        ReceivedRequest("GET of 'batch_abc123' with If-None-Match", "500"),
    ),
    (
        ReceivedRequest("the body of a 401: 'message' is a required property", "{}"),
        ReceivedRequest("the body of a 401: 'statusCode' is a required property", "{}"),
    ),
    (ReceivedRequest("webhookUrl", "null"), ReceivedRequest("webhookUrl", '"null"')),
]


@pytest.mark.parametrize(("first", "again"), SAME)
def test_the_same_failure_matches_in_another_run(first: ReceivedRequest, again: ReceivedRequest) -> None:
    """Ports, ids, times and counts vary."""
    assert pattern_of(first).matches(again)
    assert pattern_of(again).matches(first)


@pytest.mark.parametrize(("first", "other"), OTHERS)
def test_another_failure_does_not_match(first: ReceivedRequest, other: ReceivedRequest) -> None:
    """Words, statuses and types do not."""
    assert not pattern_of(first).matches(other)
    assert not pattern_of(other).matches(first)


@given(st.text(), st.text())
@example("* # **", "{" * 50)
@example("1127.0.0.15 127.0.0.1x -127.0.0.1", "12345678 " * 200)
@example("a" * 199 + "1", "x\n" * 3)
@example("'a' of 'b' 'c d' \"e\\\"f\" it's", "404ms 404 ms (404) 404, 0.404 404")
def test_a_pattern_matches_what_it_was_made_from(message: str, actual: str) -> None:
    """Whatever the evidence holds."""
    seen = seen_of(Finding(message, "", actual), Redactor())
    assert pattern_of(seen).matches(seen)


@given(st.text("*#a1 ", max_size=12), st.text("*#a1 2", max_size=12))
def test_stars_match_as_they_do_everywhere(pattern: str, text: str) -> None:
    """Compared with the plainest way of matching."""

    def plain(pattern: str, text: str) -> bool:
        if not pattern:
            return not text
        if pattern[0] == "*":
            return any(plain(pattern[1:], text[index:]) for index in range(len(text) + 1))
        return bool(text) and pattern[0] == text[0] and plain(pattern[1:], text[1:])

    if "#" not in pattern:
        assert Expected("x" + pattern).matches(ReceivedRequest("x" + text, "")) == plain(pattern, text)


def test_no_pattern_is_slow() -> None:
    """A file may hold any pattern, and a target may send any text."""
    began = time.monotonic()
    Expected("*a#" * 200 + "b").matches(ReceivedRequest("a1" * 2000, ""))
    Expected("#." * 200 + "x").matches(ReceivedRequest("1." * 2000, ""))
    assert time.monotonic() - began < 2


GOOD = {
    "clause": '"server.body.id"',
    "evidence": '[{ message = "id of a * batch", actual = "#" }]',
    "reason": '"ids are numbers"',
    "issue": '"https://acme.example/issues/7"',
    "expires": "2026-12-31",
}


def file_of(tmp_path: Path, text: str | bytes) -> Path:
    """A known-failures file with this text."""
    path = tmp_path / "known.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def table(**changes: str | None) -> str:
    """One entry as TOML; None leaves a member out."""
    members = (f"{name} = {value}\n" for name, value in (GOOD | changes).items() if value is not None)
    return "[[known_failure]]\n" + "".join(members)


def test_a_file_is_read(tmp_path: Path) -> None:
    """Entries in order, numbered from 1; actual may be left out."""
    path = file_of(tmp_path, table() + table(clause='"client.error.401"', evidence='[{message="a *"}]'))
    told = ("ids are numbers", "https://acme.example/issues/7", date(2026, 12, 31))
    assert read_known_failures(path, "known.toml").entries == (
        KnownFailure(1, "server.body.id", (Expected("id of a * batch", "#"),), *told),
        KnownFailure(2, "client.error.401", (Expected("a *", "*"),), *told),
    )
    assert read_known_failures(file_of(tmp_path, "# none yet\n")).entries == ()


MALFORMED: dict[str, tuple[str | bytes, str]] = {
    "not TOML": ("[[known_failure]\n", "is not TOML: "),
    "not UTF-8": (b"# \xff", "byte 2 is not UTF-8; save the file as UTF-8"),
    "another name": ("[[known-failures]]\n", "[[known_failure]]"),
    "one table": ("[known_failure]\n", "write each entry under a line [[known_failure]]"),
    "not a table": ("known_failure = [1]\n", "entry 1: 1 is not an entry"),
    "unknown clause": (table(clause='"server.body.ids"'), "no clause server.body.ids; is it server.body.id?"),
    "no such side": (table(clause='"proxy.body.id"'), "write the id of a clause"),
    "no expiry": (table(expires=None), "'expires' is a required property; an entry has clause, evidence"),
    "a member too many": (table(expired="1"), "'expired' was unexpected"),
    "date in quotes": (table(expires='"2026-12-31"'), "expires is a text; write a date without quotes"),
    "date with time": (table(expires="2026-12-31T00:00:00Z"), "write a date without quotes"),
    "no issue link": (table(issue='"acme#7"'), "issue cannot be 'acme#7'; write a link"),
    "empty reason": (table(reason='" "'), "reason cannot be ' '; say why"),
    "no evidence": (table(evidence="[]"), "evidence cannot be an empty list; write a list"),
    "evidence of any kind": (table(evidence='[{message="*"}]'), "message (item 1 of evidence) cannot be '*'"),
    "evidence as text": (table(evidence='["id"]'), "evidence (item 1 of evidence) cannot be 'id'"),
    "actual as number": (
        table(evidence='[{message="id", actual=5}]'),
        "actual (item 1 of evidence) cannot be 5",
    ),
    "nested": ("a = " + "[" * 5000 + "]" * 5000, "known.toml"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_file_is_refused_in_one_line(case: str, tmp_path: Path) -> None:
    """Which file, which entry, what is wrong, what to do."""
    text, problem = MALFORMED[case]
    with pytest.raises(MalformedKnownFailures) as refused:
        read_known_failures(file_of(tmp_path, text), "known.toml")
    message = str(refused.value)
    assert message.startswith("known.toml")
    assert problem in message
    assert "\n" not in message
    if isinstance(text, str) and text.startswith("[[known_failure]]\n"):
        assert message.startswith("known.toml, entry 1: ")


def test_the_example_of_the_documentation_is_one(tmp_path: Path) -> None:
    """It can be copied, and its patterns match what the report says of such a failure."""
    page = contract_root() / "docs" / "known-failures.md"
    if not page.exists():
        pytest.skip("the documentation is not part of an installed package")
    [example] = re.findall(r"^```toml\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    [told] = read_known_failures(file_of(tmp_path, example)).entries
    message = "a 404 is reported as another kind of error: a 404 with an array"
    actual = "error other, no status: argument after ** must be a mapping, not list"
    assert told.evidence[0].matches(ReceivedRequest(message, actual))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """A path with a slip in it must not mean that there are no known failures, nor the opposite."""
    with pytest.raises(MalformedKnownFailures, match="no such file; correct the path"):
        read_known_failures(tmp_path / "none.toml")
    with pytest.raises(MalformedKnownFailures, match="make it a file that can be read"):
        read_known_failures(tmp_path)


def test_the_schema_is_one() -> None:
    """And every member says what it is, for editors that show it."""
    schema = load_contract().schemas["known-failures"]
    Draft202012Validator.check_schema(schema)
    for kind in ("known_failure", "evidence"):
        assert all("description" in part for part in schema["$defs"][kind]["properties"].values())
