"""What becomes of a test: the verdict on its clause, in pytest's own terms."""

from __future__ import annotations

import textwrap
from typing import Any

import pytest

from batch_conformance.http.text import log_safe
from batch_conformance.report.labels import fault, frequency
from batch_conformance.report.replaying import JSON_NAME, replay_of

_COULD_NOT = pytest.StashKey[bool]()
#: Characters of a reason that is repeated.
_LONGEST = 160


def settle_item(item: pytest.Item, entry: dict[str, Any], report: str = JSON_NAME) -> None:
    """Pass, fail, xfail or skip, as the report's entry on the clause says; JUnit gets the clause as a property.

    ``report`` is the folder of the reports, as seen from where pytest was started.
    """
    item.user_properties += [
        ("clause", entry["id"]),
        ("level", entry["level"]),
        ("verdict", entry["verdict"]),
    ]
    verdict = entry["verdict"]
    if verdict == "pass":
        return
    if verdict == "not-exercised":
        # The report has all of it; pytest's summary repeats it line after line.
        reason = textwrap.shorten(log_safe(entry["reason"], lines=False), _LONGEST, placeholder="…")
        pytest.skip(f"not exercised: {reason}")
    if verdict == "known-failure":
        pytest.xfail(f"known failure: {log_safe(entry['reason'], lines=False)}")
    if verdict == "warn":
        pytest.xfail(f"should: {log_safe(fault(entry['evidence'][0]), lines=False)}")
    if verdict == "error":
        # One line says why, once: a page of the same error for each clause would hide it.
        if item.config.stash.get(_COULD_NOT, False):
            pytest.skip("could not be judged, as said before")
        item.config.stash[_COULD_NOT] = True
        pytest.fail(entry["reason"], pytrace=False)
    pytest.fail(failure_text(entry, report), pytrace=False)


def failure_text(entry: dict[str, Any], report: str = JSON_NAME) -> str:
    """A broken clause in a few lines: promise, expected, actual, how to see it again (from ``report``, a folder)."""
    lines = [f"{entry['id']} ({entry['level']}): {entry['title']}"]
    if entry["reason"]:
        lines.append(f"  {entry['reason']}")
    for evidence in entry["evidence"][:3]:
        lines += [
            f"  {' · '.join(filter(None, (evidence['message'], frequency(evidence))))}",
            f"    expected  {evidence['expected']}",
            f"    actual    {evidence['actual']}",
        ]
        lines += [f"    {line}" for line in (evidence["curl"], replay_of(entry, evidence, report)) if line]
    return "\n".join(lines)


class _Brief(str):
    """Shows its first line in the terminal, and all of it in JUnit and to whoever asks for the text."""

    __slots__ = ()

    def toterminal(self, tw: Any) -> None:
        """Write the first line (pytest's protocol for what a report holds)."""
        tw.line(self.partition("\n")[0])


def shorten(report: pytest.TestReport, call: pytest.CallInfo[None]) -> None:
    """Keep a broken clause out of the terminal's failure section: what is found is shown in full further down."""
    if (
        report.outcome == "failed"
        and call.excinfo is not None
        and call.excinfo.errisinstance(pytest.fail.Exception)
    ):
        report.longrepr = _Brief(str(call.excinfo.value))
        # As pytest marks what was shown in the debugger; where it does not know the mark, there is one line more.
        report._pdbshown = True  # type: ignore[attr-defined]
