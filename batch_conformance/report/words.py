"""The vocabulary of the reports: verdicts, themes and the sentence that sums a report up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: One report, as ``conformance.json`` holds it (schemas/report.schema.json).
Document = dict[str, Any]


@dataclass(frozen=True)
class Word:
    """How a verdict on a clause is shown: never by colour alone."""

    glyph: str
    letter: str
    label: str
    heading: str
    meaning: str


#: Verdicts on a clause, the most urgent first.
WORDS: Mapping[str, Word] = {
    "fail": Word("✗", "F", "failed", "Failed", "The promise was broken, and the evidence shows how."),
    "error": Word(
        "?", "E", "not judged", "Not judged", "The suite or an adapter failed, so nothing is known."
    ),
    "warn": Word("!", "w", "warning", "Warnings", "A “should” was broken; it counts only in a strict run."),
    "known-failure": Word(
        "≈", "k", "known failure", "Known failures", "Broken just as the known-failures file says."
    ),
    "not-exercised": Word(
        "–", "-", "not exercised", "Not exercised", "Nothing in this run put it to the test."
    ),
    "pass": Word("✓", ".", "passed", "Passed", "Put to the test and kept."),
}

#: Verdicts on a run.
RUN_WORDS: Mapping[str, Word] = {
    "pass": Word("✓", ".", "conforms", "Conforms", "No clause failed."),
    "fail": Word("✗", "F", "does not conform", "Does not conform", "At least one clause failed."),
    "error": Word("?", "E", "could not judge", "Could not judge", "No verdict is possible."),
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
    "client.decode": "Reading answers",
    "client.reject": "Refusing bad answers",
    "client.error": "Errors",
    "client.retry": "Retries",
    "client.fault": "Network faults",
}


def theme_of(clause_id: str) -> str:
    """The theme's key: the first two parts of a clause id, e.g. ``server.auth``."""
    return ".".join(clause_id.split(".")[:2])


def theme_title(theme: str) -> str:
    """The theme's name for readers; a theme not known here goes by its own key."""
    return _THEMES.get(theme) or theme.split(".")[-1].capitalize()


def by_theme(document: Document) -> dict[str, list[dict[str, Any]]]:
    """The clauses of a report, theme by theme, in the contract's order."""
    themes: dict[str, list[dict[str, Any]]] = {}
    for clause in document["clauses"]:
        themes.setdefault(theme_of(clause["id"]), []).append(clause)
    return themes


def with_verdict(document: Document, verdict: str) -> list[dict[str, Any]]:
    """The clauses that got one verdict, in the contract's order."""
    return [clause for clause in document["clauses"] if clause["verdict"] == verdict]


def counts(document: Document) -> dict[str, int]:
    """How many clauses got each verdict, the most urgent first; verdicts nobody got are left out."""
    found = {verdict: len(with_verdict(document, verdict)) for verdict in WORDS}
    return {verdict: count for verdict, count in found.items() if count}


def subject_name(document: Document) -> str:
    """Name and version of who was judged, or the target when it has no name."""
    subject = document["subject"]
    named = " ".join(part for part in (subject["name"], subject["version"]) if part)
    return named or subject["target"] or f"unnamed {subject['side']}"


def sentence(document: Document) -> str:
    """The verdict in numbers, e.g. ``Of 43 clauses: 3 failed, 40 passed.``."""
    found = counts(document)
    total = len(document["clauses"])
    if found.get("pass") == total:
        return f"All {total} clauses passed."
    if found.get("not-exercised") == total:
        return f"None of the {total} clauses was put to the test."
    phrases = {
        "fail": "{} failed",
        "error": "{} not judged",
        "warn": "{} warning" if found.get("warn") == 1 else "{} warnings",
        "known-failure": "{} known failure" if found.get("known-failure") == 1 else "{} known failures",
        "not-exercised": "{} not exercised",
        "pass": "{} passed",
    }
    parts = [phrases[verdict].format(count) for verdict, count in found.items()]
    return f"Of {total} clauses: {', '.join(parts)}."


def evidence_note(clause: Mapping[str, Any], shown: int) -> str:
    """How much evidence a clause has beyond what is shown; empty when all is shown."""
    more = len(clause["evidence"]) - shown + int(clause.get("evidence_omitted", 0))
    return f"and {more} more like it" if more else ""


def overlays_note(contract: Mapping[str, Any]) -> str:
    """What the contract was changed by, to stand behind its version; empty when it was not."""
    titles = [f"“{overlay['title']}”" for overlay in contract.get("overlays", ())]
    return f", changed by {' and '.join(titles)}" if titles else ""


def effort(run: Mapping[str, Any]) -> str:
    """What a run cost: requests, their budget if there was one, and the 429s that were waited out."""
    text = f"{run['requests']:,} requests"
    if run.get("budget"):
        text += f" of at most {run['budget']:,}"
    if run.get("rate_limited"):
        text += f", {run['rate_limited']:,} of them told to wait (429)"
    return text
