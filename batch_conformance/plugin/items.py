"""Outcome of a pytest test by the verdict on its clause."""

from __future__ import annotations

import textwrap
from typing import Any

import pytest

from batch_conformance.http.text import log_safe
from batch_conformance.report.labels import fault, frequency
from batch_conformance.report.replaying import JSON_NAME, curl_of, replay_of, sent_of

_ERROR_SHOWN = pytest.StashKey[bool]()
#: The most characters of a skip reason.
_REASON_LIMIT = 160


def settle_item(item: pytest.Item, entry: dict[str, Any], report: str = JSON_NAME) -> None:
    """Pass, fail, xfail or skip by the report's entry on the clause; add clause and verdict as JUnit properties.

    ``report`` is the folder of the reports, relative to the folder that pytest was started in.
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
        # Shortened: pytest's summary repeats the reason, and the report has all of it.
        reason = textwrap.shorten(log_safe(entry["reason"], lines=False), _REASON_LIMIT, placeholder="…")
        pytest.skip(f"not exercised: {reason}")
    if verdict == "known-failure":
        pytest.xfail(f"known failure: {log_safe(entry['reason'], lines=False)}")
    if verdict == "warn":
        pytest.xfail(f"should: {log_safe(fault(entry['evidence'][0]), lines=False)}")
    if verdict == "error":
        # The reason is the same for each clause, so only the first test shows it.
        if item.config.stash.get(_ERROR_SHOWN, False):
            pytest.skip("not judged, for the reason given above")
        item.config.stash[_ERROR_SHOWN] = True
        pytest.fail(entry["reason"], pytrace=False)
    pytest.fail(failure_text(entry, report), pytrace=False)


def failure_text(entry: dict[str, Any], report: str = JSON_NAME) -> str:
    """Describe a broken clause: promise, expected, actual, curl and replay commands (for the folder ``report``)."""
    lines = [f"{entry['id']} ({entry['level']}): {entry['title']}"]
    if entry["reason"]:
        lines.append(f"  {entry['reason']}")
    for evidence in entry["evidence"][:3]:
        lines += [
            f"  {' · '.join(filter(None, (evidence['message'], frequency(evidence))))}",
            f"    expected  {evidence['expected']}",
            f"    actual    {evidence['actual']}",
        ]
        sent = sent_of(entry, evidence)
        lines += [f"    sent      {sent}"] if sent else []
        lines += [f"    {line}" for line in (curl_of(entry, evidence), replay_of(entry, evidence, report)) if line]
    return "\n".join(lines)


class _Brief(str):
    """Text of which pytest shows the first line in the terminal, and all of it in JUnit."""

    __slots__ = ()

    def toterminal(self, tw: Any) -> None:
        """Write the first line (pytest calls this for ``longrepr``)."""
        tw.line(self.partition("\n")[0])


def shorten(report: pytest.TestReport, call: pytest.CallInfo[None]) -> None:
    """Reduce a broken clause to one line in pytest's failure section, since the report at the end has all of it."""
    if report.outcome == "failed" and call.excinfo is not None and call.excinfo.errisinstance(pytest.fail.Exception):
        report.longrepr = _Brief(str(call.excinfo.value))
        # pytest leaves failures with this mark of its debugger out of the section; without it, one line is shown.
        report._pdbshown = True  # type: ignore[attr-defined]
