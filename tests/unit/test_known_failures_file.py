"""The known-failures file: patterns, syntax, and errors for malformed files."""

from __future__ import annotations

import re
import time
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from batch_conformance.contract import contract_root, load_contract
from batch_conformance.known_failures import (
    Expected,
    KnownFailure,
    MalformedKnownFailures,
    Sentence,
    read_known_failures,
)
from batch_conformance.known_failures.patterns import Seen, general, patterns_of
from batch_conformance.known_failures.sentences import matches


@given(st.sampled_from(("type", "echo")), st.text(), st.sampled_from(("", "get", "list")))
def test_evidence_matches_what_it_was_made_from(code: str, pointer: str, operation: str) -> None:
    """Whatever characters a target uses in names."""
    [made] = patterns_of([Seen(code, pointer, operation, "m", "a"), Seen(code, pointer, operation, "n", "b")])
    assert made.matches(Seen(code, pointer, operation, "worded anew", ""))
    assert general(made.pointer) == made.pointer


@given(st.text("*#a1 ", max_size=12), st.text("*#a1 2", max_size=12))
def test_stars_match_any_text(pattern: str, text: str) -> None:
    """Compared with a naive implementation."""

    def plain(pattern: str, text: str) -> bool:
        if not pattern:
            return not text
        if pattern[0] == "*":
            return any(plain(pattern[1:], text[index:]) for index in range(len(text) + 1))
        return bool(text) and pattern[0] == text[0] and plain(pattern[1:], text[1:])

    if "#" not in pattern:
        assert matches("x" + pattern, "x" + text) == plain(pattern, text)


def test_no_pattern_is_slow() -> None:
    """A file may hold any pattern, and a target may send any text."""
    began = time.monotonic()
    matches("*a#" * 200 + "b", "a1" * 2000)
    matches("#." * 200 + "x", "1." * 2000)
    assert time.monotonic() - began < 2


GOOD = {
    "clause": '"server.body.id"',
    "evidence": '[{ code = "type", pointer = "/id", operation = "get" }]',
    "reason": '"ids are numbers"',
    "issue": '"https://acme.example/issues/7"',
    "expires": "2026-12-31",
}


def file_of(tmp_path: Path, text: str | bytes) -> Path:
    """Return a known-failures file with this text."""
    path = tmp_path / "known.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def table(**changes: str | None) -> str:
    """Return one entry as TOML; None leaves a member out."""
    members = (f"{name} = {value}\n" for name, value in (GOOD | changes).items() if value is not None)
    return "[[known_failure]]\n" + "".join(members)


def test_a_file_is_read(tmp_path: Path) -> None:
    """Entries are numbered from 1; pointer and operation are optional. The old form can still be read."""
    evidence = '[{message="a *"}, {code="kind"}]'
    path = file_of(tmp_path, table() + table(clause='"client.error.401"', evidence=evidence))
    entry = ("ids are numbers", "https://acme.example/issues/7", date(2026, 12, 31))
    assert read_known_failures(path, "known.toml").entries == (
        KnownFailure(1, "server.body.id", (Expected("type", "/id", "get"),), *entry),
        KnownFailure(2, "client.error.401", (Sentence("a *", "*"), Expected("kind")), *entry),
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
    "no code": (table(evidence='[{pointer="/id"}]'), "'code' is a required property; an entry has"),
    "unknown code": (table(evidence='[{code="typ"}]'), "no finding has the code typ (item 1 of evidence); is it type?"),
    "unknown operation": (
        table(evidence='[{code="type", operation="gets"}]'),
        "no finding has the operation gets (item 1 of evidence); is it get?",
    ),
    "pointer without a slash": (
        table(evidence='[{code="type", pointer="id"}]'),
        "pointer (item 1 of evidence) cannot be 'id'; write the pointer",
    ),
    "both forms in one": (table(evidence='[{code="type", message="id"}]'), "'code' was unexpected"),
    "nested": ("a = " + "[" * 5000 + "]" * 5000, "known.toml"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_file_is_refused_in_one_line(case: str, tmp_path: Path) -> None:
    """The line names the file, the entry, the error and the remedy."""
    text, problem = MALFORMED[case]
    with pytest.raises(MalformedKnownFailures) as refused:
        read_known_failures(file_of(tmp_path, text), "known.toml")
    message = str(refused.value)
    assert message.startswith("known.toml")
    assert problem in message
    assert "\n" not in message
    if isinstance(text, str) and text.startswith("[[known_failure]]\n"):
        assert message.startswith("known.toml, entry 1: ")


def test_the_example_of_the_documentation_is_valid(tmp_path: Path) -> None:
    """It can be copied, and names an existing code and operation."""
    page = contract_root() / "docs" / "known-failures.md"
    if not page.exists():
        pytest.skip("the documentation is not part of an installed package")
    [example] = re.findall(r"^```toml\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    [entry] = read_known_failures(file_of(tmp_path, example)).entries
    assert entry.evidence[0] == Expected("kind", operation="get")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """A typing error in the path must not mean that there are no known failures."""
    with pytest.raises(MalformedKnownFailures, match="no such file; correct the path"):
        read_known_failures(tmp_path / "none.toml")
    with pytest.raises(MalformedKnownFailures, match="make it a file that can be read"):
        read_known_failures(tmp_path)


def test_the_schema_is_valid() -> None:
    """Every member has a description, for editors that show it."""
    schema = load_contract().schemas["known-failures"]
    Draft202012Validator.check_schema(schema)
    for kind in ("known_failure", "finding", "sentences"):
        assert all("description" in part for part in schema["$defs"][kind]["properties"].values())
