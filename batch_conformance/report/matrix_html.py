"""Matrix page as HTML: the verdicts on each clause by implementation and version."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from batch_conformance.report.comparison import Change, Column, Comparison, Step
from batch_conformance.report.html import icon, legend, mark
from batch_conformance.report.labels import RUN_WORDS, WORDS, counts, standing, subject_failures, theme_title
from batch_conformance.report.markup import Child, h, page

_SIDES = {"client": "Clients", "server": "Servers"}
#: Glyph and label of a change from one version to the next.
_CHANGES: dict[Change, tuple[str, str]] = {
    "better": ("▲", "better than the version before"),
    "worse": ("▼", "worse than the version before"),
    "other": ("◆", "different from the version before"),
}
#: Tables with more columns than this scroll in a box of their own on large screens, too.
_MANY = 12
#: Names up to this length, in characters, are not wrapped.
_SHORT_NAME = 18


def render_matrix(comparisons: list[Comparison]) -> str:
    """Render the page with one comparison for each side."""
    return page(
        "Batch API conformance, by implementation",
        css=("style.css", "matrix.css"),
        script="script.js",
        icon=icon("pass"),
        body=[
            h("a", "Skip to the tables", href="#all", class_="skip"),
            _masthead(comparisons),
            h("main", *_filters(comparisons), *(_side(one) for one in comparisons)),
            _footer(comparisons),
        ],
    )


def _masthead(comparisons: list[Comparison]) -> Element:
    newest = [versions[-1] for one in comparisons for versions in one.names().values()]
    total = sum(len(one.columns) for one in comparisons)
    conforming = sum(standing(column.document) == "pass" for column in newest)
    noun = "implementation" if len(newest) == 1 else "implementations"
    lead = f"{len(newest)} {noun}, {total} reports. In the newest version {conforming} of {len(newest)} conform."
    return h(
        "header",
        h("p", "Batch API conformance", class_="overline"),
        h("h1", "Verdicts by implementation."),
        h("p", lead, class_="lead"),
        class_="masthead",
    )


def _filters(comparisons: list[Comparison]) -> Iterator[Element]:
    for name in ("all", "only-broken", "only-changed"):
        yield h("span", id=name, class_="anchor", tabindex="-1")
    rows = [(one, clause) for one in comparisons for clause in one.clauses]
    pills = (
        ("#all", "All clauses", len(rows)),
        ("#only-broken", "Broken somewhere", sum(_is_broken(*row) for row in rows)),
        ("#only-changed", "Changed between versions", sum(_has_changed(*row) for row in rows)),
    )
    items = (h("li", h("a", label, h("b", f" {count}"), href=href, class_="pill")) for href, label, count in pills)
    yield h("nav", h("ul", *items), class_="filters", aria_label="Show clauses")


def _side(comparison: Comparison) -> Element:
    title = _SIDES[comparison.side]
    steps = [step for step in comparison.steps() if step.changes]
    many = " many" if len(comparison.columns) > _MANY else ""
    table = h("table", _caption(comparison), _head(comparison), *_bodies(comparison))
    return h(
        "section",
        h("h2", title),
        _steps(steps) if steps else None,
        h(
            "div",
            table,
            class_=f"scroller{many}",
            tabindex="0",
            role="region",
            aria_label=f"{title} by clause",
        ),
        class_="side",
        id=comparison.side,
    )


def _steps(steps: list[Step]) -> Element:
    return h("ul", *(_step(step) for step in steps), class_="steps")


def _step(step: Step) -> Element:
    lines: list[Element] = []
    words: tuple[tuple[Change, str], ...] = (("better", "Better"), ("worse", "Worse"), ("other", "Changed"))
    for how, word in words:
        clauses = step.of(how)
        if clauses:
            links: list[Child] = []
            for clause in clauses:
                links += [", " if links else "", h("a", _short(clause), href=f"#{clause}")]
            lines.append(h("p", _sign(how), h("b", f"{word}: "), *links))
    name, *versions = (_brief(text, 40) for text in (step.after.name, step.before.version, step.after.version))
    return h("li", h("h3", f"{name} {' → '.join(versions)}"), *lines)


def _caption(comparison: Comparison) -> Element:
    return h("caption", f"{_SIDES[comparison.side]}: verdict on each clause, by implementation and version")


def _head(comparison: Comparison) -> Element:
    names, versions = [h("th", "Clause", scope="col", rowspan="2", class_="corner")], []
    for name, columns in comparison.names().items():
        style = "name short" if len(name) <= _SHORT_NAME else "name"
        names.append(h("th", _brief(name, 60), scope="colgroup", colspan=str(len(columns)), class_=style))
        twice = {version for version, times in Counter(one.version for one in columns).items() if times > 1}
        for index, column in enumerate(columns):
            place = column.place if column.version in twice else None
            versions.append(h("th", _version(column, place), scope="col", class_="first" if index == 0 else None))
    return h("thead", h("tr", *names), h("tr", *versions))


def _version(column: Column, place: str | None) -> list[Child]:
    where = standing(column.document)
    word = RUN_WORDS[where]
    label = {
        "fail": f"{len(subject_failures(column.document))} failed",
        "known": f"{counts(column.document).get('known-failure', 0)} known",
        "outdated": "file out of date",
        "error": "not judged",
    }.get(where, word.label)
    version = _brief(column.version, 20) or "–"
    return [
        h("a", version, href=column.link) if column.link else version,
        h("small", _brief(place, 60)) if place else None,
        h("span", word.glyph, " ", label, class_=f"verdict run-{where}"),
    ]


def _bodies(comparison: Comparison) -> Iterator[Element]:
    starts = {id(columns[0]) for columns in comparison.names().values()}
    width = str(len(comparison.columns) + 1)
    for theme, clauses in comparison.themes().items():
        rows = [_row(comparison, clause, starts) for clause in clauses]
        has = {word for row in rows for word in (row.get("data-row") or "").split()}
        yield h(
            "tbody",
            h(
                "tr",
                h("th", h("span", theme_title(theme)), scope="rowgroup", colspan=width, class_="theme-head"),
            ),
            *rows,
            data_row=" ".join(sorted(has)),
        )


def _row(comparison: Comparison, clause: str, starts: set[int]) -> Element:
    facts = [
        word
        for word, true in (
            ("broken", _is_broken(comparison, clause)),
            ("changed", _has_changed(comparison, clause)),
        )
        if true
    ]
    promise = h("span", comparison.clauses[clause], class_="promise")
    return h(
        "tr",
        h("th", h("a", _short(clause), href=f"#{clause}"), promise, scope="row"),
        *(_cell(comparison, column, clause, id(column) in starts) for column in comparison.columns),
        id=clause,
        data_row=" ".join(facts),
    )


def _cell(comparison: Comparison, column: Column, clause: str, first: bool) -> Element:
    verdict = column.verdict(clause)
    start = "first" if first else None
    if verdict is None:
        return h("td", h("span", "·", title="not in that report's contract", class_="absent"), class_=start)
    # No text from reports in attributes: the table's headers name the subject.
    label = f"{clause}: {WORDS[verdict].label}"
    before = comparison.before(column)
    how = column.change_from(before, clause) if before else None
    sign = None
    if how:
        label += f", {_CHANGES[how][1]}"
        sign = _sign(how)
    attributes = {"class_": "cell", "data_verdict": verdict, "title": label}
    if column.link:
        inner = h("a", mark(verdict), sign, href=f"{column.link}#{clause}", aria_label=label, **attributes)
    else:
        inner = h("span", mark(verdict), sign, role="img", aria_label=label, **attributes)
    return h("td", inner, class_=start)


def _sign(how: Change) -> Element:
    return h("span", _CHANGES[how][0], class_=f"change {how}", aria_hidden="true")


def _brief(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _short(clause: str) -> str:
    return clause.split(".", 1)[1]


def _is_broken(comparison: Comparison, clause: str) -> bool:
    judged = (column for column in comparison.columns if not column.document["run"].get("error"))
    return any(column.verdict(clause) not in ("pass", "not-exercised", None) for column in judged)


def _has_changed(comparison: Comparison, clause: str) -> bool:
    return any(clause in step.changes for step in comparison.steps())


def _footer(comparisons: list[Comparison]) -> Element:
    contracts = {
        (column.document["contract"]["version"], column.document["contract"]["sha256"])
        for one in comparisons
        for column in one.columns
    }
    listed = "; ".join(f"{version} (SHA-256 {digest[:8]})" for version, digest in sorted(contracts))
    judged = f"Tested against contract {listed}."
    if len(contracts) > 1:
        judged = f"The reports are about different contracts: {listed}."
    changes = ", ".join(f"{sign} {words}" for sign, words in _CHANGES.values())
    return h("footer", h("h2", "How to read this"), legend(), h("p", f"{changes}. ", judged))
