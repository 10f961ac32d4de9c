"""A planted key: whatever a server does with it, it is in no file and no output of the suite."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from batch_conformance.reference.server import Answer, Asked, ReferenceServer
from tests.support import hostile
from tests.support.hostile import serving_hostile
from tests.support.running import SERVER, CompletedRun, run
from tests.unit.test_exchange import SPELLINGS

KEY = "sk-planted/Hq7+Zt2=Vw9Lm4&Rb6Nc8"
#: Length of a part of the key that must not be shown.
TELLING = 10


class Echoing(ReferenceServer):
    """Breaks clauses, and fills the evidence with the key in every spelling and with the received request."""

    def __init__(self) -> None:
        super().__init__(keys=(KEY,))
        self.asked = 0

    def answer(self, asked: Asked) -> Answer:
        """Return a response that contains the request."""
        heard = " ".join(value.decode("latin-1") for _, value in asked.headers) + asked.query.decode("latin-1")
        sent = json.dumps(heard) + base64.b64encode(heard.encode()).decode() + repr(asked)
        spellings = {name: spell(KEY) for name, spell in SPELLINGS.items()}
        answer = super().answer(asked)
        wrong = {
            "created_at": f"2024 {KEY}",
            "outputUrl": KEY,
            "status": KEY,
            "webhookUrl": [spellings],
            KEY: sent,
        }
        # Checks quote the first 200 characters: some copies of the key cross that border.
        self.asked += 1
        pad = "x" * (150 + self.asked * 7 % 45)
        error = {"message": "; ".join([pad + KEY, sent, *spellings.values()]), "statusCode": sent}
        more = wrong if answer.status == 200 else error
        listed = isinstance(answer.body, list)
        answer.body = [{**row, **more} for row in answer.body] if listed else {**answer.body, **more}
        answer.headers += [
            ("X-Key", KEY),
            ("Set-Cookie", f"k={quote(KEY, safe='')}"),
            ("X-Sent", json.dumps(sent)),
        ]
        return answer


def written(ended: CompletedRun) -> Iterator[tuple[str, str]]:
    """Return all output and files of a run, with their places."""
    yield "terminal", ended.text
    for file in sorted(ended.folder.rglob("*")):
        if file.is_file():
            yield file.name, file.read_text("utf-8", "surrogateescape")


def given_away(text: str) -> list[str]:
    """Return the parts of the key in a text, plain and in base64."""
    pieces = {KEY[at : at + TELLING] for at in range(len(KEY) - TELLING + 1)}
    encoded = {base64.b64encode(KEY[at:].encode()).decode()[:14] for at in range(3)}
    return sorted(piece for piece in pieces | encoded | {KEY[:12][::-1]} if piece in text)


@pytest.fixture(scope="module")
def echoed(tmp_path_factory: pytest.TempPathFactory) -> CompletedRun:
    """A run on a server that echoes everything, with all outputs of pytest enabled."""
    with serving_hostile(hostile.never, app=Echoing()) as server:
        return run(
            tmp_path_factory.mktemp("echoed"),
            SERVER,
            "-vv",
            "-rA",
            "--showlocals",
            "--tb=long",
            "--junitxml=junit.xml",
            f"--batch-target={server.url}",
            "--batch-id=batch_abc123",
            "--batch-profile=quick",
            SYNC_API_KEY=KEY,
            GITHUB_ACTIONS="true",
            GITHUB_STEP_SUMMARY="summary.md",
        )


def test_there_is_evidence_of_the_key(echoed: CompletedRun) -> None:
    """The clauses about the key failed, and the evidence shows it under other names."""
    assert echoed.status == 1
    verdicts = echoed.verdicts()
    assert verdicts["server.auth.no-disclosure"] == verdicts["server.body.created_at"] == "fail"
    names = {name for name, _ in written(echoed)}
    assert names >= {"conformance.json", "conformance.html", "conformance.md", "junit.xml", "summary.md"}
    for name, text in written(echoed):
        if name.startswith(("conformance", "terminal", "junit")):
            assert "[api-key]" in text, name


def test_the_key_is_nowhere(echoed: CompletedRun) -> None:
    """It is in no terminal, report, JUnit file or GitHub summary; nor is a telling part of it."""
    for name, text in written(echoed):
        assert given_away(text) == [], name
        for spelling, spell in SPELLINGS.items():
            assert spell(KEY) not in text, f"{spelling} in {name}"


def test_a_leaked_key_is_noticed(tmp_path: Path) -> None:
    """The search above can fail."""
    assert given_away(f"x{KEY}x")
    assert given_away(base64.b64encode(f"user:{KEY}".encode()).decode())
    assert given_away(f"the first half: {KEY[: len(KEY) // 2]}")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "log").write_text(KEY)
    assert [name for name, text in written(CompletedRun(0, "", "", tmp_path)) if given_away(text)] == ["log"]


@pytest.mark.parametrize("place", ["url", "ids", "report"])
def test_the_key_in_the_wrong_option_is_not_repeated(tmp_path: Path, place: str) -> None:
    """Users paste keys into the wrong options."""
    with serving_hostile(hostile.never) as server:
        options = {
            "url": [f"--batch-target={server.url.replace('//', f'//user:{KEY[3:9]}@')}"],
            "ids": [f"--batch-target={server.url}", f"--batch-id={KEY}"],
            "report": [f"--batch-target={server.url}", f"--batch-id={KEY}", "--junitxml=junit.xml"],
        }[place]
        ended = run(tmp_path, SERVER, "--batch-profile=quick", *options, SYNC_API_KEY=KEY)
    assert ended.status in (3, 4)
    for name, text in written(ended):
        assert given_away(text) == [], name
        assert f":{KEY[3:9]}@" not in text, name
