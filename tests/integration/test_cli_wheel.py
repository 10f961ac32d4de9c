"""The command of an installed package."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.client_repo import ADAPTER, LEAN, Repository, VendoringEnv

Make = Callable[..., Repository]


def test_an_installed_command_tests_the_client_of_a_repository(workshop: VendoringEnv, make: Make) -> None:
    """The client is named by its module; templates and advice are in the wheel."""
    repository = make()
    quick = ("--batch-profile=quick", "-q", "-k", "client.auth", *LEAN)
    ended = repository.run(workshop.installed, "-m", "batch_conformance", "client", ADAPTER, *quick)
    assert ended.status == 0, ended.output
    assert "$ pytest --pyargs batch_conformance.suites.client --batch-client " in ended.output
    for arguments, words in (
        (("explain", "server.auth.near-key"), "Compare the whole key"),
        (("init", ".", "--only", "client"), "wrote .github/workflows/batch-conformance-client.yml"),
        (("contract",), '"openapi": "3.1.0"'),
    ):
        ended = repository.run(workshop.installed, "-m", "batch_conformance", *arguments)
        assert ended.status == 0, ended.output
        assert words in ended.output
