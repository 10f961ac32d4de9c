"""What tests of vendoring share; keeps pytest out of the toy client, which has tests and a conftest.py of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from suites.proof.client_repo import Repository, Workshop, open_workshop

collect_ignore = ["toy_client"]


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """Wheel, folder and environments of a client's repository, shared by all workers."""
    folder = tmp_path_factory.getbasetemp()
    return open_workshop((folder.parent if folder.name.startswith("popen-") else folder) / "workshop")


@pytest.fixture
def make(workshop: Workshop, tmp_path: Path) -> Callable[..., Repository]:
    """Makes a client's repository, with a suite in its folder (``vendored``, ``checkout``) or without."""

    def make(suite: str = "") -> Repository:
        return Repository.at(tmp_path / "repository", getattr(workshop, suite) if suite else None)

    return make
