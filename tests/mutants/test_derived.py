"""The embedded subjects conform to the current contract, and derived mutants are caught by their clauses.

``pytest --batch-overlay FILE`` proves an edited contract. Of the unedited one, a sample of the mutants is
tested; ``--batch-profile thorough`` tests all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from batch_conformance.contract import base_contract, current_contract
from batch_conformance.mutants.derived import Derived, derived_mutants, unprovable
from batch_conformance.reference.client import adapter
from batch_conformance.reference.server import ReferenceServer
from tests.support.judging import judged_client, judged_server, red, shown

#: One of so many mutants of the unedited contract is tested.
_EVERY = {"server": 3, "client": 6}
_THEMES = ("client.decode.", "client.reject.", "client.error.", "client.request.target")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrize over the mutants of the current contract."""
    for side in ("server", "client"):
        if f"{side}_mutant" in metafunc.fixturenames:
            rows = list(derived_mutants(side).values())
            whole = metafunc.config.getoption("batch_profile", None) == "thorough"
            if not whole and current_contract().sha256 == base_contract().sha256:
                rows = rows[:: _EVERY[side]]
            metafunc.parametrize(f"{side}_mutant", rows, ids=[row.name for row in rows])


def test_the_embedded_server_conforms() -> None:
    """No clause fails under the current contract."""
    run = judged_server(ReferenceServer())
    assert not run.error
    assert not red(run), shown(run)


def test_the_embedded_client_conforms() -> None:
    """No clause fails under the current contract."""
    run = judged_client(adapter, profile="quick")
    assert not run.error
    assert not red(run), shown(run)


def test_server_mutant_is_caught(server_mutant: Derived[ReferenceServer]) -> None:
    """A clause of its place fails, and no unrelated one."""
    run = judged_server(server_mutant.build())
    assert not run.error
    assert server_mutant.explains(red(run)), f"{server_mutant.clauses}\n{shown(run)}"


def test_client_mutant_is_caught(client_mutant: Derived[Any]) -> None:
    """A clause of its place fails, and no unrelated one."""
    clauses = {clause for clause in _client_clauses() if clause.startswith(_THEMES)}
    run = judged_client(client_mutant.build(), profile="sketch-quick", selected=clauses)
    if not red(run) & set(client_mutant.clauses) and not run.error:
        # Two cases per clause show most faults; if they do not, run all cases.
        run = judged_client(client_mutant.build(), selected=clauses)
    assert not run.error
    assert client_mutant.explains(red(run)), f"{client_mutant.clauses}\n{shown(run)}"


def _client_clauses() -> Mapping[str, Any]:
    from batch_conformance.contract import load_contract

    return {clause.id: clause for clause in load_contract().of_side("client")}


@pytest.mark.parametrize("side", ["server", "client"])
def test_what_is_not_proven_is_listed_with_its_reason(side: str) -> None:
    """Every place without a mutant is listed with a reason."""
    assert derived_mutants(side)
    assert all(place.reason for place in unprovable(side))
    assert not derived_mutants(side).keys() & {place.name for place in unprovable(side)}
