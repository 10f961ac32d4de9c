"""The report as HTML: one file, complete without its script and without network access, usable by keyboard."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from xml.etree.ElementTree import Element

from batch_conformance.report.evidence import evidence_items
from batch_conformance.report.labels import (
    WORDS,
    Document,
    by_theme,
    counts,
    effort,
    evidence_note,
    fault,
    limited,
    overlays_note,
    selected_clauses,
    sentence,
    standing,
    standing_label,
    subject_name,
    theme_title,
    with_verdict,
)
from batch_conformance.report.markup import Child, h, page

#: Verdicts whose clauses are shown unfolded.
_OPEN = frozenset({"fail", "error"})
#: The most headlines beside the overview of themes.
_HEADLINES = 12
_URL = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:)]")
_ICON_COLOURS = {
    "pass": "#17693c",
    "known": "#c77f00",
    "outdated": "#c77f00",
    "fail": "#b3261e",
    "partial": "#5f5c54",
    "error": "#8a5a00",
}


def render_html(document: Document) -> str:
    """Render a validated report as an HTML page; never raises for its contents."""
    side = document["subject"]["side"]
    verdict = standing_label(document)
    return page(
        f"{subject_name(document)} {verdict} · Batch API, {side} side",
        css=("style.css", "report.css"),
        script="script.js",
        icon=icon(standing(document)),
        body=[
            h("a", "Skip to the clauses", href="#clauses", class_="skip"),
            _masthead(document),
            h("main", _summary(document), _clauses(document)),
            _footer(document),
        ],
    )


def icon(where: str) -> Element:
    """Return the page's icon: a dot in the colour of the verdict."""
    dot = h("circle", cx="8", cy="8", r="7", fill=_ICON_COLOURS[where])
    return h("svg", dot, xmlns="http://www.w3.org/2000/svg", viewBox="0 0 16 16")


def mark(verdict: str) -> Element:
    """Return the glyph of a verdict, hidden from screen readers: the word is beside it or in a label."""
    return h("span", WORDS[verdict].glyph, class_="glyph", aria_hidden="true")


def _masthead(document: Document) -> Element:
    name, verdict, where = subject_name(document), document["verdict"], standing(document)
    statement = {
        "pass": "conforms",
        "known": f"has {standing_label(document)}",
        "outdated": "has known failures out of date",
        "fail": "does not conform",
        "partial": "was tested in part, without a verdict",
        "error": "could not be judged",
    }[where]
    error = document["run"].get("error", "")
    if not error and verdict == "error" and document["run"].get("incomplete"):
        error = "The run was interrupted."
    return h(
        "header",
        h("p", f"Batch API conformance · {document['subject']['side']} side", class_="overline"),
        h(
            "h1",
            h("span", name, class_="long" if len(name) > 28 else None),
            " ",
            h("span", statement, ".", class_=f"statement run-{where}"),
        ),
        h("p", sentence(document), class_="lead"),
        h("p", error, class_="error") if error else None,
        _facts(document),
        class_="masthead",
    )


def _facts(document: Document) -> Element:
    run, contract, suite = document["run"], document["contract"], document["suite"]
    facts: list[tuple[str, Child]] = [
        ("Target", h("code", document["subject"]["target"] or "–")),
        ("Started", _time(run["started"])),
        ("Effort", f"{effort(run)} in {run['seconds']:,.1f} s"),
        ("Profile", f"{run['profile']}{', strict' if run['strict'] else ''}, seed {run['seed']}"),
        ("Contract", h("span", f"{contract['version']} ", h("code", contract["sha256"][:8]), overlays_note(contract))),
        ("Suite", f"{suite['name']} {suite['version']}"),
    ]
    if run.get("left_behind"):
        facts.append(("Left behind", f"{run['left_behind']} (never closed)"))
    facts += [("Note", hint) for hint in run.get("hints", ())]
    return h("dl", *(h("div", h("dt", name), h("dd", value)) for name, value in facts), class_="facts")


def _time(started: str) -> Child:
    try:
        moment = datetime.fromisoformat(started)
    except ValueError:
        return started or "–"
    zone = moment.strftime("%Z") or "local time"
    return h("time", f"{moment:%Y-%m-%d %H:%M} {zone}", datetime=started)


def _summary(document: Document) -> list[Element]:
    rows = [
        h(
            "li",
            h("a", theme_title(theme), href=f"#{_anchor(theme)}", class_="theme-name"),
            h("span", *(_cell(clause) for clause in clauses), class_="cells"),
        )
        for theme, clauses in by_theme(document).items()
    ]
    glance = h("section", h("h2", "At a glance"), h("ul", *rows, class_="map"), class_="glance")
    return [h("div", _wrong(document), glance, _limits(document), class_="summary")]


def _wrong(document: Document) -> Element | None:
    urgent = [clause for verdict in ("error", "fail") for clause in with_verdict(document, verdict)]
    if not urgent:
        return None
    lines = [_headline(clause) for clause in urgent[:_HEADLINES]]
    if len(urgent) > _HEADLINES:
        lines.append(h("li", h("span", f"… and {len(urgent) - _HEADLINES} more, below")))
    return h("section", h("h2", "What is wrong"), h("ol", *lines), class_="wrong")


def _limits(document: Document) -> Element | None:
    found = limited(document)
    if not found:
        return None
    rows = [h("li", h("span", limit), h("small", *_links(ids))) for limit, ids in found.items()]
    count = len({clause for ids in found.values() for clause in ids})
    return h("section", h("h2", f"Passed with limits ({count})"), h("ul", *rows), class_="limits")


def _links(ids: list[str]) -> Iterable[Child]:
    for number, clause in enumerate(ids):
        yield ", " if number else ""
        yield h("a", clause, href=f"#{clause}")


def _cell(clause: Mapping[str, Any]) -> Element:
    label = f"{clause['id']}: {WORDS[clause['verdict']].label}"
    return h(
        "a",
        mark(clause["verdict"]),
        href=f"#{clause['id']}",
        class_="cell",
        data_verdict=clause["verdict"],
        title=label,
        aria_label=label,
    )


def _headline(clause: Mapping[str, Any]) -> Element:
    what = fault(clause["evidence"][0]) if clause["evidence"] else clause["reason"]
    return h(
        "li",
        h("a", clause["id"], href=f"#{clause['id']}"),
        h("span", what.split("\n")[0][:400]),
    )


def _clauses(document: Document) -> list[Element]:
    found = counts(document)
    # Empty link targets before the list: each filter is a plain link, so it is part of the page's URL.
    anchors = [h("span", id=f"only-{verdict}", class_="anchor") for verdict in found]
    pills = [_pill("#clauses", "All", len(selected_clauses(document)))]
    pills += [_pill(f"#only-{verdict}", WORDS[verdict].heading, count, verdict) for verdict, count in found.items()]
    return [
        h("span", id="clauses", class_="anchor", tabindex="-1"),
        *anchors,
        h(
            "nav",
            h("ul", *(h("li", pill) for pill in pills)),
            class_="filters",
            aria_label="Show clauses by verdict",
        ),
        *(_theme(theme, clauses) for theme, clauses in by_theme(document).items()),
    ]


def _pill(href: str, label: str, count: int, verdict: str | None = None) -> Element:
    sign = mark(verdict) if verdict else None
    return h("a", sign, label, h("b", f" {count}"), href=href, data_verdict=verdict, class_="pill")


def _theme(theme: str, clauses: list[dict[str, Any]]) -> Element:
    passed = sum(clause["verdict"] == "pass" for clause in clauses)
    return h(
        "section",
        h("h2", theme_title(theme), h("small", f"{passed} of {len(clauses)} passed"), id=_anchor(theme)),
        h("div", *(_clause(clause) for clause in clauses), class_="list"),
        class_="theme",
        data_has=" ".join(sorted({clause["verdict"] for clause in clauses})),
    )


def _anchor(theme: str) -> str:
    return f"theme-{theme.split('.')[-1]}"


def _clause(clause: Mapping[str, Any]) -> Element:
    verdict = clause["verdict"]
    word = WORDS[verdict]
    summary = h(
        "summary",
        h("span", mark(verdict), word.label.capitalize(), class_="badge", data_verdict=verdict),
        h("h3", clause["title"]),
        h("span", h("code", clause["id"]), h("span", clause["level"], class_="level"), class_="identity"),
    )
    more = evidence_note(clause, len(clause["evidence"]))
    inside = h(
        "div",
        h("span", id=clause["id"], class_="here"),
        _about(clause),
        *evidence_items(clause),
        h("p", f"… {more}", class_="omitted") if more else None,
        class_="inside",
    )
    return h("details", summary, inside, class_="clause", data_verdict=verdict, open=verdict in _OPEN)


def _about(clause: Mapping[str, Any]) -> Element:
    count = clause["exchanges"]
    facts: list[tuple[str, Iterable[Child]]] = [
        ("Source", [clause.get("source") or "–"]),
        ("Observations", [f"{count:,}"]),
        ("Link", [h("a", f"#{clause['id']}", href=f"#{clause['id']}")]),
    ]
    if clause.get("limits"):
        facts.insert(0, ("Limits", ["; ".join(clause["limits"])]))
    if clause["reason"]:
        # Reasons of known failures are written by the user, so links in them are trusted.
        linked = clause["verdict"] == "known-failure"
        facts.insert(0, ("Reason", _linked(clause["reason"]) if linked else [clause["reason"]]))
    return h("dl", *(h("div", h("dt", name), h("dd", *value)) for name, value in facts), class_="about")


def _linked(text: str) -> Iterable[Child]:
    end = 0
    for match in _URL.finditer(text):
        yield text[end : match.start()]
        yield h("a", match.group(), href=match.group(), rel="noopener noreferrer")
        end = match.end()
    yield text[end:]


def legend() -> Element:
    """Return the list of verdicts with their meanings."""
    entries = (
        h("div", h("dt", mark(verdict), word.label, data_verdict=verdict), h("dd", word.meaning))
        for verdict, word in WORDS.items()
    )
    return h("dl", *entries, class_="legend")


def _footer(document: Document) -> Element:
    level = (
        "A “must” is documented, or required by HTTP or JSON. A “should” is inferred or good practice; a broken one "
        "is a warning, and a failure only in a strict run. "
    )
    contract = document["contract"]
    judged = f"Tested against contract {contract['version']} (SHA-256 {contract['sha256']}). Keys are never shown."
    return h("footer", h("h2", "How to read this"), legend(), h("p", level, judged))
