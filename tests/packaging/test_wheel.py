"""The package as it is installed: what is in it, what it brings along, what it costs those who do not ask for it."""

from __future__ import annotations

import re
import tarfile
import zipfile
from collections.abc import Callable
from email import message_from_bytes
from pathlib import Path

from batch_conformance.contract import contract_root, load_contract
from tests.support.client_repo import ADAPTER, LEAN, Repository, VendoringEnv

Make = Callable[..., Repository]
ROOT = contract_root()
SERVER_EXTRA = ("schemathesis", "uvicorn", "starlette", "jsonschema_rs", "hypothesis_graphql")
#: What the plugin may load where nobody asks for anything.
LIGHT = {
    "batch_conformance",
    "batch_conformance.plugin",
    "batch_conformance.plugin.entry",
    "batch_conformance.plugin.fixtures",
    "batch_conformance.plugin.options",
}
LOADED = "sorted(name for name in sys.modules if name.partition('.')[0] == 'batch_conformance')"


def test_the_wheel_holds_what_runs_and_no_proof(workshop: VendoringEnv) -> None:
    """One top-level name; contract, schemas and suites inside of it, byte by byte; the suites are packages there."""
    with zipfile.ZipFile(workshop.wheel) as wheel:
        files = {name: wheel.read(name) for name in wheel.namelist()}
    ours = {name for name in files if ".dist-info/" not in name}
    assert {name.split("/")[0] for name in ours} == {"batch_conformance"}
    assert "batch_conformance/py.typed" in ours
    # A conftest.py would take part in every run of the installed suites.
    assert not [name for name in ours if "proof" in name or name.endswith(("/conftest.py", ".pyc"))]
    for folder in ("contracts", "schemas", "suites/client", "suites/server", "suites/recorded"):
        source = workshop.checkout / folder
        kept = {file.relative_to(source).as_posix(): file.read_bytes() for file in source.rglob("*") if file.is_file()}
        kept = {name: content for name, content in kept.items() if not name.endswith(".pyc")}
        inside = f"batch_conformance/{folder}/"
        packed = {name.removeprefix(inside): files[name] for name in ours if name.startswith(inside)}
        if folder.startswith("suites"):
            assert packed.pop("__init__.py").startswith(b'"""')
        assert packed == kept
        assert kept
    assert "batch_conformance/suites/__init__.py" in ours


def test_the_sdist_holds_what_git_keeps(workshop: VendoringEnv) -> None:
    """All sources and the proof; neither reports nor what was installed or built."""
    with tarfile.open(next(workshop.dist.glob("*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "conftest.py", "README.md", "tests/support/toy_client/pyproject.toml"} < names
    assert {"drivers/README.md", "docs/vendoring.md", "batch_conformance/py.typed"} < names
    unwanted = ("reports/", "node_modules", ".cache/", ".venv", "__pycache__", ".git/", ".hypothesis", ".ci/")
    assert not [name for name in names if any(part in name for part in unwanted)]


def test_clients_need_no_extra_of_the_server(workshop: VendoringEnv, make: Make) -> None:
    """Not named by the package, not there where it is installed for clients, and one line where it is missed."""
    with zipfile.ZipFile(workshop.wheel) as wheel:
        (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
        required = message_from_bytes(wheel.read(name)).get_all("Requires-Dist", [])
    base = {re.split(r"[^\w-]", line)[0].lower() for line in required if "extra ==" not in line}
    client = {re.split(r"[^\w-]", line)[0].lower() for line in required if "extra == 'client'" in line}
    assert base == {
        "filelock", "h11", "httpx", "hypothesis", "jsonschema", "pluggy", "pytest", "python-jsonpath", "pyyaml",
    }  # fmt: skip
    assert client == {"respx"}

    repository = make()
    found = f"import importlib.util as i; print([n for n in {SERVER_EXTRA} if i.find_spec(n)])"
    assert repository.run(workshop.installed, "-c", found).output == "[]\n"
    ended = repository.pytest(workshop.installed, "--pyargs", "batch_conformance.suites.server", *LEAN)
    assert ended.status == 4, ended.output
    assert "no subject was named for suites/server: add --batch-target T" in ended.output
    server = ("--pyargs", "batch_conformance.suites.server", "--batch-target", "embedded")
    ended = repository.pytest(workshop.installed, *server, "-q", *LEAN)
    assert ended.status == 3, ended.output
    assert "pip install 'sync-batch-conformance[server]'" in ended.output
    assert "Traceback" not in ended.output


def test_the_installed_contract_is_this_one(workshop: VendoringEnv, make: Make) -> None:
    """Found within the package, the samples of recorded traffic as well."""
    code = (
        "from batch_conformance.contract import contract_root, load_contract\n"
        "from batch_conformance.recorded.files import find_files, sample_folder\n"
        "print(contract_root().name, load_contract().sha256, len(find_files(['.'], sample_folder())))"
    )
    ended = make().run(workshop.installed, "-c", code)
    samples = len(list((workshop.checkout / "suites" / "recorded" / "samples").iterdir()))
    digest = re.findall(r"sha256 (\w+)", (workshop.vendored / "VERSION").read_text("utf-8"))[0]
    assert ended.output.split() == ["batch_conformance", digest, str(samples)]


def test_the_commands_are_installed(workshop: VendoringEnv, make: Make) -> None:
    """The list of mutants and the vendoring need no extra, serving does; the folder made is the same."""
    repository = make()
    mutants = repository.run(workshop.installed, "-m", "batch_conformance.reference", "--list-mutants")
    assert mutants.status == 0, mutants.output
    assert "server.auth.missing-key" in mutants.output
    unserved = repository.run(workshop.installed, "-m", "batch_conformance.reference", "--port", "0")
    assert (unserved.status, unserved.output.count("\n")) == (3, 1), unserved.output
    assert "pip install 'sync-batch-conformance[server]'" in unserved.output
    made = repository.run(workshop.installed, "-m", "batch_conformance.vendor", "vendor/suite")
    assert made.status == 0, made.output
    assert f"contract {load_contract().version} " in made.output
    kept = [workshop.vendored / "MANIFEST.sha256", repository.folder / "vendor" / "suite" / "MANIFEST.sha256"]
    one, other = (set(file.read_text("utf-8").splitlines()) for file in kept)
    # pip writes requirements and versions its own way.
    assert {line[66:] for line in one ^ other} <= {"requirements.txt", "VERSION"}


def test_who_does_not_ask_sees_nothing(workshop: VendoringEnv, make: Make) -> None:
    """The same output with the plugin as without, but for the list of plugins; no file is left."""
    repository = make()
    before = repository.files()
    quiet = (*LEAN, "-v")
    with_it, without = (
        repository.pytest(workshop.installed, *quiet, *more) for more in ((), ("-p", "no:batch_conformance"))
    )
    assert (with_it.status, without.status) == (0, 0)
    said, expected = (re.sub(r"in [\d.]+s|^plugins: .*", "", run.output, flags=re.M) for run in (with_it, without))
    assert said == expected
    assert repository.files() == before


def test_who_does_not_ask_pays_nothing(workshop: VendoringEnv, make: Make) -> None:
    """Options and nothing else are loaded, with workers and without; in less than 20 ms."""
    repository = make()
    run = "import pytest, sys; assert not pytest.main(['-q', *sys.argv[1:]])"
    for workers in ((), ("-n", "1")):
        ended = repository.run(workshop.installed, "-c", f"{run}; print('loaded', *{LOADED})", *LEAN, *workers)
        (loaded,) = re.findall(r"^loaded (.*)$", ended.output, re.MULTILINE)
        assert LIGHT <= set(loaded.split()) <= LIGHT | {"batch_conformance.plugin.sharing"}

    clock = (
        "import pytest, sys, time; before = set(sys.modules); start = time.perf_counter()\n"
        "import batch_conformance.plugin.entry as entry\n"
        "class Recorder:\n"
        "    def is_registered(self, plugin): return False\n"
        "    def register(self, plugin, name): plugin.pytest_addoption(pytest.Parser(_ispytest=True))\n"
        "entry.pytest_addoption(Recorder())\n"
        "print(time.perf_counter() - start, *sorted(set(sys.modules) - before))"
    )
    took, loads = [], set()
    for _ in range(5):
        seconds, *names = repository.run(workshop.installed, "-c", clock).output.split()
        took.append(float(seconds))
        loads = set(names)
    # The least of five: the machine may have other things to do.
    assert min(took) < 0.020
    assert {name for name in loads if name.startswith("batch_conformance")} == LIGHT


def test_every_name_begins_with_batch(workshop: VendoringEnv, make: Make) -> None:
    """Options, settings, markers and fixtures: what the plugin adds to pytest's own lists is known by its prefix."""
    repository = make()

    def added(*arguments: str) -> set[str]:
        quiet = (*LEAN, *arguments)
        with_it, without = (
            set(repository.pytest(workshop.installed, *quiet, *more).output.splitlines())
            for more in ((), ("-p", "no:batch_conformance"))
        )
        return with_it - without

    helped = added("--help")
    options = {name for line in helped for name in re.findall(r"^  (-\S+?)(?:[=\s,]|$)", line)}
    settings = {name for line in helped for name in re.findall(r"^  (\w+) \(", line)}
    assert options
    assert {name for name in options if not name.startswith("--batch-")} == set()
    everything = repository.pytest(workshop.installed, *LEAN, "--batch-help").output
    listed = set(re.findall(r"^  (--batch-\S+)", everything, re.MULTILINE))
    assert {f"--{name.replace('_', '-')}" for name in settings} == listed
    assert options < listed
    markers = {name for line in added("--markers") for name in re.findall(r"^@pytest\.mark\.(\w+)", line)}
    assert markers == {"batch_clause"}
    fixtures = {name for line in added("--fixtures", "-q") for name in re.findall(r"^(\w+)(?: \[.*)? -- ", line)}
    assert fixtures <= {"batch_settle", "batch_stub", "assert_conforms"}
    assert "batch_settle" in fixtures


def test_an_adapter_of_the_page_is_found(workshop: VendoringEnv, make: Make) -> None:
    """Where pytest is called as a command, which does not put the current folder on the path."""
    ended = make().run(
        workshop.installed,
        *("-P", "-m", "pytest", "-o", "pythonpath=", "-o", "testpaths=", "--pyargs", *LEAN),
        *("batch_conformance.suites.client", "-k", "client.request.no-body"),
        *("--batch-client", ADAPTER, "--batch-profile", "quick"),
    )
    assert (ended.status, "1 passed" in ended.output) == (0, True), ended.output


def test_modules_of_the_suites_are_named_after_it() -> None:
    """No two test modules of a client's repository and of a folder there have one name."""
    modules = [file.name for side in ("client", "server", "recorded") for file in (ROOT / "suites" / side).glob("*.py")]
    assert sorted(modules) == ["test_batch_client.py", "test_batch_recorded.py", "test_batch_server.py"]
    assert not [file for file in Path(ROOT / "suites").rglob("__init__.py") if "toy_client" not in file.parts]
