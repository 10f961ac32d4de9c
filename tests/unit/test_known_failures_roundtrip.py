"""For any known-failures file and any run, an update brings the file in line and keeps its comments."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from batch_conformance.checks.finding import Finding
from batch_conformance.checks.verdict import ClauseResult
from batch_conformance.contract import load_contract
from batch_conformance.known_failures import (
    KnownFailures,
    Observations,
    Sentence,
    apply_known_failures,
    read_known_failures,
    update_known_failures,
)
from batch_conformance.known_failures.patterns import Evidence, Seen
from tests.support import samples

TODAY = date(2026, 11, 23)
CLAUSES = ("server.body.id", "server.body.status", "server.auth.challenge", "client.error.401")
ITEMS = (
    '{ code = "type", pointer = "/id" }',
    '{ code="enum", operation = "get", pointer = "/*/status" }',
    "{ code = 'challenge' }",
    '{ message = "id of a * batch" }',
    '{ message = "status: *", actual = "*" }',
    '{ message = "*7" }',
)
EVIDENCE = (
    ("type", "/id", "get", "id of a FAILED batch", "1"),
    ("required", "/id", "get", "id of a FAILED batch", "absent"),
    ("enum", "/2/status", "get", "status: odd", '"x"'),
    ("challenge", "", "get", "a 401 7", ""),
    ("depth", "", "list", "z7", "z"),
)


@dataclass
class Written:
    """A generated file, and the owner of each of its comments: an entry, one of its items, or None."""

    newline: str
    text: str = ""
    owners: dict[str, tuple[int, ...]] = field(default_factory=dict)

    def comment(self, *owner: int) -> str:
        """Return a new comment."""
        text = f"# comment {len(self.owners)}."
        self.owners[text] = owner
        return text


@st.composite
def files(draw: st.DrawFn) -> Written:
    """Generate files in many spellings."""
    made = Written(draw(st.sampled_from(("\n", "\r\n"))))
    coin = st.booleans()
    lines = [made.comment(), ""] if draw(coin) else [""]
    for number in range(1, draw(st.integers(0, 4)) + 1):
        if draw(coin):
            lines += [made.comment(), ""]
        if draw(coin):
            lines += [made.comment(number), made.comment(number)]
        lines.append("[[known_failure]]" + (f" {made.comment(number)}" if draw(coin) else ""))
        quote = draw(st.sampled_from(('"', "'", '"""')))
        members = [
            f"clause = {quote}{draw(st.sampled_from(CLAUSES))}{quote}",
            f"reason={quote}[[known_failure]] = {{ # no comment{quote}",
            "issue   =  'https://acme.example/#1'",
            f"expires = 2027-0{number}-01",
            _array(draw, made, number),
        ]
        for member in draw(st.permutations(members)):
            if draw(coin):
                lines.append(f"  {made.comment(number)}")
            lines.append(member)
        lines += [""] * draw(st.integers(1, 2))
    made.text = made.newline.join(lines)
    return made


def _array(draw: st.DrawFn, made: Written, number: int) -> str:
    items = draw(st.lists(st.sampled_from(ITEMS), min_size=1, max_size=3))
    comma = "," if draw(st.booleans()) else ""
    if draw(st.booleans()):
        return f"evidence = [{', '.join(items)}{comma}] {made.comment(number)}"
    lines = [f"evidence = [ {made.comment(number)}"]
    for index, item in enumerate(items):
        if draw(st.booleans()):
            lines.append(f"    {made.comment(number, index)}")
        last = index == len(items) - 1
        lines.append(f"    {item}{comma if last else ','} {made.comment(number, index)}")
    lines.append(f"  {made.comment(number)}")
    return made.newline.join([*lines, "]"])


@st.composite
def observed(draw: st.DrawFn) -> Observations:
    """Generate what a run may have found."""
    made: Observations = {}
    for clause in draw(st.lists(st.sampled_from(CLAUSES), unique=True)):
        evidence = draw(st.lists(st.sampled_from(EVIDENCE), unique=True))
        made[clause] = {
            "verdict": draw(st.sampled_from(("fail", "warn"))) if evidence else "pass",
            "evidence": evidence,
        }
    return made


@settings(deadline=None)
@given(files(), observed())
def test_an_update_brings_any_file_in_line_and_keeps_its_comments(made: Written, observations: Observations) -> None:
    """Nothing is stale or changed then, a second update changes nothing, and comments of what stays are kept."""
    after = _updated(made.text, observations)
    before, known = _parsed(made.text), _parsed(after)
    assert _updated(after, observations) == after
    assert not _complaints(known, observations)
    assert not any(entry.outdated for entry in known.entries if entry.clause in observations)
    removed = [comment for comment, owner in made.owners.items() if not _stays(before, observations, owner)]
    remaining = [comment for comment in sorted(made.owners, key=made.text.find) if comment not in removed]
    assert sorted(remaining, key=after.find) == remaining
    assert all(after.count(comment) == 1 for comment in remaining)
    assert not any(comment in after for comment in removed)


def _complaints(known: KnownFailures, observations: Observations) -> list[str]:
    clauses = load_contract().clauses
    run = samples.run("server", "acme", "1")
    run.results = [
        ClauseResult(
            clauses[clause],
            observation["verdict"],
            findings=tuple(
                Finding(message, "", actual, code=code, pointer=pointer, operation=operation)
                for code, pointer, operation, message, actual in observation["evidence"]
            ),
        )
        for clause, observation in observations.items()
    ]
    weighed = apply_known_failures(run, known, today=TODAY)
    messages = [finding.message for result in weighed.results for finding in result.findings[:1]]
    return [message for message in messages if message.startswith(("stale", "not the known"))]


def _updated(text: str, observations: Observations) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "known.toml"
        path.write_bytes(text.encode())
        update_known_failures(path, observations, today=TODAY)
        return path.read_bytes().decode()


def _parsed(text: str) -> KnownFailures:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "known.toml"
        path.write_bytes(text.encode())
        return read_known_failures(path, "known.toml")


def _doubled(evidence: Sequence[Evidence], index: int, found: Sequence[tuple[str, str, str, str, str]]) -> bool:
    """Whether a sentence is redundant: its findings are matched by other items, by code, or by sentences before it."""
    if not isinstance(evidence[index], Sentence):
        return False
    others = [item for at, item in enumerate(evidence) if not isinstance(item, Sentence) or at < index]
    return all(
        any(item.matches(Seen(*pair)) for item in others) for pair in found if evidence[index].matches(Seen(*pair))
    )


def _stays(known: KnownFailures, observations: Observations, owner: tuple[int, ...]) -> bool:
    """Whether the comment's owner has to stay, by a naive reading of the rules."""
    if not owner:
        return True
    entry = known.entries[owner[0] - 1]
    if entry.clause not in observations:
        return True
    found = observations[entry.clause]["evidence"]
    shows = [any(item.matches(Seen(*pair)) for pair in found) for item in entry.evidence]
    if len(owner) == 2:
        return shows[owner[1]] and not _doubled(entry.evidence, owner[1], found)
    if any(shows):
        return True
    others = [item for other in known.of(entry.clause) for item in other.evidence]
    new = [pair for pair in found if not any(item.matches(Seen(*pair)) for item in others)]
    dead = [
        other
        for other in known.of(entry.clause)
        if not any(item.matches(Seen(*pair)) for item in other.evidence for pair in found)
    ]
    return bool(new) and dead[0] == entry
