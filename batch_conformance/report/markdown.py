"""The report as Markdown, for pull requests and job summaries."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from batch_conformance.http.text import cut
from batch_conformance.report.labels import (
    RUN_WORDS,
    WORDS,
    Document,
    by_theme,
    effort,
    evidence_note,
    found_text,
    limited,
    overlays_note,
    sentence,
    standing,
    standing_label,
    subject_name,
    theme_title,
    with_verdict,
)
from batch_conformance.report.replaying import curl_of, replay_of

#: Characters with a meaning inside a line: in CommonMark, on GitHub (mentions, references, mathematics, emoji,
#: links) or in logs. As character references they are plain text (CommonMark 0.31, section 2.5).
_MEANINGFUL = re.compile(r"[\\`*\[\]<>#|&~@$]|(?<![^\W_])_|_(?![^\W_])|:(?!\s|$)|(?<=www)\.", re.IGNORECASE | re.ASCII)
_CELL_LIMIT = 240
_EVIDENCE_LIMIT = 3


def render_markdown(document: Document, *, evidence: bool = True) -> str:
    """Render the report as GitHub-flavoured Markdown, summary first; only the tables without ``evidence``."""
    return "\n".join(_blocks(document, evidence)) + "\n"


def as_text(text: str, limit: int | None = None) -> str:
    """Escape text as inline Markdown; not safe at the beginning of a line."""
    short = cut(text, limit) if limit else text
    # Line breaks last: their <br> must not be escaped.
    return _MEANINGFUL.sub(lambda match: f"&#{ord(match.group())};", short).replace("\n", "<br>")


def _blocks(document: Document, evidence: bool) -> Iterator[str]:
    word, subject, run = RUN_WORDS[standing(document)], document["subject"], document["run"]
    yield f"# {word.glyph} {as_text(subject_name(document))}: {standing_label(document)}"
    yield ""
    yield f"**{sentence(document)}**"
    yield ""
    if run.get("error"):
        yield f"> {as_text(run['error'])}"
        yield ""
    yield (
        f"{subject['side'].capitalize()} at <code>{as_text(subject['target'])}</code> · "
        f"{effort(run)} in {run['seconds']:,.1f} s · profile {as_text(run['profile'])}"
        f"{', strict' if run['strict'] else ''}, seed {run['seed']} · "
        f"contract {document['contract']['version']} (<code>{document['contract']['sha256'][:8]}</code>)"
        f"{as_text(overlays_note(document['contract']))}"
    )
    for hint in run.get("hints", ()):
        yield from ("", as_text(hint))
    for verdict in ("fail", "error", "warn", "known-failure"):
        yield from _section(document, verdict, evidence)
    yield from _unexercised(document)
    yield from _limits(document)
    yield from _themes(document)


def _section(document: Document, verdict: str, evidence: bool) -> Iterator[str]:
    clauses = with_verdict(document, verdict)
    if not clauses:
        return
    yield from ("", f"## {WORDS[verdict].heading}", "")
    yield from _table(("Clause", "Level", "Promise", "Expected", "Actual"), map(_row, clauses))
    reasons = [clause for clause in clauses if clause["reason"]]
    if reasons:
        yield ""
        yield from (f"- <code>{clause['id']}</code>: {as_text(clause['reason'])}" for clause in reasons)
    if evidence:
        for clause in clauses:
            yield from _evidence(clause)


def _row(clause: Mapping[str, Any]) -> list[str]:
    first = clause["evidence"][0] if clause["evidence"] else {"expected": "", "actual": ""}
    cells = [as_text(first[side], _CELL_LIMIT) for side in ("expected", "actual")]
    return [
        f"<code>{clause['id']}</code>",
        clause["level"],
        as_text(clause["title"]),
        *(f"<code>{text}</code>" if text else "" for text in cells),
    ]


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    names = list(head)
    yield "| " + " | ".join(names) + " |"
    yield "| " + " | ".join("---" for _ in names) + " |"
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def _evidence(clause: Mapping[str, Any]) -> Iterator[str]:
    items = clause["evidence"][:_EVIDENCE_LIMIT]
    if not items:
        return
    yield ""
    yield f"<details><summary><code>{clause['id']}</code>: evidence</summary>"
    for item in items:
        yield ""
        line = replay_of(clause, item)
        yield _preformatted(_plain(clause, item) + (f"\n\n{line}" if line else ""))
    more = evidence_note(clause, len(items))
    if more:
        yield from ("", f"… {more}")
    yield from ("", "</details>")


def _plain(clause: Mapping[str, Any], item: Mapping[str, Any]) -> str:
    """Return one piece of evidence as plain text."""
    lines = [found_text(clause, item), f"expected  {item['expected']}", f"actual    {item['actual']}"]
    if curl := curl_of(clause, item):
        lines += ["", curl]
    request, response = item["request"], item["response"]
    if request:
        lines += ["", f"> {request['method']} {request['url']}"]
        lines += [f"> {name}: {value}" for name, value in request["headers"]]
        lines += [f"> {line}" for line in request["body"].splitlines()]
        lines += ["", f"< {item.get('outcome') or 'no response'}"]
    if response:
        lines += [f"< {name}: {value}" for name, value in response["headers"]]
        lines += ["<", *(f"< {line}" for line in response["body"].splitlines())]
    return "\n".join(lines)


def _preformatted(text: str) -> str:
    # In <pre>, HTML is parsed but not Markdown. "::" and "##[" would be workflow commands in a CI log.
    safe = html.escape(text, quote=False).replace("::", "&#58;&#58;").replace("##[", "#&#35;[")
    return f"<pre>{safe}</pre>"


def _unexercised(document: Document) -> Iterator[str]:
    by_reason: dict[str, list[str]] = {}
    for clause in with_verdict(document, "not-exercised"):
        by_reason.setdefault(clause["reason"], []).append(f"<code>{clause['id']}</code>")
    if by_reason:
        yield from ("", f"## {WORDS['not-exercised'].heading}", "")
        yield from (f"- {as_text(reason)}: {', '.join(ids)}" for reason, ids in by_reason.items())


def _limits(document: Document) -> Iterator[str]:
    found = limited(document)
    if found:
        yield from ("", "## Passed with limits", "")
        for limit, ids in found.items():
            yield f"- {as_text(limit)}: {', '.join(f'<code>{clause}</code>' for clause in ids)}"


def _themes(document: Document) -> Iterator[str]:
    yield from ("", "## By theme", "")
    rows = (
        (
            theme_title(theme),
            "".join(WORDS[clause["verdict"]].glyph for clause in clauses),
            f"{sum(clause['verdict'] == 'pass' for clause in clauses)} of {len(clauses)}",
        )
        for theme, clauses in by_theme(document).items()
    )
    yield from _table(("Theme", "Clauses", "Passed"), rows)
    yield from ("", " · ".join(f"{word.glyph} {word.label}" for word in WORDS.values()))
