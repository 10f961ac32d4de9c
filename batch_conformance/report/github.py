"""Output for GitHub Actions: job summary and annotations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from batch_conformance.http.text import cut, log_safe
from batch_conformance.report.labels import (
    Document,
    frequency,
    message_of,
    sentence,
    standing,
    standing_label,
    subject_name,
    with_verdict,
)
from batch_conformance.report.markdown import render_markdown
from batch_conformance.report.replaying import JSON_NAME, replay_of

#: GitHub shows at most ten annotations of a kind for each step, and refuses step summaries of more than 1 MiB.
ANNOTATION_LIMIT = 10
SUMMARY_LIMIT = 1_000_000
_MESSAGE_LIMIT = 1000
_LEVELS = {"pass": "notice", "partial": "notice", "known": "warning"}


def write_step_summary(document: Document, environment: Mapping[str, str], more: Sequence[str] = ()) -> Path | None:
    """Append the report to the file that ``$GITHUB_STEP_SUMMARY`` names; return its path, None if unset.

    ``more`` are lines of Markdown to append, e.g. the changes since a baseline.

    Raises ``OSError`` when the file cannot be written to.
    """
    name = environment.get("GITHUB_STEP_SUMMARY")
    if not name:
        return None
    path = Path(name)
    room = SUMMARY_LIMIT - (path.stat().st_size if path.exists() else 0)
    changes = "".join(f"{line}\n" for line in ["", *more]) if more else ""
    text = render_markdown(document) + changes
    if len(text.encode()) > room:
        text = render_markdown(document, evidence=False) + changes
    with path.open("a", encoding="utf-8", newline="\n") as summary:
        summary.write(text)
    return path


def annotation_lines(document: Document, environment: Mapping[str, str], report: str = JSON_NAME) -> list[str]:
    """Return at most ten workflow commands to print: the summary first, then one for each failed clause.

    The list is empty outside of GitHub Actions. ``report`` is the path of ``conformance.json``, for replay commands.
    """
    if environment.get("GITHUB_ACTIONS") != "true":
        return []
    return list(_annotations(document, report))[:ANNOTATION_LIMIT]


def _annotations(document: Document, report: str) -> Iterator[str]:
    level = _LEVELS.get(standing(document), "error")
    title = f"{subject_name(document)}: {standing_label(document)}"
    error = document["run"].get("error")
    yield _command(level, title, f"{sentence(document)}\n{error}" if error else sentence(document))
    # One for each reason rather than each clause: many clauses often have the same reason.
    unjudged: dict[str, list[str]] = {}
    for clause in with_verdict(document, "error"):
        unjudged.setdefault(clause["reason"], []).append(clause["id"])
    for reason, ids in unjudged.items() if not error else ():
        title = ids[0] if len(ids) == 1 else f"{ids[0]} and {len(ids) - 1} more"
        yield _command("error", title, f"not judged: {reason}")
    for clause in with_verdict(document, "fail"):
        lines = [clause["title"]]
        if clause["reason"]:
            lines.append(clause["reason"])
        for item in clause["evidence"][:1]:
            lines += [
                message_of(clause, item),
                f"expected {item['expected']}",
                f"actual {item['actual']}",
                frequency(item),
                replay_of(clause, item, report) or "",
            ]
        yield _command("error", clause["id"], "\n".join(filter(None, lines)))


def _command(level: str, title: str, message: str) -> str:
    return f"::{level} title={_property(cut(title, 200))}::{_data(cut(message, _MESSAGE_LIMIT))}"


def _data(text: str) -> str:
    return log_safe(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
