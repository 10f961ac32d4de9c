"""The command ``batch-conformance``.

Tests are run by pytest; the equivalent pytest line is printed first.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from importlib import import_module

from batch_conformance import __version__

PROGRAM = "batch-conformance"
PASSED, FAILED, COULD_NOT_RUN, WRONG_USAGE = 0, 1, 3, 4


class Misuse(Exception):
    """Raised for wrong usage: exit status 4. The message is one line for the user."""


Command = Callable[[Sequence[str]], int]


def _lazy(module: str, name: str = "main") -> Command:
    """Return a command whose module is imported when it is called, so that no command imports what others need."""

    def run(arguments: Sequence[str]) -> int:
        try:
            status: int = getattr(import_module(f"batch_conformance.{module}"), name)(list(arguments))
        except SystemExit as end:
            # argparse has printed the error. It exits with 2; this suite uses 4 for wrong usage.
            return WRONG_USAGE if end.code else PASSED
        return status

    return run


#: Command, its arguments, what it does, the function.
COMMANDS: dict[str, tuple[str, str, Command]] = {
    "server": ("URL|NAME [PYTEST OPTIONS]", "test a server: a URL, a name from pyproject.toml, or embedded", _lazy("cli.run", "run_server")),
    "client": ("COMMAND|python:MODULE:ATTRIBUTE [PYTEST OPTIONS]", "test a client through its driver, or in process", _lazy("cli.run", "run_client")),
    "recorded": ("GLOB… [PYTEST OPTIONS]", "test recorded traffic: JSON, HAR, VCR cassettes", _lazy("cli.run", "run_recorded")),
    "explain": ("CLAUSE [--overlay FILE …]", "explain a clause: promise, source, decision, examples of a breach, how to fix it", _lazy("cli.explain", "explain")),
    "mutants": ("[server|client] [CLAUSE]", "list the faults that can be built into the embedded subject (--batch-mutant)", _lazy("cli.mutants", "mutants")),
    "diff": ("OLD NEW [--markdown|--json]", "compare two reports; status 1 if a clause is newly broken", _lazy("cli.diff", "diff")),
    "replay": ("REPORT CLAUSE[#N]", "send the requests of a finding again, or serve its answers to a client again", _lazy("cli.replay", "replay")),
    "matrix": ("FOLDER", "build the matrix page of the reports below a folder", _lazy("report.matrix")),
    "contract": ("[OPTIONS]", "print the contract", _lazy("contract.__main__")),
    "vendor": ("FOLDER [--check|--force]", "copy the suite into a folder of your repository", _lazy("vendor")),
    "init": ("[FOLDER] [--force]", "write GitHub workflows and a snippet for pyproject.toml", _lazy("cli.init", "init")),
}  # fmt: skip


@contextmanager
def closed_pipe_ends_quietly() -> Iterator[None]:
    """End the block, without an error, when the reader of stdout (e.g. head) has closed the pipe."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        # Redirected, so that the interpreter's flush at exit does not fail, too.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status: 0 conforms, 1 does not, 3 could not run, 4 wrong usage."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or given[0] in ("-h", "--help", "help"):
        print(usage(), file=sys.stdout if given else sys.stderr)
        return PASSED if given else WRONG_USAGE
    if given[0] == "--version":
        print(f"{PROGRAM} {__version__}")
        return PASSED
    name, rest = given[0], given[1:]
    status = PASSED
    try:
        with closed_pipe_ends_quietly():
            arguments_of, description, command = _command(name)
            # The others have a help of their own.
            if rest and rest[0] in ("-h", "--help") and name in ("server", "client", "recorded"):
                print(f"usage: {PROGRAM} {name} {arguments_of}\n\n{description}")
                return PASSED
            status = command(rest)
    except Misuse as misuse:
        print(f"{PROGRAM}: {misuse}", file=sys.stderr)
        return WRONG_USAGE
    except ValueError as error:
        # Imported here: not all commands need the contract.
        from batch_conformance.contract.document import ContractError

        if not isinstance(error, ContractError):
            raise
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        return WRONG_USAGE
    except KeyboardInterrupt:
        return COULD_NOT_RUN
    return status


def _command(name: str) -> tuple[str, str, Command]:
    if name not in COMMANDS:
        raise Misuse(f"unknown command {name!r}{_suggestion(name)}; {PROGRAM} --help lists them")
    return COMMANDS[name]


def usage() -> str:
    """Return the help text with the list of commands."""
    lines = [
        f"usage: {PROGRAM} COMMAND …",
        "",
        "Conformance tests for the Batch API: any server, any client.",
        "",
    ]
    for name, (arguments, description, _) in COMMANDS.items():
        lines += [f"  {name} {arguments}", f"      {description}"]
    return "\n".join(
        [
            *lines,
            "",
            "server, client and recorded pass all other arguments to pytest; --batch-help lists the options of the suite.",
            "Exit status: 0 conforms, 1 does not, 3 could not run, 4 wrong usage.",
        ]
    )


def nearest(word: str, known: Sequence[str]) -> str:
    """Return ``; did you mean …?`` with up to three similar known words; empty if there are none."""
    close = get_close_matches(word, known, n=3, cutoff=0.6)
    return f"; did you mean {' or '.join(close)}?" if close else ""


def _suggestion(name: str) -> str:
    if name.startswith(("http://", "https://")):
        return f"; did you mean {PROGRAM} server {name}?"
    return nearest(name, list(COMMANDS))
