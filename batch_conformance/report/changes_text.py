"""Changes between two reports as lines for a terminal, as Markdown and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from batch_conformance.http.text import cut, log_safe
from batch_conformance.report.changes import HEADINGS, Change, Changes
from batch_conformance.report.labels import WORDS, subject_name
from batch_conformance.report.markdown import as_text

_LINE = 200


def changes_lines(changes: Changes) -> Iterator[str]:
    """Yield the changes as lines for a terminal or a log."""
    for note in changes.notes:
        yield f"note: {_safe(note)}"
    for kind, heading in HEADINGS.items():
        rows = changes.of(kind)
        if rows:
            yield f"{heading} ({len(rows)})"
        for row in rows:
            yield f"  {row.name}  ({row.level}; {_step(row)})"
            if row.reason:
                yield f"      {_safe(row.reason)}"
    yield changes.sentence()


def changes_markdown(changes: Changes, *, level: int = 1) -> Iterator[str]:
    """Yield the changes as GitHub-flavoured Markdown; ``level`` is the level of the heading."""
    mark = "✗" if changes.broke else "✓"
    yield f"{'#' * level} {mark} Compared with {as_text(_named(changes.old), _LINE)}"
    yield ""
    yield f"**{changes.sentence()[0].upper()}{changes.sentence()[1:]}**"
    if changes.notes:
        yield ""
        yield from (f"- {as_text(note, _LINE)}" for note in changes.notes)
    for kind, heading in HEADINGS.items():
        rows = changes.of(kind)
        if not rows:
            continue
        yield from ("", f"{'#' * (level + 1)} {heading}", "")
        yield "| Clause | Level | Before | Now | Why |"
        yield "| --- | --- | --- | --- | --- |"
        for row in rows:
            cells = [
                f"<code>{row.name}</code>",
                row.level,
                _word(row.before),
                _word(row.after),
                as_text(row.reason, _LINE),
            ]
            yield "| " + " | ".join(cells) + " |"


def changes_json(changes: Changes) -> str:
    """Return the changes as JSON, with one list for each kind of change."""
    document: dict[str, Any] = {"diff": 1, "old": _about(changes.old), "new": _about(changes.new)}
    for kind in HEADINGS:
        document[kind] = [
            {
                "clause": row.clause,
                **({"operation": row.operation} if row.operation else {}),
                "level": row.level,
                "before": row.before,
                "after": row.after,
                "reason": row.reason,
            }
            for row in changes.of(kind)
        ]
    document["still-broken"] = list(changes.still_broken)
    document["notes"] = list(changes.notes)
    return json.dumps(document, ensure_ascii=False, indent=1).replace("<", "\\u003c")


def _about(document: dict[str, Any]) -> dict[str, Any]:
    return {
        "subject": document["subject"],
        "contract": document["contract"],
        "started": document["run"]["started"],
        "verdict": document["verdict"],
    }


def _named(document: dict[str, Any]) -> str:
    return f"{subject_name(document)} of {document['run']['started'][:10]}"


def _step(row: Change) -> str:
    return f"{_word(row.before)} → {_word(row.after)}"


def _word(verdict: str | None) -> str:
    return WORDS[verdict].label if verdict else "not in the contract"


def _safe(text: str) -> str:
    return cut(log_safe(text, lines=False), _LINE)
