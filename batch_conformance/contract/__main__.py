"""``python -m batch_conformance.contract``: the table of clauses for the README, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from batch_conformance.contract.load import load_contract


def clause_table() -> Iterator[str]:
    """The lines of the table: id, level and promise of every clause."""
    yield "| clause | level | promise |"
    yield "| --- | --- | --- |"
    for clause in load_contract().clauses.values():
        yield f"| `{clause.id}` | {clause.level} | {clause.promise} |"


if __name__ == "__main__":
    print("\n".join(clause_table()))
