"""``server``, ``client``, ``recorded``: run pytest, and print the equivalent pytest line."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from batch_conformance.cli import COULD_NOT_RUN, PROGRAM, Misuse, nearest
from batch_conformance.contract import contract_root
from batch_conformance.http.text import names_variable
from batch_conformance.plugin.options import OPTIONS

#: Exit statuses for those of pytest that mean an interrupted run and no selected test.
_NOTHING_JUDGED = {2: COULD_NOT_RUN, 5: COULD_NOT_RUN}
_NO_TEST = 5
#: Files with settings of pytest, in the order that it looks for them, and what they then hold.
_SETTINGS = {
    "pytest.toml": "",
    ".pytest.toml": "",
    "pytest.ini": "",
    ".pytest.ini": "",
    "pyproject.toml": "[tool.pytest",
    "tox.ini": "[pytest]",
    "setup.cfg": "[tool:pytest]",
}
_SUBJECTS = ("embedded", "exec:", "python:")


def run_server(arguments: Sequence[str]) -> int:
    """Test a server."""
    (subject,), rest = _subjects("server", arguments, "URL, a name from pyproject.toml, or embedded")
    return _run("server", ["--batch-target", subject], rest)


def run_client(arguments: Sequence[str]) -> int:
    """Test a client; anything but ``embedded``, ``exec:…`` and ``python:…`` is the command of its driver."""
    (subject,), rest = _subjects("client", arguments, 'command, e.g. "node driver.mjs", or python:MODULE:ATTRIBUTE')
    spec = subject if subject == "embedded" or subject.startswith(_SUBJECTS[1:]) else f"exec:{subject}"
    return _run("client", ["--batch-client", spec], rest)


def run_recorded(arguments: Sequence[str]) -> int:
    """Test recorded traffic; a shell may have expanded one pattern into several names."""
    globs, rest = _subjects("recorded", arguments, "pattern, e.g. 'tests/fixtures/**/*.json'", several=True)
    return _run("recorded", [word for glob in globs for word in ("--batch-recorded", glob)], rest)


def _subjects(name: str, arguments: Sequence[str], what: str, *, several: bool = False) -> tuple[list[str], list[str]]:
    """Split the arguments into the subject, which comes first, and those for pytest."""
    count = 0
    while count < len(arguments) and not arguments[count].startswith("-") and (several or not count):
        count += 1
    if not count:
        raise Misuse(f"{name}: the first argument must name what to test: a {what}")
    return list(arguments[:count]), list(arguments[count:])


def _without_keys(words: Sequence[str]) -> Iterator[str]:
    """Yield the words with each value of an ``-env`` option replaced that is no variable name: it may be a key."""
    before = ""
    for word in words:
        name, mark, value = word.partition("=")
        if _takes_a_variable(before) and not names_variable(word):
            yield "…"
        elif mark and _takes_a_variable(name) and not names_variable(value):
            yield f"{name}=…"
        else:
            yield word
        before = word


def _takes_a_variable(option: str) -> bool:
    return option.startswith("--batch-") and option.endswith("-env")


def _run(suite: str, options: Sequence[str], rest: Sequence[str]) -> int:
    known = [f"--batch-{name}" for name, *_ in OPTIONS] + ["--batch-help"]
    for word in rest:
        option = word.partition("=")[0]
        if option == options[0] and suite != "recorded":
            raise Misuse(f"{suite}: {option} names a second subject, in addition to {options[1]!r}; give only one")
        if option.startswith("--batch-") and option not in known:
            raise Misuse(f"unknown option {option}{nearest(option, known)}")
    if rest and not rest[0].startswith("-"):
        # Not repeated: a key may have been given in its place.
        raise Misuse(
            f"{suite}: one subject, then options; there is a second word before them (keys are never arguments)"
        )
    words = [*place_of(suite), *own_settings(rest), *options, *rest]
    print(f"$ pytest {shlex.join(_without_keys(words))}", file=sys.stderr, flush=True)
    status = start_pytest(words)
    if status == _NO_TEST:
        message = "no clause was selected, so nothing was judged: -k, -m or --deselect leave none"
        print(f"{PROGRAM}: {message}", file=sys.stderr)
    # A negative status: pytest was ended by a signal.
    return _NOTHING_JUDGED.get(status, status) if status >= 0 else COULD_NOT_RUN


def own_settings(rest: Sequence[str]) -> list[str]:
    """Return the pytest options for the settings of the current folder, where pytest would take those of a checkout.

    It takes the settings nearest to the tests. Empty where the user names a file, and where there are none.
    """
    here, root = Path.cwd().resolve(), contract_root()
    is_installed = root == Path(__file__).resolve().parents[1]
    if is_installed or root.is_relative_to(here) or here.is_relative_to(root):
        return []
    if any(word.startswith(("-c", "--config-file", "--rootdir")) for word in rest):
        return []
    for folder in (here, *here.parents):
        for name, mark in _SETTINGS.items():
            file = folder / name
            if file.is_file() and mark in file.read_text("utf-8", "replace"):
                return ["-c", os.path.relpath(file, here), "--rootdir", os.path.relpath(folder, here)]
    return []


def start_pytest(words: Sequence[str]) -> int:
    """Run pytest in a process of its own; return its exit status.

    In this process, pytest would warn that its plugins were imported before, and some configurations turn warnings into
    errors. With -P, ``sys.path`` lacks the current folder, as for the command ``pytest``.
    """
    with subprocess.Popen([sys.executable, "-P", "-m", "pytest", *words]) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                # pytest was interrupted, too, and still writes its report.
                continue


def place_of(suite: str) -> list[str]:
    """Return the pytest arguments for a suite: its path in a checkout or vendored folder, else its module name."""
    root = contract_root()
    if root == Path(__file__).resolve().parents[1]:
        return ["--pyargs", f"batch_conformance.suites.{suite}"]
    place, here = root / "suites" / suite, Path.cwd().resolve()
    return [os.path.relpath(place, here) if place.is_relative_to(here) else str(place)]
