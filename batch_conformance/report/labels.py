"""Texts shared by all report formats: labels of verdicts and themes, the summary of a report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from batch_conformance.checks.by_operation import title_of
from batch_conformance.checks.words import counted

#: One report, with the members of ``conformance.json`` (schemas/report.schema.json).
Document = dict[str, Any]


@dataclass(frozen=True)
class Word:
    """Labels of a verdict: ``letter`` replaces ``glyph`` on ASCII terminals."""

    glyph: str
    letter: str
    label: str
    heading: str
    meaning: str


#: The longest message, expected or actual value within a one-line summary, in characters.
_BRIEF = 120

#: Verdicts on a clause, the most urgent first.
WORDS: Mapping[str, Word] = {
    "fail": Word("✗", "F", "failed", "Failed", "The clause is broken; the evidence shows how."),
    "error": Word(
        "?", "E", "not judged", "Not judged", "The suite, a driver or an adapter failed, so there is no verdict."
    ),
    "warn": Word("!", "w", "warning", "Warnings", "A “should” is broken; it is a failure only in a strict run."),
    "known-failure": Word(
        "≈", "k", "known failure", "Known failures", "Broken, and accepted by the known-failures file."
    ),
    "not-exercised": Word(
        "–", "-", "not exercised", "Not exercised", "Nothing in this run could have shown it broken."
    ),
    "pass": Word("✓", ".", "passed", "Passed", "Exercised, and not broken."),
}

#: Labels by standing of a run: its verdict, or ``known`` or ``outdated`` (see ``standing``).
RUN_WORDS: Mapping[str, Word] = {
    "pass": Word("✓", ".", "conforms", "Conforms", "No clause failed."),
    "known": Word("≈", "k", "known failures", "Known failures", "No clause failed, except for known failures."),
    "outdated": Word(
        "≈",
        "o",
        "known failures out of date",
        "Known failures out of date",
        "Only entries of the known-failures file are wrong.",
    ),
    "fail": Word("✗", "F", "does not conform", "Does not conform", "At least one clause failed."),
    "partial": Word("◌", "p", "no verdict", "Partial run", "Only some clauses were selected."),
    "error": Word("?", "E", "could not judge", "Could not judge", "There is no verdict; the error says why."),
}

_THEMES = {
    "server.ok": "Success answers",
    "server.body": "The batch",
    "server.auth": "Authentication",
    "server.notfound": "Unknown ids",
    "server.error": "Errors",
    "server.method": "Other methods",
    "server.poll": "Reads over time",
    "server.rate": "Rate limits",
    "client.request": "Requests",
    "client.auth": "Authentication",
    "client.decode": "Decoding",
    "client.reject": "Rejecting invalid answers",
    "client.error": "Errors",
    "client.retry": "Retries",
    "client.fault": "Network faults",
}


def theme_of(clause_id: str) -> str:
    """Return the theme of a clause: the first two parts of its id, e.g. ``server.auth``."""
    return ".".join(clause_id.split(".")[:2])


def theme_title(theme: str) -> str:
    """Return the title of a theme; without one here, the last part of its name."""
    return _THEMES.get(theme) or theme.split(".")[-1].capitalize()


def selected_clauses(document: Document) -> list[dict[str, Any]]:
    """Return the selected clauses: all, except in a partial run. A required clause that failed is included."""
    return [
        clause for clause in document["clauses"] if clause.get("selected", True) or clause["verdict"] != "not-exercised"
    ]


def by_theme(document: Document) -> dict[str, list[dict[str, Any]]]:
    """Return the selected clauses by theme, in the order of the contract."""
    themes: dict[str, list[dict[str, Any]]] = {}
    for clause in selected_clauses(document):
        themes.setdefault(theme_of(clause["id"]), []).append(clause)
    return themes


def with_verdict(document: Document, verdict: str) -> list[dict[str, Any]]:
    """Return the selected clauses with one verdict, in the order of the contract."""
    return [clause for clause in selected_clauses(document) if clause["verdict"] == verdict]


def counts(document: Document) -> dict[str, int]:
    """Count the selected clauses by verdict, the most urgent verdict first, without zeros."""
    found = {verdict: len(with_verdict(document, verdict)) for verdict in WORDS}
    return {verdict: count for verdict, count in found.items() if count}


def subject_name(document: Document) -> str:
    """Return name and version of the subject, or its target if it has no name."""
    subject = document["subject"]
    named = " ".join(part for part in (subject["name"], subject["version"]) if part)
    return named or subject["target"] or f"unnamed {subject['side']}"


def standing(document: Document) -> str:
    """Return the standing of a run, a key of ``RUN_WORDS``.

    It is the verdict, except for ``known`` (passed with known failures) and ``outdated`` (failed only because of
    outdated entries in the known-failures file).
    """
    verdict: str = document["verdict"]
    if verdict == "fail" and not subject_failures(document):
        return "outdated"
    return "known" if verdict == "pass" and with_verdict(document, "known-failure") else verdict


def standing_label(document: Document) -> str:
    """Return the standing of a run in a few words, e.g. ``7 known failures``."""
    where = standing(document)
    known = len(with_verdict(document, "known-failure"))
    if where == "known":
        return counted(known, "known failure")
    return "partial run, no verdict" if where == "partial" else RUN_WORDS[where].label


def subject_failures(document: Document) -> list[dict[str, Any]]:
    """Return the failed clauses, without those that failed only because of the known-failures file."""
    return [one for one in with_verdict(document, "fail") if not one.get("file_at_fault")]


def limited(document: Document) -> dict[str, list[str]]:
    """Return the limits of passed clauses, each with the ids of its clauses."""
    found: dict[str, list[str]] = {}
    for clause in with_verdict(document, "pass"):
        for limit in clause.get("limits", ()):
            found.setdefault(limit, []).append(clause["id"])
    return found


def sentence(document: Document) -> str:
    """Summarise the verdicts in numbers, e.g. ``Of 43 clauses: 3 failed, 40 passed.``."""
    total = len(document["clauses"])
    selected, found = selected_clauses(document), counts(document)
    passes, left_out = found.get("pass", 0), total - len(selected)
    limits = sum(bool(one.get("limits")) for one in selected)
    limits_of = f"{counted(limits, 'pass', 'passes')} with limits" if limits else ""
    if left_out:
        others = [_PHRASES[verdict](count) for verdict, count in found.items() if verdict != "pass"]
        parts = [f"{passes} of {len(selected)} selected passed", *others, *([limits_of] if limits else [])]
        no_verdict = "no verdict, " if document["verdict"] == "partial" else ""
        return f"{', '.join(parts)}; {no_verdict}{left_out} not selected."
    if passes == total:
        return f"All {total} clauses passed{f'; {limits_of}' if limits else ''}."
    if found.get("not-exercised") == total:
        return f"None of the {total} clauses was exercised."
    failed = len(subject_failures(document))
    outdated = found.pop("fail", 0) - failed
    parts = [f"{failed} failed"] if failed else []
    if outdated:
        parts.append(f"{outdated} with a stale known failure")
    parts += [_PHRASES[verdict](count) for verdict, count in found.items()]
    return f"Of {total} clauses: {', '.join(parts)}{f', {limits_of}' if limits else ''}."


_PHRASES: Mapping[str, Callable[[int], str]] = {
    "fail": "{} failed".format,
    "error": "{} not judged".format,
    "warn": lambda count: counted(count, "warning"),
    "known-failure": lambda count: counted(count, "known failure"),
    "not-exercised": "{} not exercised".format,
    "pass": "{} passed".format,
}


def fault(item: Mapping[str, Any]) -> str:
    """Return a piece of evidence in one line: message, and what was expected and found unless the message says so."""
    message, expected, actual = (_brief(item[name]) for name in ("message", "expected", "actual"))
    if expected in message and actual in message:
        return message
    return f"{message}: expected {expected or 'nothing'}, got {actual or 'nothing'}"


def _brief(text: str) -> str:
    first, *rest = text.strip().split("\n") or [""]
    return first if len(first) <= _BRIEF and not rest else f"{first[:_BRIEF]}…"


def frequency(item: Mapping[str, Any]) -> str:
    """Return how often a finding occurred, e.g. ``46 times, in 2 batches``; empty for once."""
    times, batches = item.get("times", 1), item.get("batches", 0)
    if times < 2:
        return ""
    return f"{times:,} times" + (f", in {counted(batches, 'batch', 'batches')}" if batches else "")


def message_of(clause: Mapping[str, Any], item: Mapping[str, Any]) -> str:
    """Return the message of a piece of evidence, with its operation if the clause has verdicts for several."""
    several = len(clause.get("operations", ())) > 1 and item.get("operation")
    return f"{title_of(item['operation'])}: {item['message']}" if several else item["message"]


def found_text(clause: Mapping[str, Any], item: Mapping[str, Any]) -> str:
    """Return the message of a piece of evidence (see ``message_of``), and how often it occurred."""
    often = frequency(item)
    return message_of(clause, item) + (f" ({often})" if often else "")


def evidence_note(clause: Mapping[str, Any], displayed: int) -> str:
    """Return a note on the evidence of a clause beyond the ``displayed`` items; empty if there is none."""
    more = len(clause["evidence"]) - displayed + int(clause.get("evidence_omitted", 0))
    return f"and {more} more like it" if more else ""


def overlays_note(contract: Mapping[str, Any]) -> str:
    """Return a note on the overlays of the contract, to follow its version; empty without overlays."""
    titles = [f"“{overlay['title']}”" for overlay in contract.get("overlays", ())]
    return f", changed by {' and '.join(titles)}" if titles else ""


def effort(run: Mapping[str, Any]) -> str:
    """Return the number of requests of a run, the budget if any, and the number of 429s."""
    text = f"{run['requests']:,} requests"
    if run.get("budget"):
        text += f" of at most {run['budget']:,}"
    if run.get("rate_limited"):
        text += f", {run['rate_limited']:,} of them answered with 429"
    return text
