"""Who a test of the suites puts to the test: a server, a client, or recorded traffic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pytest

    from batch_conformance.contract import Side

#: Recorded traffic is judged by the server's clauses, but it is nobody's server: it has a verdict of its own.
Kind = Literal["server", "client", "recorded"]
KINDS: tuple[Kind, ...] = ("server", "client", "recorded")


def kind_of(clause: str, mark: pytest.Mark | None) -> Kind:
    """Whom a test of ``clause`` is about: the marker's ``subject``, else the side that the clause names."""
    told: Kind | None = mark.kwargs.get("subject") if mark else None
    if told:
        return told
    # Only now: any run with pytest-xdist passes by here.
    from batch_conformance.contract import current_contract

    return current_contract().clauses[clause].side


def side_of(kind: Kind) -> Side:
    """The side whose clauses count."""
    return "server" if kind == "recorded" else kind
