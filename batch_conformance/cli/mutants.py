"""``mutants [server|client] [CLAUSE]``: the faults that can be built into the embedded subject, to see a check fail."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from batch_conformance.cli import PASSED, PROGRAM, Misuse
from batch_conformance.cli.explain import near_clauses
from batch_conformance.cli.parsing import add_overlays
from batch_conformance.contract import current_contract, load_with_overlays, use_contract
from batch_conformance.generate.satisfiable import NoValidValue
from batch_conformance.mutants import listed_variants

_SIDES = ("server", "client")


def mutants(arguments: Sequence[str]) -> int:
    """Print the mutants of a side or of some clauses, one per line: name, clause, description."""
    description = "List the faults that can be built into the embedded server or client (--batch-mutant)."
    parser = argparse.ArgumentParser(prog=f"{PROGRAM} mutants", description=description)
    parser.add_argument("words", nargs="*", metavar="server|client|CLAUSE", help="a side; a clause, theme or pattern")
    add_overlays(parser, "list those of an edited contract")
    given = parser.parse_args(arguments)
    use_contract(load_with_overlays(given.overlay))
    sides = [word for word in given.words if word in _SIDES] or _SIDES
    patterns = [word for word in given.words if word not in _SIDES]
    known = [clause for side in sides for clause in current_contract().clauses if clause.startswith(f"{side}.")]
    for pattern in patterns:
        if not any(_matches(clause, pattern) for clause in known):
            raise Misuse(f"no clause of {' or '.join(sides)} is called {pattern!r}{near_clauses(pattern)}")
    for side in sides:
        rows = [row for row in _rows(side) if not patterns or any(_matches(row[1], one) for one in patterns)]
        width = max((len(name) for name, *_ in rows), default=0)
        for name, clause, description in rows:
            print(f"{name:<{width}}  {clause or 'legal'}{f'  {description}' if description else ''}")
    return PASSED


def _matches(clause: str, pattern: str) -> bool:
    return clause == pattern or clause.startswith(f"{pattern.rstrip('.*')}.") or fnmatchcase(clause, pattern)


def _rows(side: str) -> Iterator[tuple[str, str, str]]:
    """Yield name, clause and description of mutants, then of faults without a mutant, then of legal variations."""
    try:
        known, unprovable, why_not_derived = listed_variants(side)
    except NoValidValue as error:
        raise Misuse(str(error)) from None
    if why_not_derived:
        print(f"{PROGRAM}: {why_not_derived}", file=sys.stderr)
    rows = [(name, getattr(one, "clause", ""), getattr(one, "description", "")) for name, one in known.items()]
    order = list(current_contract().clauses)
    yield from sorted((row for row in rows if row[1]), key=lambda row: order.index(row[1]))
    yield from ((place.name, "none", place.reason) for place in unprovable)
    yield from (row for row in rows if not row[1])
