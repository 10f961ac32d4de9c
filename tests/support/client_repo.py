"""A client's repository and its environments, built once for all tests and workers of a run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

from batch_conformance.contract import contract_root

TOY = Path(__file__).parent / "toy_client"
FOLDER = "vendor/batch_conformance_suite"
ADAPTER = "python:toy.conformance:adapter"
#: Enough clauses to see the fault of the broken client.
QUICK = ("--batch-client", ADAPTER, "--batch-profile", "quick")
#: For runs without a subject: disables plugins with slow imports.
LEAN = ("-p", "no:hypothesispytest", "-p", "no:respx", "-p", "no:anyio")
_PIP = (sys.executable, "-m", "pip")
_QUIET = ("-q", "--disable-pip-version-check", "--no-input", "--retries", "1", "--timeout", "20")
_BUILD = "import hatchling.build, sys; getattr(hatchling.build, sys.argv[1])(sys.argv[2])"


@dataclass(frozen=True)
class VendoringEnv:
    """The build products and environments for tests of vendoring, in a shared folder."""

    root: Path

    @property
    def dist(self) -> Path:
        """Folder of the sdist and the wheel."""
        return self.root / "dist"

    @property
    def wheel(self) -> Path:
        """The wheel, built from the sdist."""
        (wheel,) = self.dist.glob("*.whl")
        return wheel

    @property
    def checkout(self) -> Path:
        """The unpacked sdist: a checkout without the files that git ignores."""
        (folder,) = (self.root / "checkout").iterdir()
        return folder

    @property
    def vendored(self) -> Path:
        """The folder that the vendoring command makes."""
        return self.root / "vendored"

    @property
    def plain(self) -> Path:
        """Python with the vendored folder's requirements, without the package."""
        return _python(self.root / "plain")

    @property
    def installed(self) -> Path:
        """Python with the package, installed from the wheel with its extra for clients."""
        return _python(self.root / "installed")


@dataclass(frozen=True)
class CompletedRun:
    """A pytest run in the repository that has ended."""

    status: int
    output: str
    report: Path

    def verdict(self) -> tuple[str, str, dict[str, str]]:
        """Return the subject, the verdict, and the clauses that did not pass."""
        document = json.loads((self.report / "conformance.json").read_text("utf-8"))
        others = {entry["id"]: entry["verdict"] for entry in document["clauses"] if entry["verdict"] != "pass"}
        return document["subject"]["name"], document["verdict"], others


def _python(environment: Path) -> Path:
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def open_vendoring_env(shared: Path) -> VendoringEnv:
    """Build what is missing. Without a package registry, each test fails at once with a line that says so."""
    env, failed, done = VendoringEnv(shared), shared / "failed", shared / "done"
    with FileLock(f"{shared}.lock"):
        if not failed.exists() and not done.exists():
            shared.mkdir(exist_ok=True)
            try:
                _build(env)
                done.touch()
            except subprocess.SubprocessError as error:
                failed.write_text(_reason(error), "utf-8")
    if failed.exists():
        pytest.fail(f"the toy client's environment was not made: {failed.read_text('utf-8')}", pytrace=False)
    return env


def _reason(error: subprocess.SubprocessError) -> str:
    if not isinstance(error, subprocess.CalledProcessError):
        return str(error)
    lines = [line for line in f"{error.stdout}{error.stderr}".splitlines() if line.strip()] or [str(error)]
    return next((line for line in lines if line.startswith("ERROR")), lines[-1])


def _build(env: VendoringEnv) -> None:
    root = env.root
    _run(*_PIP, "install", *_QUIET, "--target", str(root / "tools"), "hatchling")
    tools = {"PYTHONPATH": str(root / "tools")}
    _run(sys.executable, "-c", _BUILD, "build_sdist", str(env.dist), cwd=contract_root(), more=tools)
    (sdist,) = env.dist.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(root / "checkout", filter="data")
    # Everything else is made from the sdist: folder, checkout and package are one version.
    _run(sys.executable, "-c", _BUILD, "build_wheel", str(env.dist), cwd=env.checkout, more=tools)
    here = {"PYTHONPATH": str(env.checkout)}
    _run(sys.executable, "-m", "batch_conformance.vendor", str(env.vendored), more=here)
    # Compiled once here instead of in each copy.
    _run(sys.executable, "-m", "compileall", "-q", str(env.vendored), str(env.checkout / "batch_conformance"))
    for name in ("plain", "installed"):
        _run(sys.executable, "-m", "venv", "--without-pip", str(root / name))
    needed = ("-r", str(env.vendored / "requirements.txt"), "pytest-xdist", "pytest-base-url", "pytest-timeout")
    _run(*_PIP, "--python", str(env.plain), "install", *_QUIET, *needed)
    # Reuse what is installed in "plain", so that pip installs only what the wheel needs in addition.
    (plain,) = _site_packages(root / "plain")
    (installed,) = _site_packages(root / "installed")
    (installed / "plain.pth").write_text(f"{plain}\n", "utf-8")
    _run(*_PIP, "--python", str(env.installed), "install", *_QUIET, f"{env.wheel}[client]")


def _site_packages(environment: Path) -> Iterator[Path]:
    return (folder for folder in environment.rglob("site-packages") if folder.is_dir())


def _run(*command: str, cwd: Path | None = None, more: Mapping[str, str] = {}) -> None:
    subprocess.run(command, cwd=cwd, env=clean(more), text=True, capture_output=True, check=True, timeout=180)


def clean(more: Mapping[str, str] = {}) -> dict[str, str]:
    """Return the environment without variables that affect pytest runs, and with ``more``."""
    prefixes = ("PYTEST", "PYTHON", "GITHUB", "SYNC_", "TOY_", "COV_", "COVERAGE", "HYPOTHESIS")
    return {name: value for name, value in os.environ.items() if not name.startswith(prefixes)} | dict(more)


@dataclass(frozen=True)
class Repository:
    """A copy of the toy client's repository, for one test."""

    folder: Path

    @classmethod
    def at(cls, folder: Path, suite: Path | None = None) -> Repository:
        """Copy the repository, with ``suite`` as its vendored folder."""
        shutil.copytree(TOY, folder, ignore=shutil.ignore_patterns("__pycache__", ".*_cache", ".hypothesis"))
        if suite:
            shutil.copytree(suite, folder / FOLDER)
        return cls(folder)

    def pytest(self, python: Path, *arguments: str, fault: str = "", **more: str) -> CompletedRun:
        """Run pytest at the root of the repository, with a fault in its client."""
        return self.run(python, "-m", "pytest", *arguments, TOY_FAULT=fault, **more)

    def run(self, python: Path, *arguments: str, **more: str) -> CompletedRun:
        """Run Python at the root of the repository."""
        ended = subprocess.run(
            [str(python), *arguments],
            cwd=self.folder,
            env=clean(more),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=120,
            check=False,
        )
        return CompletedRun(ended.returncode, ended.stdout, self.folder / "reports" / "latest")

    def files(self) -> dict[str, bytes]:
        """Return all files, except those that Python, pytest and Hypothesis create."""
        files = {file.relative_to(self.folder): file for file in self.folder.rglob("*") if file.is_file()}
        return {
            place.as_posix(): file.read_bytes()
            for place, file in files.items()
            if not {"__pycache__", ".pytest_cache", ".hypothesis"} & set(place.parts)
        }
