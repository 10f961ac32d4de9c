"""Updating a known-failures file: the changes it makes, and that nothing else is lost."""

from __future__ import annotations

import os
import stat
import tempfile
import tomllib
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from batch_conformance.checks.verdict import ClauseVerdict
from batch_conformance.known_failures import (
    KnownFailuresNotWritten,
    Observations,
    observe,
    read_known_failures,
    update,
    update_known_failures,
)
from batch_conformance.known_failures.update import toml_string
from tests.support import samples

TODAY = date(2026, 11, 23)
BEFORE = """\
# Accepted by the batch team. Ask in #batch before adding any.
[[known_failure]]  # the oldest
clause = 'server.body.id'
# numbers since the migration
evidence = [ # seen on staging
  { code = "type", pointer = "/id", operation = "get" }, # new ids

  # imported ids
  { code = "echo", pointer = '/id' }  # old ids
] # end
reason = "ids # are = numbers [sic]"
issue = "https://acme.example/issues/7"
expires = 2027-01-31

# --- counting -------------------------------

# goes away with the rewrite
[[known_failure]]
clause = "server.body.metrics-sum"
evidence = [{ code = "metrics-sum", pointer = "/metrics" }]
reason = \"\"\"
[[known_failure]]
in a text is none\"\"\"
issue = "https://acme.example/issues/8"
expires = 2027-01-31

# the last one
[[known_failure]]
issue = "https://acme.example/issues/9"
expires = 2026-01-31
reason = "not for this run"
clause = "client.error.401"
evidence = [{ code = "kind" }]
# end of file"""


Row = tuple[str, str, str, str, str]
#: Ids that are numbers, in upper case, and missing.
NUMBER: Row = ("type", "/id", "get", "id of a FAILED batch", "5")
SHOUTED: Row = ("echo", "/id", "get", "id of a FAILED batch", '"BATCH_1"')
MISSING: Row = ("required", "/id", "get", "id of a FAILED batch", "absent")


def seen(verdict: ClauseVerdict, *evidence: Row) -> Observations:
    """Return an observation of the first clause of BEFORE."""
    return {"server.body.id": {"verdict": verdict, "evidence": list(evidence)}}


def updated(text: str, observations: Observations) -> tuple[str, list[str]]:
    """Return the text after an update, and the messages of the update."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "known.toml"
        path.write_bytes(text.encode())
        messages = update_known_failures(path, observations, today=TODAY, shown="known.toml")
        assert list(path.parent.iterdir()) == [path]
        return path.read_bytes().decode(), messages


def test_a_stale_entry_is_removed_with_its_comments() -> None:
    """The comments at the top of the file, and those of a section, belong to no entry."""
    after, messages = updated(BEFORE, seen("pass") | {"server.body.metrics-sum": {"verdict": "pass", "evidence": []}})
    first = "# Accepted by the batch team. Ask in #batch before adding any.\n"
    assert (
        after
        == first
        + "# --- counting"
        + BEFORE.split("# --- counting")[1].split("# goes")[0]
        + BEFORE[BEFORE.index("# the last one") :]
    )
    assert messages == [
        "known.toml: removed entry 1 (server.body.id), https://acme.example/issues/7: the clause passes now",
        "known.toml: removed entry 2 (server.body.metrics-sum), https://acme.example/issues/8: the clause passes now",
    ]


def test_changed_evidence_is_replaced_in_place() -> None:
    """Reason, issue and date are written by a person, who is told to review them."""
    after, messages = updated(BEFORE, seen("fail", MISSING))
    removed = BEFORE[BEFORE.index("\n  { code") : BEFORE.index("\n] # end")]
    assert after == BEFORE.replace(removed, '\n  { code = "required", pointer = "/id", operation = "get" },')
    assert messages == [
        "known.toml: changed the evidence of entry 1 (server.body.id): "
        "check that https://acme.example/issues/7 is still about it"
    ]


def test_stale_evidence_is_removed_alone() -> None:
    """A new failure beside a known one gets an entry of its own, since the old reason does not apply."""
    after, messages = updated(BEFORE, seen("fail", SHOUTED, MISSING))
    removed = '\n  { code = "type", pointer = "/id", operation = "get" }, # new ids'
    draft = """

[[known_failure]]
clause = "server.body.id"
evidence = [
  { code = "required", pointer = "/id", operation = "get" },
]
reason = "TODO: why this may fail for now"
issue = "TODO: link to the issue"
expires = 2027-02-21  # 90 days from the draft: agree on a date
"""
    assert after == BEFORE.replace(removed, "") + draft
    assert messages == [
        "known.toml: removed evidence of entry 1 (server.body.id) that no longer shows",
        "known.toml: added entry 4 (server.body.id) as a draft: give it a reason and an issue",
    ]


OLD = """\
[[known_failure]]
clause = "server.body.id"
evidence = [
  # numbers since the migration
  { message = "id of a * batch", actual = "#" }, # new ids
  { message = "id of a * batch: gone" }, # gone
  { message = "id*", actual = "*" } # all sorts
]
reason = "odd ids"
issue = "https://acme.example/issues/7"
expires = 2027-01-31
"""


def test_sentences_are_rewritten_in_place() -> None:
    """The new items have the meaning of the sentence in this run; comments, reason, issue and date stay."""
    after, messages = updated(OLD, seen("fail", NUMBER, SHOUTED, MISSING))
    assert after == OLD.replace(
        '{ message = "id of a * batch", actual = "#" }', '{ code = "type", pointer = "/id", operation = "get" }'
    ).replace('  { message = "id of a * batch: gone" }, # gone\n', "").replace(
        '{ message = "id*", actual = "*" }',
        '{ code = "echo", pointer = "/id", operation = "get" },\n'
        '  { code = "required", pointer = "/id", operation = "get" }',
    )
    assert messages == [
        "known.toml: rewrote the evidence of entry 1 (server.body.id) from sentences to codes: "
        "check that https://acme.example/issues/7 is about all of it",
        "known.toml: removed evidence of entry 1 (server.body.id) that no longer shows or that another piece names "
        "as well",
    ]
    assert updated(after, seen("fail", NUMBER, SHOUTED, MISSING))[1] == ["known.toml: nothing to change"]


def test_sentences_of_clauses_that_were_not_checked_stay() -> None:
    """Their meaning is unknown then."""
    after, messages = updated(OLD, {"server.body.status": {"verdict": "pass", "evidence": []}})
    assert (after, messages) == (OLD, ["known.toml: nothing to change"])


def test_an_expired_entry_is_not_renewed() -> None:
    """An automatic renewal would make the date meaningless."""
    observations: Observations = {
        "client.error.401": {"verdict": "fail", "evidence": [("kind", "", "get", "a 401 is odd", "x")]}
    }
    after, messages = updated(BEFORE, observations)
    assert after == BEFORE
    assert messages == [
        "known.toml: entry 3 (client.error.401) expired on 2026-01-31: only a person can renew it",
        "known.toml: nothing to change",
    ]


@pytest.mark.parametrize("text", [BEFORE, BEFORE.replace("\n", "\r\n")])
def test_line_breaks_stay_as_they_are(text: str) -> None:
    """A file with Windows line endings keeps them."""
    after, _ = updated(text, seen("fail", MISSING, ("status", "", "", "other", "")))
    assert after.count("\r\n") == (after.count("\n") if "\r" in text else 0)
    assert tomllib.loads(after)


def test_a_file_without_changes_is_not_written(tmp_path: Path) -> None:
    """Its modification time does not change."""
    path = tmp_path / "known.toml"
    path.write_text(BEFORE)
    os.utime(path, (1, 1))
    observations = seen("fail", NUMBER, SHOUTED)
    assert update_known_failures(path, observations, today=TODAY) == [f"{path}: nothing to change"]
    assert path.stat().st_mtime == 1


def test_a_link_stays_a_link_and_the_mode_stays(tmp_path: Path) -> None:
    """The file is replaced atomically, but not by a file of another kind."""
    path, link = tmp_path / "known.toml", tmp_path / "link.toml"
    path.write_text(BEFORE)
    path.chmod(0o640)
    link.symlink_to(path)
    update_known_failures(link, seen("pass"), today=TODAY)
    assert link.is_symlink()
    assert "server.body.id" not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


REFUSED = {
    "entries inline": "known_failure = [{clause='server.body.id', evidence=[{message='x'}], reason='r',"
    " issue='https://i', expires=2030-01-01}]\n",
    "evidence as tables": "[[known_failure]]\nclause='server.body.id'\nreason='r'\nissue='https://i'\n"
    "expires=2030-01-01\n[[known_failure.evidence]]\nmessage='x'\n",
    "a quoted key": "[[known_failure]]\nclause='server.body.id'\nreason='r'\nissue='https://i'\n"
    "expires=2030-01-01\n\"evidence\"=[{message='x'}]\n",
}


@pytest.mark.parametrize("form", REFUSED)
def test_an_unknown_form_is_left_unchanged(form: str, tmp_path: Path) -> None:
    """The file is applied to the run all the same; the update leaves what it cannot edit safely."""
    path = tmp_path / "known.toml"
    path.write_text(REFUSED[form])
    assert len(read_known_failures(path).entries) == 1
    with pytest.raises(KnownFailuresNotWritten, match=r"known.toml is left as it was: .*; write entries under"):
        update_known_failures(path, seen("fail", ("echo", "", "", "another", "")), today=TODAY)
    assert path.read_text() == REFUSED[form]


def test_a_wrong_edit_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new text is parsed and compared before it replaces the file."""
    path = tmp_path / "known.toml"
    path.write_text(BEFORE)
    monkeypatch.setattr(update, "edited", lambda text, _: text)
    with pytest.raises(KnownFailuresNotWritten, match="a form that the update does not know"):
        update_known_failures(path, seen("pass"), today=TODAY)
    assert path.read_text() == BEFORE


def test_a_file_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    """One line says so, and no temporary file is left."""
    path = tmp_path / "none" / "known.toml"
    with pytest.raises(KnownFailuresNotWritten, match="No such file or directory; make it writable"):
        update_known_failures(path, seen("fail", MISSING), today=TODAY)
    assert not path.parent.exists()


def test_an_unsettled_run_changes_nothing() -> None:
    """An interrupted run removes nothing, and so do clauses that were not checked."""
    run = samples.failing_server()
    assert {"server.rate.429", "server.body.metrics-sum"}.isdisjoint(observe(run))
    assert not observe(replace(run, incomplete=True))
    assert not observe(replace(run, error="gone"))
    assert list(observe(run, {"server.body.id"})) == ["server.body.id"]


def test_a_warning_gets_no_entry() -> None:
    """It does not fail the run, so there is nothing to excuse."""
    after, messages = updated("", seen("warn", MISSING))
    assert (after, messages) == ("", ["known.toml: nothing to change"])


def test_hostile_text_is_not_written() -> None:
    """The text has no key, no markup, and no command to a CI system; the meaning of the file is unchanged."""
    run = samples.hostile_run()
    pointer = f"/{samples.HOSTILE}/{samples.KEY}"
    run.results = [
        replace(
            result,
            verdict="fail",
            findings=tuple(replace(item, code="additionalProperties", pointer=pointer) for item in result.findings),
        )
        for result in run.results
        if result.findings
    ]
    after, _ = updated("", observe(run))
    for raw in (samples.KEY, "<script", "<img", "\x1b", "\u202e", "##[", "\r"):
        assert raw not in after
    assert not any(line.startswith("::") for line in after.splitlines())
    again, messages = updated(after, observe(run))
    assert (again, messages) == (after, ["known.toml: nothing to change"])


@given(st.text())
@example("##[error] ### ##")
def test_any_text_can_be_written(text: str) -> None:
    """Texts are written as TOML, in one line, without unprintable characters."""
    written = toml_string(text)
    assert written.isprintable()
    assert "<" not in written
    assert "##" not in written
    assert tomllib.loads(f"x = {written}")["x"] == text
