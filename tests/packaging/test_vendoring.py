"""The suite in a client's repository, in all the ways that docs/vendoring.md gives."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from batch_conformance import __version__
from batch_conformance.contract import contract_root, load_contract
from tests.support.client_repo import ADAPTER, FOLDER, LEAN, QUICK, Repository, VendoringEnv

PAGE = contract_root() / "docs" / "vendoring.md"
FAULT, CLAUSE = "asks-again-on-404", "client.retry.never-401-404"
SUITE = f"{FOLDER}/suites/client"
PACKAGE = "batch_conformance.suites.client"
#: Plugins that the repository needs where none is loaded by itself.
NO_AUTOLOAD = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_PLUGINS": "pytest_base_url.plugin"}

#: Which Python, what is in the folder, the arguments, the environment.
WAYS: dict[str, tuple[str, str, str, dict[str, str]]] = {
    "a folder alone": ("plain", "vendored", SUITE, {}),
    "a folder in one call with the client's own tests": ("plain", "vendored", f"tests suites {SUITE}", {}),
    "a whole checkout in a folder": ("plain", "checkout", SUITE, {}),
    # A limit for each test does not hold for the one that makes the whole run.
    "installed": ("installed", "", f"--pyargs {PACKAGE}", {"PYTEST_TIMEOUT": "1"}),
    "with workers": ("plain", "vendored", f"-n 2 {SUITE}", {}),
    "without autoload": ("installed", "", f"-p batch_conformance.plugin --pyargs {PACKAGE}", NO_AUTOLOAD),
}
#: Tests of the client's own.
OWN = 5
#: What no client of httpx can do better: it has no deadline for a whole head.
SHOULDS = {"client.fault.drip-head": "warn"}
#: What is about an operation that the client does not offer.
NOT_OFFERED = {
    clause.id: "not-exercised" for clause in load_contract().of_side("client") if "get" not in clause.operations
}
Make = Callable[..., Repository]
COLLECT = ("--co", "-q", *LEAN)


@pytest.mark.parametrize("way", WAYS)
def test_a_client_that_conforms_passes(workshop: VendoringEnv, make: Make, way: str) -> None:
    """Every clause is exercised, and nothing but reports is added to the repository."""
    python, suite, arguments, environment = WAYS[way]
    repository = make(suite)
    before = repository.files()
    ended = repository.pytest(getattr(workshop, python), *arguments.split(), *QUICK, **environment)
    assert ended.status == 0, ended.output
    assert ended.verdict() == ("toy", "pass", SHOULDS | NOT_OFFERED)
    own = OWN if "one call" in way else 0
    passed = len(load_contract().of_side("client")) - len(SHOULDS | NOT_OFFERED) + own
    assert f"{passed} passed, {len(NOT_OFFERED)} skipped, {len(SHOULDS)} xfailed" in ended.output
    added = {name: content for name, content in repository.files().items() if name not in before}
    assert repository.files() == before | added
    assert {Path(name).parent.as_posix() for name in added} == {"reports/latest"}


@pytest.mark.parametrize("way", WAYS)
def test_a_broken_client_is_red(workshop: VendoringEnv, make: Make, way: str) -> None:
    """By the clause that it breaks, and by no other."""
    python, suite, arguments, environment = WAYS[way]
    ended = make(suite).pytest(getattr(workshop, python), *arguments.split(), *QUICK, fault=FAULT, **environment)
    assert ended.status == 1, ended.output
    assert ended.verdict() == ("toy", "fail", SHOULDS | NOT_OFFERED | {CLAUSE: "fail"})
    assert f"✗ {CLAUSE}" in ended.output


def test_the_page_gives_these_ways() -> None:
    """Word for word; a whole checkout is run like any folder."""
    given = re.findall(r"^pytest (.*) --batch-client (\S+)$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert given == [(arguments, ADAPTER) for arguments in dict.fromkeys(way[2] for way in WAYS.values())]


def test_any_import_mode_will_do(workshop: VendoringEnv, make: Make) -> None:
    """Modules are found by path as well, and collected once each."""
    modules = ("--import-mode=importlib", "--pyargs", "tests", "suites", SUITE, PACKAGE)
    ended = make("vendored").pytest(workshop.installed, *COLLECT, *modules)
    assert ended.status == 0, ended.output
    clauses = len(load_contract().of_side("client"))
    assert ended.output.count(f"{SUITE}/test_batch_client.py") == clauses
    assert f"{2 * clauses + OWN} tests collected" in ended.output


def test_a_run_over_the_repository_leaves_the_folder_alone(workshop: VendoringEnv, make: Make) -> None:
    """As long as nobody says whom to judge; the embedded client is not what this repository is about."""
    repository = make("checkout")
    everywhere = ("-o", "testpaths=", *COLLECT)
    ended = repository.pytest(workshop.plain, *everywhere)
    assert (ended.status, "vendor" in ended.output) == (0, False), ended.output
    told = repository.pytest(workshop.installed, *everywhere, *QUICK)
    suites = re.findall(r"^vendor/.*/suites/(\w+)/", told.output, re.MULTILINE)
    assert suites == ["client"] * len(load_contract().of_side("client"))
    later = repository.pytest(workshop.plain, *everywhere, "-o", f"batch_client={ADAPTER}")
    assert re.findall(r"^vendor/.*/suites/(\w+)/", later.output, re.MULTILINE) == suites


def test_workers_need_to_know_the_folder_from_the_start(workshop: VendoringEnv, make: Make) -> None:
    """A folder that only they come across, while collecting, is not judged in part: one line, and no pass."""
    settings = ("testpaths=", "addopts=--base-url=http://127.0.0.1:9", "filterwarnings=", f"batch_client={ADAPTER}")
    ended = make("vendored").pytest(workshop.plain, *LEAN, "-n", "2", *(f"-o{setting}" for setting in settings))
    assert ended.status, ended.output
    assert "name the folder of the suite on the command line or in testpaths" in ended.output
    assert f"{OWN} passed" in ended.output


def test_two_versions_are_not_mixed(workshop: VendoringEnv, make: Make) -> None:
    """One line names both; either can be chosen; who asks for none is left alone."""
    repository = make("vendored")
    module = repository.folder / FOLDER / "batch_conformance" / "__init__.py"
    module.write_text(module.read_text("utf-8").replace(__version__, "9.9.9"), "utf-8")
    ended = repository.pytest(workshop.installed, SUITE, *QUICK)
    assert ended.status == 4
    (line,) = ended.output.strip().splitlines()
    assert line.startswith(f"ERROR: two copies of sync-batch-conformance that differ: 9.9.9 in {repository.folder}")
    assert f"{__version__} in " in line
    assert "-p no:batch_conformance" in line

    chosen = repository.pytest(workshop.installed, "-p", "no:batch_conformance", SUITE, *COLLECT, *QUICK)
    assert chosen.status == 0, chosen.output
    other = repository.pytest(workshop.installed, "--pyargs", PACKAGE, *COLLECT, *QUICK)
    assert other.status == 0, other.output
    neither = repository.pytest(workshop.installed, "-o", "testpaths=", *LEAN)
    assert (neither.status, f"{OWN} passed" in neither.output) == (0, True), neither.output


def test_a_fixture_of_the_same_name_cannot_make_it_green(workshop: VendoringEnv, make: Make) -> None:
    """Where the repository has its own, nothing is judged, and that is no pass: with workers neither."""
    repository = make("vendored")
    conftest = repository.folder / "conftest.py"
    own = "\n\n@pytest.fixture\ndef batch_settle():\n    return print\n"
    conftest.write_text(conftest.read_text("utf-8") + own, "utf-8")
    for workers in ((), ("-n", "2")):
        ended = repository.pytest(workshop.plain, *LEAN, *workers, SUITE, *QUICK)
        assert ended.status == 3, ended.output
        assert "no clause was tested" in ended.output
    apart = repository.pytest(workshop.plain, "--confcutdir", FOLDER, SUITE, "-k", "client.auth", *QUICK)
    assert apart.status == 0, apart.output


@pytest.mark.parametrize("asked", [("-p", "batch_conformance.plugin"), ("-p", "batch_conformance")])
def test_the_plugin_may_be_asked_for_twice(workshop: VendoringEnv, make: Make, asked: tuple[str, ...]) -> None:
    """By name, by the entry point, by ``pytest_plugins`` and by a folder's conftest.py, all at once."""
    repository = make("vendored")
    conftest = repository.folder / "conftest.py"
    text = conftest.read_text("utf-8") + '\n\npytest_plugins = ["batch_conformance.plugin"]\n'
    conftest.write_text(text, "utf-8")
    ended = repository.pytest(workshop.installed, *asked, "tests", SUITE, *COLLECT, *QUICK)
    assert ended.status == 0, ended.output
