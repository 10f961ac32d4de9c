"""The ``--batch-…`` options and ini settings, and the object that they are read into."""

from __future__ import annotations

import argparse
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    import pytest

PROFILES = ("quick", "default", "thorough")
TRANSPORTS = ("loopback", "respx")

#: Option, ini type, argparse settings, help.
OPTIONS: tuple[tuple[str, str, dict[str, Any], str], ...] = (
    ("target", "string", {"metavar": "T"}, "server to test: embedded, production, dev, local, a target of pyproject.toml, or a URL (default: embedded)"),
    ("id", "args", {"metavar": "ID", "action": "append"}, "a batch known to exist at the target; repeatable (default: discovered with List Batches)"),
    ("api-key-env", "string", {"metavar": "NAME"}, "environment variable that holds the API key (default: SYNC_API_KEY)"),
    ("other-key-env", "string", {"metavar": "NAME"}, "environment variable that holds a valid key of another organisation (default: none, its clause is not exercised)"),
    ("revoked-key-env", "string", {"metavar": "NAME"}, "environment variable that holds an expired or revoked key (default: none, its clause is not exercised)"),
    ("stage", "string", {"metavar": "HOOK"}, "URL or command that stages states of the target, see docs/staging.md (default: none)"),
    ("plan", "bool", {"action": "store_true"}, "print the number of requests or cases by kind, and send nothing"),
    ("client", "string", {"metavar": "C"}, "client to test: embedded, exec:COMMAND or python:MODULE:ATTRIBUTE (default: embedded)"),
    ("transport", "string", {"choices": TRANSPORTS}, "for python: clients, real HTTP or httpx mocked by respx (default: loopback)"),
    ("report", "string", {"metavar": "DIR"}, "where reports are written (default: reports/latest)"),
    ("profile", "string", {"choices": PROFILES}, "how much is sent (default: default)"),
    ("strict", "bool", {"action": "store_true"}, "count broken should clauses as failures"),
    ("known-failures", "string", {"metavar": "FILE"}, "TOML file of accepted failures"),
    ("known-failures-update", "bool", {"action": "store_true"}, "update that file to agree with this run, comments kept; the verdict uses the file as it was before"),
    ("rate", "string", {"metavar": "N/s"}, "highest rate of requests to a server, N/s or N/min (default: none on loopback, 8/s elsewhere)"),
    ("timeout", "string", {"metavar": "S"}, "longest wait for one exchange, in seconds (default: 10)"),
    ("overlay", "args", {"metavar": "FILE", "action": "append"}, "OpenAPI Overlay 1.0, YAML or JSON, applied to the contract before anything else; repeatable (default: none)"),
    ("operations", "string", {"metavar": "LIST"}, "operations to test, e.g. get or get,list; clauses of the others are not exercised (default: all of the contract; for a client, those in its hello)"),
    ("recorded", "args", {"metavar": "GLOB", "action": "append"}, "files with recorded traffic to test; repeatable, !GLOB excludes files (default: the suite's own samples)"),
    ("mutant", "string", {"metavar": "NAME"}, "embedded only: test a mutant, which has one fault, to see a check fail; batch-conformance mutants lists them"),
    ("allow-production", "bool", {"action": "store_true"}, "allow the production server as target"),
    ("database", "args", {"metavar": "PLACE", "action": "append"}, "where the profile thorough stores failing examples: a folder, redis://…, github:OWNER/REPO, none; repeatable (default: Hypothesis's own settings)"),
    ("require", "args", {"metavar": "PATTERNS", "action": "append"}, "clauses that must be exercised, else they fail, e.g. 'server.auth.*,server.body.*'; repeatable (default: none)"),
    ("baseline", "string", {"metavar": "FILE"}, "an earlier conformance.json; the changes since then go to the terminal, the Markdown report and the step summary (default: none)"),
    ("trace", "string", {"metavar": "FILE.har"}, "write all exchanges, redacted, as HAR 1.2 for a browser's developer tools (default: none)"),
    ("ca", "string", {"metavar": "FILE"}, "PEM file of certificates to trust in addition to the system's (default: none)"),
    ("seed", "string", {"metavar": "N"}, "seed of all generated values (default: 0)"),
)  # fmt: skip


#: Options that `pytest --help` shows; `--batch-help` shows all.
FIRST = frozenset({"target", "id", "api-key-env", "client", "known-failures", "report"})
#: Options that may be empty, which overrides the ini setting with none.
_MAY_BE_EMPTY = frozenset({"known_failures"})


def add_options(parser: pytest.Parser) -> None:
    """Register each option and the ini setting of the same name."""
    group = parser.getgroup("batch-conformance", "conformance to the Batch API contract (all: --batch-help)")
    for name, ini_type, settings, description in OPTIONS:
        dest = "batch_" + name.replace("-", "_")
        help_text = description if name in FIRST else argparse.SUPPRESS
        # Checked with the other values: argparse would print its usage.
        given = {"metavar": "|".join(settings["choices"])} if "choices" in settings else settings
        group.addoption(f"--batch-{name}", dest=dest, default=None, help=help_text, **given)
        parser.addini(dest, f"as --batch-{name}", type=ini_type, default=None)  # type: ignore[arg-type]
    group.addoption("--batch-help", dest="batch_help", action="store_true", help=argparse.SUPPRESS)


def help_lines(width: int) -> Iterator[str]:
    """Yield all options with their descriptions, for ``--batch-help``."""
    yield "Options of sync-batch-conformance; each is an ini setting as well, with _ for -."
    for name, _, settings, description in OPTIONS:
        value = settings.get("metavar") or "|".join(settings.get("choices", ()))
        yield f"  --batch-{name} {value}".rstrip()
        yield from textwrap.wrap(
            description, max(40, width) - 8, initial_indent=" " * 8, subsequent_indent=" " * 8, break_on_hyphens=False
        )


def any_given(config: pytest.Config) -> bool:
    """Whether the command line has one of these options (other plugins may have a ``--batch-`` option, too)."""
    dests = ("batch_" + name.replace("-", "_") for name, *_ in OPTIONS)
    return any(config.getoption(dest, None) is not None for dest in dests)


def unused_options(config: pytest.Config, judged: Collection[str]) -> list[str]:
    """Return the options on the command line that name a subject of a kind that was not judged."""
    return [
        f"--batch-{name}"
        for name, kind in (("target", "server"), ("client", "client"), ("recorded", "recorded"))
        if kind not in judged and config.getoption(f"batch_{name}", None) is not None
    ]


class UsageProblem(Exception):
    """Raised for wrong usage: exit status 4. The message is one line for the user."""


@dataclass(frozen=True)
class Options:
    """The options of a run: the command line, else the ini setting, else the default."""

    target: str
    batch_ids: tuple[str, ...]
    api_key_env: str | None
    other_key_env: str | None
    revoked_key_env: str | None
    stage: str | None
    plan: bool
    client: str
    transport: str
    report: Path
    profile: str
    strict: bool
    known_failures: Path | None
    known_failures_update: bool
    rate: str | None
    timeout: float
    mutant: str | None
    allow_production: bool
    seed: int
    database: tuple[str, ...]
    recorded: tuple[str, ...]
    overlays: tuple[Path, ...]
    start: Path
    require: tuple[str, ...] = ()
    require_told: bool = False
    baseline: Path | None = None
    trace: Path | None = None
    ca: Path | None = None
    operations: tuple[str, ...] | None = None


def overlay_files(config: pytest.Config) -> tuple[Path, ...]:
    """Return the overlay files. Raises :class:`UsageProblem` for an empty name."""
    given = config.getoption("batch_overlay", None)
    files = config.getini("batch_overlay") if given is None else given
    if "" in (files or ()):
        raise UsageProblem("--batch-overlay is empty: give it a file, or leave it out")
    return tuple(_folder_of(config, "overlay") / file for file in files or ())


def _folder_of(config: pytest.Config, name: str) -> Path:
    """Return the folder that a file to be read is named from: the current one, for a setting that of the ini file."""
    overridden = {row.partition("=")[0] for row in config.getoption("override_ini", None) or ()}
    is_setting = config.getoption(f"batch_{name}", None) is None and f"batch_{name}" not in overridden
    return config.inipath.parent if is_setting and config.inipath is not None else config.invocation_params.dir


def read_options(config: pytest.Config) -> Options:
    """Read the options. Raises :class:`UsageProblem` for an invalid value."""
    folder = config.invocation_params.dir

    def value_of(name: str) -> Any:
        value = config.getoption(f"batch_{name}", None)
        empty = value == "" or (isinstance(value, list) and "" in value)
        if empty and name not in _MAY_BE_EMPTY:
            # Most likely an unset shell variable. With the default instead, another subject might be tested.
            raise UsageProblem(f"--batch-{name.replace('_', '-')} is empty: give it a value, or leave it out")
        return config.getini(f"batch_{name}") if value is None else value

    profile, transport = value_of("profile") or "default", value_of("transport") or "loopback"
    for name, value, known in (("profile", profile, PROFILES), ("transport", transport, TRANSPORTS)):
        if value not in known:
            is_option = config.getoption(f"batch_{name}", None) is not None
            where = f"--batch-{name} {value!r}" if is_option else f"batch_{name} = {value!r} in the ini file"
            raise UsageProblem(f"{where}: known are {', '.join(known)}")

    def file_of(name: str) -> Path | None:
        value = value_of(name)
        return _folder_of(config, name) / value if value else None

    return Options(
        target=value_of("target") or "embedded",
        batch_ids=tuple(value_of("id") or ()),
        api_key_env=value_of("api_key_env") or None,
        other_key_env=value_of("other_key_env") or None,
        revoked_key_env=value_of("revoked_key_env") or None,
        stage=value_of("stage") or None,
        plan=bool(value_of("plan")),
        client=value_of("client") or "embedded",
        transport=transport,
        report=folder / (value_of("report") or "reports/latest"),
        profile=profile,
        strict=bool(value_of("strict")),
        known_failures=file_of("known_failures"),
        known_failures_update=bool(value_of("known_failures_update")),
        rate=value_of("rate") or None,
        timeout=_positive(value_of("timeout"), 10.0),
        mutant=value_of("mutant") or None,
        allow_production=bool(value_of("allow_production")),
        seed=_whole(value_of("seed")),
        database=tuple(value_of("database") or ()),
        recorded=tuple(value_of("recorded") or ()),
        overlays=overlay_files(config),
        start=folder,
        require=tuple(value_of("require") or ()),
        require_told=config.getoption("batch_require", None) is not None,
        baseline=file_of("baseline"),
        trace=folder / trace if (trace := value_of("trace")) else None,
        ca=file_of("ca"),
        operations=_operations(value_of("operations")),
    )


def _operations(text: str | None) -> tuple[str, ...] | None:
    if not text:
        return None
    from batch_conformance.checks.by_operation import UnknownOperations, read_operations

    try:
        return read_operations(text)
    except UnknownOperations as error:
        raise UsageProblem(str(error)) from None


def _positive(text: str | None, default: float) -> float:
    try:
        value = float(text) if text else default
    except ValueError:
        value = 0.0
    if not 0 < value <= 3600:
        raise UsageProblem(f"--batch-timeout {text!r} is not a number of seconds between 0 and 3600")
    return value


def _whole(text: str | None) -> int:
    try:
        return int(text) if text else 0
    except ValueError:
        raise UsageProblem(f"--batch-seed {text!r} is not a whole number") from None
