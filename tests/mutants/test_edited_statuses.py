"""Contract edits about the statuses of errors: what servers may answer then, and what they state in bodies."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from batch_conformance.reference.server import Answer, Asked, ReferenceServer
from tests.support.edits import ERROR, retyped
from tests.support.judging import judged_server, red, shown
from tests.support.overlays import GET, update, using

_AGREES = "server.error.status-agrees"
_AS_TEXT = retyped(f"{ERROR}.properties.statusCode", {"type": "string", "pattern": "^[45][0-9][0-9]$"})


class _Stating(ReferenceServer):
    """States a status in errors as text: the real one, or always ``stated``."""

    stated = ""

    def answer(self, asked: Asked) -> Answer:
        answer = super().answer(asked)
        if isinstance(answer.body, dict) and "statusCode" in answer.body:
            answer.body = {**answer.body, "statusCode": self.stated or str(answer.status)}
        return answer


class _Stating418(_Stating):
    stated = "418"


@pytest.mark.parametrize(("server", "broken"), [(_Stating, set()), (_Stating418, {_AGREES, "server.rate.429"})])
def test_a_status_as_text_is_compared(tmp_path: Path, server: type[ReferenceServer], broken: set[str]) -> None:
    """Where the contract wants it as text."""
    with using(tmp_path, *_AS_TEXT):
        run = judged_server(server())
    verdicts: dict[str, Any] = {row.clause.id: row.verdict for row in run.results}
    assert red(run) == broken, shown(run)
    assert verdicts[_AGREES] == ("fail" if broken else "pass")


class _Refusing(ReferenceServer):
    """Refuses malformed ids, and with ``all_ids`` all unknown ones."""

    all_ids = False

    def not_found(self, asked: Asked) -> Answer:
        form = self.all_ids or not re.fullmatch(rb"batch_[A-Za-z0-9]{6}", asked.segment or b"")
        return self.error(422, "no such id") if asked.segment and form else super().not_found(asked)


class _RefusingAll(_Refusing):
    all_ids = True


_REFUSED = (
    update(f"{GET}.responses", {"422": {"description": "A malformed id.", "content": {
        "application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}}),
)  # fmt: skip
_UNKNOWN, _NEAR, _HOSTILE = (f"server.notfound.{name}" for name in ("unknown-id", "near-id", "hostile-id-404"))


@pytest.mark.parametrize(
    ("server", "actions", "broken"),
    [(_Refusing, _REFUSED, set()), (_Refusing, _AS_TEXT, {_NEAR, _HOSTILE}), (_RefusingAll, _REFUSED, {_UNKNOWN})],
    ids=["documented", "not documented", "well-formed ids too"],
)
def test_a_malformed_id_may_be_refused_with_a_documented_422(
    tmp_path: Path, server: type[ReferenceServer], actions: Any, broken: set[str]
) -> None:
    """An unknown id in the form of the known ones is not malformed (decision 18)."""
    with using(tmp_path, *actions):
        run = judged_server(server())
    assert broken <= red(run), shown(run)
    assert broken or not red(run), shown(run)
