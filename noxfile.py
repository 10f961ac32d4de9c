"""Sessions for ``nox``: what CI runs, on each Python there is. ``nox -l`` lists them."""

from __future__ import annotations

import nox

PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
#: Proof that takes long, and proves nothing that depends on the versions of dependencies.
SLOW = "not mutants and not browser and not packaging"
nox.options.sessions = ["lint", "tests"]
nox.options.error_on_missing_interpreters = False


@nox.session(python=PYTHONS[0])
def lint(session: nox.Session) -> None:
    """Check style and types."""
    session.install("-e", ".[dev]")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Check both embedded sides, and run all tests."""
    session.install("-e", ".[dev]")
    session.run("pytest", "-n", "4", *session.posargs)


@nox.session(python=PYTHONS[0])
def lowest(session: nox.Session) -> None:
    """Check both embedded sides with the lowest versions of all dependencies, and run the quick part of the proof."""
    # pip has no such resolver. Where two lowest versions exclude each other (Hypothesis and Schemathesis), it takes the
    # next ones that go together.
    session.install("uv")
    tools = ("trustme>=1.1", "pytest-xdist>=3.5", "markdown-it-py>=3", "openapi-spec-validator>=0.7")
    session.run("uv", "pip", "install", "--resolution", "lowest-direct", "-e", ".[server,client]", *tools)
    session.run("pytest", "suites/server", "suites/client", "suites/recorded")
    session.run("pytest", "tests", "-m", SLOW, *session.posargs)


@nox.session(python=PYTHONS[0])
def lowest_client(session: nox.Session) -> None:
    """Check the embedded client with the lowest versions of what a client's repository installs."""
    session.install("uv")
    session.run("uv", "pip", "install", "--resolution", "lowest-direct", "-e", ".[client]")
    session.run("pytest", "suites/client", "suites/recorded")


@nox.session(python=PYTHONS[0])
def coverage(session: nox.Session) -> None:
    """Measure branch coverage of the quick part of the proof, and show it."""
    session.install("-e", ".[dev]", "coverage>=7.4")
    session.run("coverage", "run", "-m", "pytest", "-m", SLOW, *session.posargs)
    session.run("coverage", "combine", success_codes=[0, 1])
    session.run("coverage", "report")
