"""A planted key: whatever a server does with it, it is in nothing that the suite writes or prints."""

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
#: A piece of the key of this length says too much.
TELLING = 10


class Echoing(ReferenceServer):
    """Breaks promises, so that there is evidence; fills it with the key in every spelling, and with what was sent."""

    def __init__(self) -> None:
        super().__init__(keys=(KEY,))
        self.asked = 0

    def answer(self, asked: Asked) -> Answer:
        """An answer that tells all it knows."""
        heard = " ".join(value.decode("latin-1") for _, value in asked.headers) + asked.query.decode(
            "latin-1"
        )
        sent = json.dumps(heard) + base64.b64encode(heard.encode()).decode() + repr(asked)
        told = {name: spell(KEY) for name, spell in SPELLINGS.items()}
        answer = super().answer(asked)
        wrong = {
            "created_at": f"2024 {KEY}",
            "outputUrl": KEY,
            "status": KEY,
            "webhookUrl": [told],
            KEY: sent,
        }
        # Judges quote the first 200 characters: the key is to stand across that border, here and there.
        self.asked += 1
        pad = "x" * (150 + self.asked * 7 % 45)
        said = {"message": "; ".join([pad + KEY, sent, *told.values()]), "statusCode": sent}
        more = wrong if answer.status == 200 else said
        listed = isinstance(answer.body, list)
        answer.body = [{**row, **more} for row in answer.body] if listed else {**answer.body, **more}
        answer.headers += [
            ("X-Key", KEY),
            ("Set-Cookie", f"k={quote(KEY, safe='')}"),
            ("X-Sent", json.dumps(sent)),
        ]
        return answer


def written(ended: CompletedRun) -> Iterator[tuple[str, str]]:
    """All that a run left behind, with where it is."""
    yield "terminal", ended.text
    for file in sorted(ended.folder.rglob("*")):
        if file.is_file():
            yield file.name, file.read_text("utf-8", "surrogateescape")


def given_away(text: str) -> list[str]:
    """Pieces of the key in a text: as they are, and in base64, where a piece is not seen."""
    pieces = {KEY[at : at + TELLING] for at in range(len(KEY) - TELLING + 1)}
    encoded = {base64.b64encode(KEY[at:].encode()).decode()[:14] for at in range(3)}
    return sorted(piece for piece in pieces | encoded | {KEY[:12][::-1]} if piece in text)


@pytest.fixture(scope="module")
def echoed(tmp_path_factory: pytest.TempPathFactory) -> CompletedRun:
    """A run against a server that gives away all it gets, with everything that pytest can be made to show."""
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
    """Else nothing would be proved: the clauses about it failed, and what was found is shown under other names."""
    assert echoed.status == 1
    verdicts = echoed.verdicts()
    assert verdicts["server.auth.no-disclosure"] == verdicts["server.body.created_at"] == "fail"
    names = {name for name, _ in written(echoed)}
    assert names >= {"conformance.json", "conformance.html", "conformance.md", "junit.xml", "summary.md"}
    for name, text in written(echoed):
        if name.startswith(("conformance", "terminal", "junit")):
            assert "[api-key]" in text, name


def test_the_key_is_nowhere(echoed: CompletedRun) -> None:
    """Not in the terminal, not in a report, not in JUnit, not in GitHub's summary; nor is a piece that tells it."""
    for name, text in written(echoed):
        assert given_away(text) == [], name
        for spelling, spell in SPELLINGS.items():
            assert spell(KEY) not in text, f"{spelling} in {name}"


def test_a_key_that_is_given_away_is_noticed(tmp_path: Path) -> None:
    """The search above can fail."""
    assert given_away(f"x{KEY}x")
    assert given_away(base64.b64encode(f"user:{KEY}".encode()).decode())
    assert given_away(f"the first half: {KEY[: len(KEY) // 2]}")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "log").write_text(KEY)
    assert [name for name, text in written(CompletedRun(0, "", "", tmp_path)) if given_away(text)] == ["log"]


@pytest.mark.parametrize("place", ["url", "ids", "report"])
def test_the_key_in_the_wrong_option_is_not_repeated(tmp_path: Path, place: str) -> None:
    """People paste keys where they do not belong."""
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
