"""Kinds of subjects: server, client, recorded traffic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pytest

    from batch_conformance.contract import Side

#: Recorded traffic is tested by the clauses of servers, but is a subject with a verdict of its own.
Kind = Literal["server", "client", "recorded"]
KINDS: tuple[Kind, ...] = ("server", "client", "recorded")


def kind_of(clause: str, mark: pytest.Mark | None) -> Kind:
    """Return the kind of subject that a test is about: the marker's ``subject``, else the side of the clause."""
    kind: Kind | None = mark.kwargs.get("subject") if mark else None
    if kind:
        return kind
    # Imported here, so that this module is cheap to import.
    from batch_conformance.contract import current_contract

    return current_contract().clauses[clause].side


def side_of(kind: Kind) -> Side:
    """Return the side whose clauses apply."""
    return "server" if kind == "recorded" else kind
