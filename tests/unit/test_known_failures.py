"""Known failures excuse exactly what they name; an entry that is wrong in any way is red and says so."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from batch_conformance.checks.finding import Finding
from batch_conformance.checks.result import RunResult
from batch_conformance.checks.verdict import ClauseResult, ClauseVerdict
from batch_conformance.known_failures import (
    Expected,
    KnownFailure,
    KnownFailures,
    Sentence,
    apply_known_failures,
)
from batch_conformance.known_failures.patterns import Evidence
from batch_conformance.report.document import check_document, report_document
from batch_conformance.report.files import render_json
from batch_conformance.report.github import annotation_lines
from batch_conformance.report.html import render_html
from batch_conformance.report.markdown import render_markdown
from batch_conformance.report.terminal import render_terminal
from tests.support import samples

TODAY = date(2026, 11, 23)
ID, SUM, CHALLENGE = "server.body.id", "server.body.metrics-sum", "server.auth.challenge"
NUMBER = Finding(
    "id of a COMPLETED batch", '"batch_abc123"', "123", samples.exchange(200, samples.batch(id=123)),
    code="type", pointer="/id", operation="get",
)  # fmt: skip
OTHER = Finding(
    "id of a COMPLETED batch", '"batch_abc123"', '"BATCH_ABC123"', code="echo", pointer="/id", operation="get"
)


def entry(number: int = 1, clause: str = ID, *evidence: Evidence, **changes: Any) -> KnownFailure:
    """Return an entry that excuses NUMBER, changed as given."""
    members: dict[str, Any] = {
        "reason": "ids are numbers",
        "issue": "https://acme.example/issues/7",
        "expires": date(2026, 12, 31),
    }
    return KnownFailure(number, clause, evidence or (Expected("type", "/id", "get"),), **(members | changes))


def found(verdict: ClauseVerdict, *findings: Finding, clause: str = ID, reason: str = "", **changes: Any) -> RunResult:
    """Return a run in which one clause got this verdict and all others passed."""
    run = samples.run("server", "acme", "1", {clause: (verdict, reason, findings)})
    for name, value in changes.items():
        setattr(run, name, value)
    return run


def weighed(run: RunResult, *entries: KnownFailure, selected: Iterable[str] | None = None) -> RunResult:
    """Apply the entries to the run, and check that its report conforms to the schema."""
    chosen = None if selected is None else set(selected)
    made = apply_known_failures(run, KnownFailures("known.toml", entries), today=TODAY, selected=chosen)
    check_document(report_document(made))
    return made


def of(run: RunResult, clause: str = ID) -> ClauseResult:
    """Return the result of a clause."""
    return next(result for result in run.results if result.clause.id == clause)


def test_a_known_failure_does_not_fail_the_run() -> None:
    """The clause keeps its evidence, and shows reason, expiry and issue."""
    run = weighed(found("fail", NUMBER, reason="no FAILED batch was seen"), entry())
    result = of(run)
    assert (run.verdict, result.verdict) == ("pass", "known-failure")
    assert result.findings == (NUMBER,)
    expected = "ids are numbers; see https://acme.example/issues/7, until 2026-12-31; no FAILED batch was seen"
    assert result.reason == expected


def test_the_last_day_still_counts() -> None:
    """An expiry date is inclusive."""
    assert of(weighed(found("fail", NUMBER), entry(expires=TODAY))).verdict == "known-failure"
    assert of(weighed(found("fail", NUMBER), entry(expires=date(2026, 11, 22)))).verdict == "fail"


SAME: dict[str, tuple[Evidence, Finding]] = {
    "another sentence": (Expected("type", "/id", "get"), replace(NUMBER, message="worded anew", actual="7")),
    "any operation": (Expected("type", "/id"), replace(NUMBER, operation="list")),
    "another entry of a list": (Expected("type", "/*/id"), replace(NUMBER, pointer="/3/id")),
    "the entry of a list by its number": (Expected("type", "/0/id"), replace(NUMBER, pointer="/3/id")),
    "no place": (Expected("status"), replace(NUMBER, code="status", pointer="")),
    "a sentence, as once": (Sentence("id of a * batch", "#"), NUMBER),
    "a sentence for anything": (Sentence("id of *"), OTHER),
}
DIFFERENT: dict[str, tuple[Evidence, Finding]] = {
    "another code": (Expected("type", "/id", "get"), replace(NUMBER, code="required")),
    "another place": (Expected("type", "/id", "get"), replace(NUMBER, pointer="/metrics")),
    "a place below": (Expected("type", "/id", "get"), replace(NUMBER, pointer="/id/0")),
    "a place where none is named": (Expected("type"), NUMBER),
    "another operation": (Expected("type", "/id", "get"), replace(NUMBER, operation="list")),
    "an index for a name": (Expected("type", "/*"), NUMBER),
    "no code": (Expected("type", "/id", "get"), replace(NUMBER, code="")),
    "another sentence": (Sentence("id of a * batch", "#"), OTHER),
}


@pytest.mark.parametrize("case", SAME)
def test_the_same_failure_is_excused_however_it_is_worded(case: str) -> None:
    """Matched by clause, code, pointer and operation."""
    item, finding = SAME[case]
    assert of(weighed(found("fail", finding), entry(1, ID, item))).verdict == "known-failure"


@pytest.mark.parametrize("case", DIFFERENT)
def test_another_failure_of_the_same_clause_is_red(case: str) -> None:
    """It may have the same message; the reason says so, and the new evidence comes first."""
    item, finding = DIFFERENT[case]
    result = of(weighed(found("fail", finding), entry(1, ID, item)))
    assert result.verdict == "fail"
    assert result.findings[0].message.startswith("not the known failure")
    assert result.findings[0].code == finding.code


def test_two_entries_share_a_clause() -> None:
    """Each keeps its own reason; both are shown."""
    text = entry(2, ID, Expected("echo", "/id"), reason="ids are shouted")
    result = of(weighed(found("fail", NUMBER, OTHER), entry(), text))
    assert result.verdict == "known-failure"
    assert "ids are numbers" in result.reason
    assert "ids are shouted" in result.reason


def test_a_should_that_only_warns_may_be_known() -> None:
    """It is excused in a strict run too."""
    challenge = entry(1, CHALLENGE, Expected("challenge"))
    bare = Finding("a 401 without a challenge", "WWW-Authenticate", "none", code="challenge")
    for verdict, strict in (("warn", False), ("fail", True)):
        run = found(verdict, bare, clause=CHALLENGE, strict=strict)  # type: ignore[arg-type]
        assert of(weighed(run, challenge), CHALLENGE).verdict == "known-failure"


WRONG: dict[str, tuple[RunResult, list[KnownFailure], str, str]] = {
    "passes": (
        found("pass"),
        [entry()],
        "stale known failure (known.toml, entry 1)",
        "the clause passes now",
    ),
    "passes, and expired": (
        found("pass"),
        [entry(expires=date(2020, 1, 1))],
        "stale known failure",
        "passes now",
    ),
    "passes in a quick run": (
        found("pass", profile="quick"),
        [entry()],
        "stale known failure",
        "the clause passes now (in a quick run)",
    ),
    "should passes": (
        found("pass", clause=CHALLENGE),
        [entry(1, CHALLENGE)],
        "stale known failure",
        "the clause passes now",
    ),
    "fails differently": (found("fail", OTHER), [entry()], "not the known failure", 'batch: "BATCH_ABC123"'),
    "warns differently": (
        found("warn", OTHER, clause=CHALLENGE),
        [entry(1, CHALLENGE)],
        "not the known failure",
        "BATCH_ABC123",
    ),
    "fails in another way besides": (
        found("fail", NUMBER, OTHER),
        [entry()],
        "not the known failure",
        'batch: "BATCH_ABC123"',
    ),
    "beyond what a report has room for": (
        found("fail", *[NUMBER] * 40, OTHER),
        [entry()],
        "not the known failure",
        'batch: "BATCH_ABC123"',
    ),
    "one entry too many": (
        found("fail", NUMBER),
        [entry(), entry(2, ID, Expected("required", "/id"))],
        "stale known failure (known.toml, entry 2)",
        "fails in other ways only",
    ),
    "expired": (
        found("fail", NUMBER),
        [entry(expires=date(2026, 11, 22))],
        "expired known failure",
        "still there: id of a COMPLETED batch: 123",
    ),
    "expired, and not exercised": (
        found("not-exercised", reason="no batch"),
        [entry(expires=date(2026, 11, 22))],
        "expired known failure",
        "not exercised in this run",
    ),
    "no issue": (found("fail", NUMBER), [entry(issue="TODO")], "without a reason or an issue", "issue: TODO"),
    "no reason": (
        found("fail", NUMBER),
        [entry(reason="TODO: say why")],
        "without a reason or an issue",
        "reason: TODO: say why",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_entry_is_red_in_every_output(case: str) -> None:
    """It shows what was expected, what was found, the place of the entry and how to fix it."""
    run, entries, message, actual = WRONG[case]
    made = weighed(run, *entries)
    result = of(made, entries[0].clause)
    assert (made.verdict, result.verdict) == ("fail", "fail")
    first = result.findings[0]
    assert message in first.message
    assert actual in first.actual
    assert "known.toml, entry" in result.reason
    document = report_document(made)
    lines: list[str] = []
    render_terminal(document, lambda text, /, **_: lines.append(text), width=100)
    outputs = {
        "terminal": "".join(lines),
        "json": render_json(document),
        "html": render_html(document),
        "markdown": render_markdown(document),
        "annotations": "\n".join(annotation_lines(document, {"GITHUB_ACTIONS": "true"})),
    }
    silent = [name for name, text in outputs.items() if message.split(" (")[0] not in text]
    assert not silent


def test_unexcused_evidence_comes_first() -> None:
    """A report has room for ten pieces of evidence, so the new one must come first, with its curl line."""
    fresh = Finding("id of a COMPLETED batch", "x", "null", samples.exchange(200, samples.batch(id=None)), code="enum")
    result = of(weighed(found("fail", *[NUMBER] * 40, fresh), entry()))
    assert result.findings[1] is fresh
    assert result.findings[0].exchange is fresh.exchange


def test_missing_evidence_is_reported_but_not_red() -> None:
    """The batches of a server vary; only an entry without any evidence is red."""
    both = entry(1, ID, Expected("type", "/id"), Expected("required", "/id"))
    result = of(weighed(found("fail", NUMBER), both))
    assert result.verdict == "known-failure"
    assert "not seen in this run: evidence 2 of entry 1" in result.reason


@pytest.mark.parametrize("expires", [date(2020, 1, 1), date(2030, 1, 1)])
def test_errors_are_never_excused(expires: date) -> None:
    """Neither errors of the suite nor of an adapter are excused."""
    run = weighed(found("error", reason="the driver does not start"), entry(expires=expires))
    assert (run.verdict, of(run)) == ("error", of(found("error", reason="the driver does not start")))


def test_what_was_not_exercised_is_not_silently_green() -> None:
    """The report says that the entry was not checked."""
    run = weighed(found("not-exercised", reason="no batch was seen"), entry())
    assert of(run).verdict == "not-exercised"
    assert of(run).reason == "no batch was seen; not checked: known.toml, entry 1"


def test_unselected_clauses_are_left_alone() -> None:
    """A run of one theme leaves the entries of others unchecked, expired or not."""
    run = weighed(found("not-exercised", reason="not selected"), entry(expires=date(2020, 1, 1)), selected=[SUM])
    assert of(run).verdict == "not-exercised"
    assert of(run).reason.endswith("not checked: known.toml, entry 1")


@pytest.mark.parametrize("changes", [{"incomplete": True}, {"error": "the target went away"}])
def test_an_interrupted_run_makes_nothing_stale(changes: dict[str, Any]) -> None:
    """What the run did not find may still be there."""
    run = weighed(found("pass", **changes), entry())
    assert (run.verdict, of(run).verdict) == ("error", "pass")


def test_entries_of_the_other_side_are_not_for_this_run() -> None:
    """One file may serve both sides."""
    untouched = found("pass")
    assert weighed(untouched, entry(1, "client.error.401")).results == untouched.results


def test_hostile_text_of_an_entry_is_escaped() -> None:
    """A reason is redacted and escaped like all other text."""
    reason = f"{samples.KEY} {samples.HOSTILE}"
    for run in (found("fail", NUMBER), found("pass")):
        document = report_document(weighed(run, entry(reason=reason, issue=f"https://x/{samples.KEY}")))
        for text in (render_json(document), render_html(document), render_markdown(document)):
            assert samples.KEY not in text
            assert "<script>pwned" not in text
