"""Wrong input: one clear line, the right exit status, and nothing is sent."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from batch_conformance.reference.store import REFERENCE_KEY
from batch_conformance.server_runner.target import Target, UsageError, resolve_target
from tests.support import hostile
from tests.support.hostile import serving_hostile
from tests.support.running import CLIENT, SERVER, CompletedRun, run

COULD_NOT_RUN, WRONG_USAGE = 3, 4


def lines_with(ended: CompletedRun, words: str) -> list[str]:
    """Return the lines that contain the words, without duplicates: pytest may repeat one at the end."""
    return list(dict.fromkeys(line.strip() for line in ended.text.splitlines() if words in line))


def tells(ended: CompletedRun, status: int, line: str) -> None:
    """Assert that a run ended with its status, one line, and no traceback."""
    assert ended.status == status, ended.text
    found = {text.removeprefix("ERROR: ").removeprefix("because  ") for text in lines_with(ended, line[:40])}
    assert found == {line}, ended.text
    for sign in ("Traceback", "INTERNALERROR", "  File ", "raise "):
        assert sign not in ended.text


_RUNS: dict[str, tuple[list[str], str]] = {
    "unknown target name": (
        ["--batch-target", "stagin"],
        "unknown target 'stagin': give one of embedded, production, dev, local, or an http(s) URL (--batch-target)",
    ),
    "bad URL": (
        ["--batch-target", "http://:80"],
        "'http://:80' is not an http(s) URL such as http://127.0.0.1:3001 (--batch-target)",
    ),
    "missing key": (
        ["--batch-target", "http://127.0.0.1:9"],
        "no API key: set the environment variable SYNC_API_KEY (named by --batch-api-key-env)",
    ),
    "an empty option": (
        ["--batch-target", ""],
        "--batch-target is empty: give it a value, or leave it out",
    ),
    "an empty option among others": (
        ["--batch-id", "batch_1", "--batch-id", ""],
        "--batch-id is empty: give it a value, or leave it out",
    ),
    "unknown mutant": (
        ["--batch-mutant", "names-twise"],
        "unknown mutant 'names-twise'; near names: names-twice, names-twice-deep, list-newest-twice; "
        "`batch-conformance mutants` lists all (--batch-mutant)",
    ),
}


@pytest.mark.parametrize(("arguments", "line"), _RUNS.values(), ids=list(_RUNS))
def test_wrong_options(tmp_path: Path, arguments: list[str], line: str) -> None:
    """They are refused before anything is sent."""
    tells(run(tmp_path, SERVER, *arguments), WRONG_USAGE, line)
    assert not (tmp_path / "reports/latest/conformance.json").exists()


@pytest.mark.parametrize(
    ("spec", "line"),
    [
        ("", "--batch-client is empty: give it a value, or leave it out"),
        ("curl", "client 'curl' is not understood; use embedded, exec:COMMAND or python:MODULE:ATTRIBUTE"),
        ("exec:", "exec: names no command; write exec:COMMAND, e.g. exec:node driver.mjs"),
        ("exec:a 'b", "exec:a 'b cannot be split into words (No closing quotation); check its quotes"),
        ("python:os", "client 'python:os' is not understood; write python:MODULE:ATTRIBUTE"),
    ],
)
def test_invalid_clients(tmp_path: Path, spec: str, line: str) -> None:
    """The embedded client, which would pass, is not used instead."""
    message = line if not spec else f"{line} (--batch-client)"
    tells(run(tmp_path, CLIENT, "--batch-client", spec), WRONG_USAGE, message)


@pytest.mark.parametrize("workers", [(), ("-n", "1")])
@pytest.mark.parametrize(
    ("suite", "arguments", "line"),
    [
        (
            SERVER,
            ["--batch-client", "exec:no-such-driver"],
            "--batch-client does not apply to this run, which tests a server: remove it, or add suites/client",
        ),
        (
            CLIENT,
            ["--batch-target=http://127.0.0.1:9", "--batch-id", "batch_abc123"],
            "--batch-target and --batch-id do not apply to this run, which tests a client: remove them, or add "
            "suites/server",
        ),
        (
            SERVER,
            ["--batch-recorded", "*.json"],
            "--batch-recorded does not apply to this run, which tests a server: remove it, or add suites/recorded",
        ),
    ],
)
def test_an_option_for_another_side_is_refused(
    tmp_path: Path, workers: tuple[str, ...], suite: str, arguments: list[str], line: str
) -> None:
    """A green verdict on one side must not be taken for one on the other."""
    ended = run(tmp_path, suite, *workers, *arguments, SYNC_API_KEY="k-1234567890")
    assert ended.status == WRONG_USAGE, ended.text
    assert line in ended.text
    assert "Traceback" not in ended.text
    assert not (tmp_path / "reports/latest/conformance.json").exists()


def test_an_option_for_a_deselected_side_is_refused(tmp_path: Path) -> None:
    """A deselected suite counts as missing."""
    ended = run(tmp_path, SERVER, CLIENT, "-k", "client.request", "--batch-target=embedded")
    line = "--batch-target does not apply to this run, which tests a client: remove it, or add suites/server"
    tells(ended, WRONG_USAGE, line)


def test_an_option_in_a_run_without_a_subject_is_refused(tmp_path: Path) -> None:
    """The repository's own tests test no client."""
    (tmp_path / "test_own.py").write_text("def test_own(): pass\n")
    ended = run(tmp_path, "test_own.py", "--batch-client=embedded")
    line = "--batch-client does not apply to this run, which tests nothing: remove it, or add suites/client"
    tells(ended, WRONG_USAGE, line)


def test_an_option_for_another_side_in_addopts_is_reported(tmp_path: Path) -> None:
    """A repository's settings apply to each of its runs."""
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --batch-client exec:no-such-driver\n")
    ended = run(tmp_path, "-c", "pytest.ini", SERVER, "--batch-profile", "quick")
    assert ended.status == 0, ended.text
    assert "--batch-client was unused in this run, which tested: server" in ended.text


def resolved(spec: str, folder: Path, **settings: Any) -> Target:
    """Return the target, resolved with a key in the environment."""
    environ = {"SYNC_API_KEY": "k-1234567890", "SPACED": " k-1234567890", "WIDE": "schlüssel"}
    return resolve_target(spec, start=folder, environ=environ, **settings)


@pytest.mark.parametrize(
    ("spec", "settings", "line"),
    [
        ("ftp://127.0.0.1", {}, "'ftp://127.0.0.1' is not an http(s) URL such as"),
        ("http://127.0.0.1:99999", {}, "'http://127.0.0.1:99999' is not an http(s) URL"),
        ("http://127.0.0.1:0", {}, "'http://127.0.0.1:0' is not an http(s) URL"),
        ("http://a b", {}, "'http://a b' is not an http(s) URL"),
        ("http://user:secret@127.0.0.1", {}, "the target's URL has credentials, a query or a fragment"),
        ("http://127.0.0.1?x=1", {}, "the target's URL has credentials, a query or a fragment"),
        ("http://127.0.0.1/#x", {}, "the target's URL has credentials, a query or a fragment"),
        ("local", {"api_key_env": "STAGING_KEY"}, "no API key: set the environment variable STAGING_KEY"),
        ("local", {"api_key_env": "SPACED"}, "the API key in SPACED has white space around it"),
        (
            "local",
            {"api_key_env": "WIDE"},
            "the API key in WIDE has white space around it or characters no header",
        ),
        ("local", {"rate": "8"}, "rate '8' is not of the form N/s or N/min, e.g. --batch-rate 8/s"),
        ("local", {"rate": "0/s"}, "rate '0/s' is not of the form"),
        ("production", {}, "'production' is the production server: add --batch-allow-production"),
        ("https://api.sync.so/v2", {}, "'https://api.sync.so/v2' is the production server"),
        ("https://API.SYNC.SO.", {}, "'https://API.SYNC.SO.' is the production server"),
        ("http://api.sync.so:80", {}, "'http://api.sync.so:80' is the production server"),
    ],
)
def test_invalid_targets(spec: str, settings: dict[str, str], line: str, tmp_path: Path) -> None:
    """Each gets its one line; credentials in a URL are not repeated."""
    with pytest.raises(UsageError) as raised:
        resolved(spec, tmp_path, **settings)
    assert str(raised.value).startswith(line)
    assert len(str(raised.value).splitlines()) == 1
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("spec", "settings", "url", "rate"),
    [
        ("http://127.0.0.1:3001/", {}, "http://127.0.0.1:3001", None),
        ("http://127.0.0.1:3001/prefix/", {"rate": "30/min"}, "http://127.0.0.1:3001/prefix", 0.5),
        ("http://[::1]:3001", {}, "http://[::1]:3001", None),
        ("local", {}, "http://localhost:3001", None),
        ("dev", {}, "https://dev-api.sync.so", 8.0),
        ("dev", {"rate": "2.5/s"}, "https://dev-api.sync.so", 2.5),
        ("production", {"allow_production": True}, "https://api.sync.so", 8.0),
        ("https://staging.example", {}, "https://staging.example", 8.0),
    ],
)
def test_valid_targets(spec: str, settings: dict[str, Any], url: str, rate: float | None, tmp_path: Path) -> None:
    """Every target that is not on this machine gets a rate limit."""
    target = resolved(spec, tmp_path, **settings)
    assert (target.url, target.rate, target.api_key) == (url, rate, "k-1234567890")
    assert "k-1234567890" not in repr(target)


@pytest.mark.parametrize(
    ("option", "line"),
    [
        ("--batch-profile=fast", "--batch-profile 'fast': known are quick, default, thorough"),
        ("--batch-transport=respxx", "--batch-transport 'respxx': known are loopback, respx"),
    ],
)
def test_an_unknown_value_is_one_line(option: str, line: str, tmp_path: Path) -> None:
    """Without the usage that argparse prints."""
    ended = run(tmp_path, SERVER, option)
    tells(ended, WRONG_USAGE, line)
    assert "usage:" not in ended.text


def test_strict_with_an_unknown_flag(tmp_path: Path) -> None:
    """Pytest refuses it: a typing error must not loosen a check silently."""
    ended = run(tmp_path, SERVER, "--batch-strict", "--batch-stricter")
    assert ended.status == WRONG_USAGE
    assert len(lines_with(ended, "unrecognized arguments: --batch-stricter")) == 1
    assert "Traceback" not in ended.text


def test_an_unusable_report_directory(tmp_path: Path) -> None:
    """It is detected before the run, not after it."""
    (tmp_path / "taken").write_text("")
    ended = run(tmp_path, SERVER, "--batch-report", "taken/reports")
    tells(ended, WRONG_USAGE, f"reports cannot be written to {tmp_path}/taken/reports: Not a directory")


_TABLES: dict[str, tuple[str, str]] = {
    "not TOML": ("[tool.batch_conformance.targets.mine\n", ": not valid TOML: "),
    "no table": (
        "[tool.batch_conformance]\ntargets = 1",
        ": [tool.batch_conformance.targets] is not a table of targets",
    ),
    "no table of its own": ('[tool.batch_conformance.targets]\nmine = "x"', ".mine] is not a table"),
    "no url": ("[tool.batch_conformance.targets.mine]\nrate = '8/s'", ".mine] has no url"),
    "url is no string": (
        "[tool.batch_conformance.targets.mine]\nurl = 1",
        ".mine] field 'url' is not a string",
    ),
    "url is none": (
        "[tool.batch_conformance.targets.mine]\nurl = 'nowhere'",
        "'nowhere' is not an http(s) URL",
    ),
    "unknown field": (
        "[tool.batch_conformance.targets.mine]\nurl = 'http://127.0.0.1'\nids = []",
        ".mine] has an unknown field 'ids': known are url, api_key_env, batch_ids, rate",
    ),
    "ids are no strings": (
        "[tool.batch_conformance.targets.mine]\nurl = 'http://127.0.0.1'\nbatch_ids = [1]",
        ".mine] field 'batch_ids' is not an array of strings",
    ),
    "a key in the file": (
        f"[tool.batch_conformance.targets.mine]\nurl = 'http://127.0.0.1'\napi_key = '{REFERENCE_KEY}'",
        ".mine] holds an API key: name its environment variable with api_key_env instead",
    ),
    "no rate": (
        "[tool.batch_conformance.targets.mine]\nurl = 'http://127.0.0.1'\nrate = 'fast'",
        "rate 'fast' is not of the form N/s or N/min",
    ),
    "another name": (
        "[tool.batch_conformance.targets.other]\nurl = 'http://127.0.0.1'",
        "local, other, or an",
    ),
}


@pytest.mark.parametrize(("table", "words"), _TABLES.values(), ids=list(_TABLES))
def test_malformed_pyproject_tables(tmp_path: Path, table: str, words: str) -> None:
    """The line names file, table and error; a key in the table is not repeated."""
    (tmp_path / "pyproject.toml").write_text(table)
    with pytest.raises(UsageError) as raised:
        resolved("mine", tmp_path)
    assert words in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1
    assert REFERENCE_KEY not in str(raised.value)


def test_malformed_pyproject_table(tmp_path: Path) -> None:
    """A whole run reports it."""
    (tmp_path / "pyproject.toml").write_text("[tool.batch_conformance.targets.mine]\nurl = 1")
    ended = run(tmp_path, SERVER, "--batch-target", "mine", SYNC_API_KEY="k-1234567890")
    table = f"{tmp_path}/pyproject.toml: [tool.batch_conformance.targets.mine]"
    tells(ended, WRONG_USAGE, f"{table} field 'url' is not a string")


def test_a_target_of_the_nearest_pyproject(tmp_path: Path) -> None:
    """It has a key, ids and a rate of its own; the command line takes precedence."""
    (tmp_path / "pyproject.toml").write_text(
        "[tool.batch_conformance.targets.mine]\nurl = 'https://x.example/api/'\napi_key_env = 'OWN'\n"
        "batch_ids = ['a', 'b']\nrate = '3/s'"
    )
    inner = tmp_path / "tests" / "deep"
    inner.mkdir(parents=True)
    target = resolve_target("mine", start=inner, environ={"OWN": "k-own"})
    assert (target.url, target.api_key, target.api_key_env) == ("https://x.example/api", "k-own", "OWN")
    assert (target.batch_ids, target.rate) == (("a", "b"), 3.0)
    target = resolve_target("mine", start=inner, batch_ids=["c"], api_key_env="K", rate="1/s", environ={"K": "k-other"})
    assert (target.batch_ids, target.api_key, target.rate) == (("c",), "k-other", 1.0)


def test_closed_port(tmp_path: Path) -> None:
    """Nothing listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        ended = run(tmp_path, SERVER, "--batch-target", url, SYNC_API_KEY=REFERENCE_KEY)
    tells(ended, COULD_NOT_RUN, f"{url} cannot be reached: the connection failed: Connection refused")
    assert ended.report()["verdict"] == "error"
    assert set(ended.verdicts().values()) == {"error"}


@pytest.mark.parametrize(
    ("key", "ids", "line"),
    [
        (
            "sk-unknown-1234",
            ["batch_abc123"],
            "{} refuses the API key of SYNC_API_KEY (401 on the known batch batch_abc123)",
        ),
        (
            REFERENCE_KEY,
            ["batch_x", "batch_y"],
            "{} knows none of the batch ids given as existing (batch_x, batch_y): every read is a 404",
        ),
    ],
    ids=["key refused", "unknown ids"],
)
def test_unknown_key_and_ids(tmp_path: Path, key: str, ids: list[str], line: str) -> None:
    """The target is not at fault: there is no verdict."""
    with serving_hostile(hostile.never) as server:
        named = [f"--batch-id={value}" for value in ids]
        ended = run(tmp_path, SERVER, "--batch-target", server.url, *named, SYNC_API_KEY=key)
        tells(ended, COULD_NOT_RUN, line.format(server.url))
        assert len(server.asked) < 20


def test_wrong_settings_in_the_ini_file_are_wrong_usage_too(tmp_path: Path) -> None:
    """They are reported as on the command line."""
    ended = run(tmp_path, SERVER, "-o", "batch_profile=huge")
    tells(ended, WRONG_USAGE, "batch_profile = 'huge' in the ini file: known are quick, default, thorough")


def test_a_selection_of_nothing_is_no_success(tmp_path: Path) -> None:
    """A mistyped -k must not turn a job green."""
    ended = run(tmp_path, SERVER, "-k", "server.auth.misspelt")
    assert ended.status not in (0, 1)


def test_a_run_in_which_nothing_was_exercised_is_no_success(tmp_path: Path) -> None:
    """A target that never returns 429 has not shown how it does."""
    with serving_hostile(hostile.never) as server:
        ended = run(
            tmp_path,
            SERVER,
            f"--batch-target={server.url}",
            "--batch-id=batch_abc123",
            "-k",
            "server.rate.429",
            SYNC_API_KEY=REFERENCE_KEY,
        )
    assert ended.status == COULD_NOT_RUN
    assert ended.report("reports/latest/partial")["verdict"] == "error"
    assert ended.verdicts("reports/latest/partial")["server.rate.429"] == "not-exercised"
