"""What the tests of the suite itself share. They need the dev extra, run with assertions, and take warnings for errors.

Pytest is kept out of the toy client, which has tests and a conftest.py of its own.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings

from batch_conformance.contract import base_contract, contract_in_use
from tests.support.client_repo import Repository, VendoringEnv, open_vendoring_env

_HERE = Path(__file__).parent
#: Of the dev extra, what tests import at once.
_DEV = ("trustme", "markdown_it", "openapi_spec_validator", "flask", "aiohttp")
_MISSING = [name for name in _DEV if find_spec(name) is None]

#: Folders below this one, each with a marker of its name: ``pytest -m "not mutants"``.
KINDS = ("unit", "integration", "mutants", "packaging", "browser")

collect_ignore = ["support"]
collect_ignore_glob = ["*/test_*.py"] if _MISSING else []


def pytest_configure(config: pytest.Config) -> None:
    """Register a marker for each kind of test; let the runs that tests start keep what they compile.

    Without that, each one rewrites the assertions of some 400 modules of plugins anew: 3 s.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    # The same examples each time, on a developer's machine as in CI; --hypothesis-profile chooses others.
    if not config.getoption("hypothesis_profile", None):
        settings.register_profile("proof", derandomize=True, deadline=None, database=None)
        settings.load_profile("proof")
    for kind in KINDS:
        config.addinivalue_line("markers", f"{kind}: tests/{kind} of the suite itself")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Take warnings for errors in these tests; refuse to prove anything without assertions."""
    own = [item for item in items if _HERE in item.path.parents]
    if own and sys.flags.optimize:
        pytest.exit("Python runs without assertions (PYTHONOPTIMIZE or -O): nothing can be proven", 3)
    for item in own:
        # Here, not in the ini file: there it would hold for whatever plugins are installed beside the suite, too.
        item.add_marker(pytest.mark.filterwarnings("error"), append=False)
        kind = item.path.relative_to(_HERE).parts[0]
        if kind in KINDS:
            item.add_marker(kind)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say when these tests were left out."""
    if _MISSING:
        terminalreporter.write_line(
            f"tests/ was left out: {', '.join(_MISSING)} not installed; it takes pip install -e '.[dev]'"
        )


@pytest.fixture(autouse=True)
def _contract_as_it_is(request: pytest.FixtureRequest) -> Iterator[None]:
    """Prove the suite by the contract as it is, whatever ``--batch-overlay`` says; an edited one is proven by what is
    derived from it (tests/mutants/test_derived.py).
    """
    if request.path.name == "test_derived.py":
        yield
        return
    with contract_in_use(base_contract()):
        yield


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> VendoringEnv:
    """Wheel, folder and environments of a client's repository, shared by all workers."""
    folder = tmp_path_factory.getbasetemp()
    return open_vendoring_env((folder.parent if folder.name.startswith("popen-") else folder) / "workshop")


@pytest.fixture
def make(workshop: VendoringEnv, tmp_path: Path) -> Callable[..., Repository]:
    """Makes a client's repository, with a suite in its folder (``vendored``, ``checkout``) or without."""

    def make(suite: str = "") -> Repository:
        return Repository.at(tmp_path / "repository", getattr(workshop, suite) if suite else None)

    return make
