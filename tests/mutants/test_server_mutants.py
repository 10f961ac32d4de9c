"""Every server check can fail: each mutant breaks exactly its clauses, each legal variation none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from batch_conformance.contract import contract_in_use, load_contract, load_document
from batch_conformance.contract.reading import contract_of
from batch_conformance.mutants.server import ServerMutant, server_mutants, server_variations
from batch_conformance.reference.server import ReferenceServer
from batch_conformance.server_runner.operation_probes import most_requests
from tests.support.judging import judged_server, red, shown

#: Clause about the suite itself: only a suite that closes its schema breaks it, no server does.
SUITE_CLAUSE = "server.body.open"


@pytest.mark.parametrize("mutant", server_mutants().values(), ids=lambda mutant: mutant.name)
def test_mutant_fails_exactly_its_clauses(mutant: ServerMutant) -> None:
    """The clause that a mutant breaks fails, and no others but those in ``also``."""
    run = judged_server(mutant.build(), mutant.operations)

    assert not run.error
    assert mutant.clause in red(run), f"not caught\n{shown(run)}"
    assert red(run) <= {mutant.clause} | mutant.also, shown(run)
    assert run.requests <= (most_requests("default", mutant.operations) or 0)


@pytest.mark.parametrize("variation", server_variations().values(), ids=lambda variation: variation.name)
def test_legal_variation_passes(variation: ServerMutant) -> None:
    """No ``must`` fails; a ``should`` may warn where the variation uses the latitude of a ``must``."""
    run = judged_server(variation.build(), variation.operations)

    musts = {clause for clause in red(run) if load_contract().clauses[clause].level == "must"}
    assert not run.error
    assert not musts, shown(run)


def test_every_clause_has_a_mutant_of_its_own() -> None:
    """Every clause has a mutant that breaks it alone."""
    alone = {mutant.clause for mutant in server_mutants().values() if not mutant.also}
    clauses = {clause.id for clause in load_contract().of_side("server")}
    assert clauses - alone == {SUITE_CLAUSE}


@contextmanager
def _closed_schema() -> Iterator[None]:
    """Use a contract whose batch schema refuses unknown members."""
    document = load_document()
    document.schemas["Batch"]["additionalProperties"] = False
    with contract_in_use(contract_of(document)):
        yield


def test_a_suite_that_refuses_extra_members_fails_its_own_clause() -> None:
    """A closed batch schema fails the suite's own clause."""
    with _closed_schema():
        run = judged_server(ReferenceServer())
    assert red(run) == {SUITE_CLAUSE}


def test_reference_server_conforms_with_nothing_unexercised() -> None:
    """All clauses pass, within the request budget."""
    run = judged_server(ReferenceServer())
    assert {result.verdict for result in run.results} == {"pass"}, shown(run)
    assert run.requests <= (most_requests("default", run.operations) or 0)
