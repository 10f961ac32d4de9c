"""``explain CLAUSE``: promise, source, decisions, examples of a breach, and how to fix it."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from shlex import join
from typing import Any

from batch_conformance.cli import PASSED, PROGRAM, Misuse, nearest
from batch_conformance.cli.parsing import add_overlays, parser_of
from batch_conformance.contract import Clause, contract_root, current_contract, load_with_overlays, use_contract
from batch_conformance.generate.satisfiable import NoValidValue
from batch_conformance.report.command import overlay_files, overlay_options

#: The most examples of a breach that are listed.
_EXAMPLES = 4
_WIDTH = 78


def explain(arguments: Sequence[str]) -> int:
    """Print the explanation of a clause."""
    parser = parser_of("explain", "Explain a clause, or list the promises of a theme.")
    parser.add_argument("clause", metavar="CLAUSE", nargs="*", help="a clause, e.g. server.auth.near-key; a theme")
    add_overlays(parser, "an overlay of the contract, as for --batch-overlay")
    given = parser.parse_args(arguments)
    if len(given.clause) != 1:
        raise Misuse("explain: name one clause, e.g. server.auth.near-key")
    use_contract(load_with_overlays(given.overlay))
    clauses = current_contract().clauses
    name = given.clause[0].partition("#")[0]
    if name not in clauses:
        theme = [clause for clause in clauses if clause.startswith(name.rstrip("*.") + ".")]
        if theme:
            for clause in theme:
                print(clause, *textwrap.wrap(clauses[clause].promise, _WIDTH - 4), sep="\n    ")
            return PASSED
        raise Misuse(f"the contract has no clause {name!r}{near_clauses(name)}")
    print("\n".join(explanation(clauses[name])))
    return PASSED


def near_clauses(name: str) -> str:
    """Return ``; did you mean …?`` for a misspelt clause id."""
    ids = list(current_contract().clauses)
    without_side = {clause.partition(".")[2]: clause for clause in ids}
    if name in without_side:
        return f"; did you mean {without_side[name]}?"
    last = [clause for clause in ids if clause.rpartition(".")[2] == name.rpartition(".")[2]]
    return nearest(name, ids) or (f"; did you mean {' or '.join(last[:3])}?" if last else "")


def explanation(clause: Clause) -> Iterator[str]:
    """Yield the lines of the explanation of a clause."""
    yield f"{clause.id}  ({clause.level})"
    yield from _field("promise", clause.promise)
    fails = "a breach fails" if clause.level == "must" else "a breach is a warning, and fails with --batch-strict"
    yield from _field("level", f"{clause.level}: {fails}")
    yield from _field("source", clause.source)
    for number, text in decisions_of(clause.source).items():
        yield from _field(f"decision {number}", text)
    for number, line in enumerate(breaches(clause)):
        yield from _field("" if number else "broken by", line)
    yield from _field("fix", advice(clause.id))
    subject = "server URL" if clause.side == "server" else "client COMMAND"
    yield from _field("test", f"{PROGRAM} {subject} {join(['-k', f'[{clause.id}]', *_overlays()])}")


def _overlays() -> list[str]:
    """Return the options of ``server`` and ``client`` for the overlays that apply."""
    return [word.replace("--overlay", "--batch-overlay") for word in overlay_options(overlay_files())]


def _field(name: str, text: str) -> Iterator[str]:
    lines = textwrap.wrap(text, _WIDTH - 14, break_on_hyphens=False) or [""]
    yield f"  {name:<11} {lines[0]}"
    yield from (f"  {'':<11} {line}" for line in lines[1:])


def decisions_of(source: str) -> dict[int, str]:
    """Return the decisions that a source names, by number, as plain text."""
    wanted = [
        int(number) for row in re.findall(r"decisions? ([\d, and]+)", source) for number in re.findall(r"\d+", row)
    ]
    return {number: _decisions()[number] for number in wanted if number in _decisions()}


@cache
def _decisions() -> Mapping[int, str]:
    text = (contract_root() / "contracts" / "decisions.md").read_text("utf-8")
    found = {}
    for section in text.split("\n## ")[1:]:
        head, _, body = section.partition("\n")
        number, dot, title = head.partition(". ")
        if dot and number.isdigit():
            plain = re.sub(r"\*\*|`", "", f"{title}. {' '.join(body.split())}")
            found[int(number)] = plain
    return found


def breaches(clause: Clause) -> list[str]:
    """Return lines with examples of a breach: the mutants that break the clause."""
    # Imported here: the list of a theme needs no mutants.
    from batch_conformance.mutants import listed_variants, variants

    examples = _breaking(clause, variants(clause.side, ""))
    if not examples:
        with suppress(NoValidValue):
            examples = _breaking(clause, listed_variants(clause.side)[0])
    lines = [f"{description} (mutant {name})" if description else f"mutant {name}" for name, description in examples]
    if not lines:
        return ["none is known"]
    more = len(lines) - _EXAMPLES
    listed = lines[:_EXAMPLES] + ([f"… and {more} more"] if more > 0 else [])
    return [
        *listed,
        "see it: " + join([PROGRAM, clause.side, "embedded", "--batch-mutant", examples[0][0], *_overlays()]),
    ]


def _breaking(clause: Clause, known: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return name and description of the mutants that break a clause."""
    broken = ((name, one) for name, one in known.items() if getattr(one, "clause", "") == clause.id)
    return [(name, getattr(one, "description", "")) for name, one in broken]


@cache
def _advice() -> Mapping[str, str]:
    import yaml

    loaded: dict[str, str] = yaml.safe_load(Path(__file__).with_name("mending.yaml").read_text("utf-8"))
    return loaded


def advice(clause: str) -> str:
    """Return how to fix a breach: the advice for the clause, else for its theme, else for its side."""
    parts = clause.split(".")
    names = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((_advice()[name] for name in names if name in _advice()), "")
