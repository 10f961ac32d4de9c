"""Contract edits of media types: requests ask for them, and stubs answer with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from batch_conformance.mutants.client.base import Faulty, adapter_of
from batch_conformance.reference.client import Answer, BatchError
from batch_conformance.reference.server import Answer as ServerAnswer
from batch_conformance.reference.server import Asked, ReferenceServer
from tests.support.generic_client import judged
from tests.support.judging import judged_server, red, shown
from tests.support.overlays import GET, remove, update, using

NAME = "application/vnd.sync+json"
SUCCESS = f"{GET}.responses['200']"


def _documented(place: str, name: str, schema: str) -> list[dict[str, Any]]:
    content = {name: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return [remove(f"{place}.content"), update(place, {"content": content})]


class _Strict(ReferenceServer):
    """Answers 406 to a request that does not accept the documented media type (RFC 9110, 15.5.7)."""

    def found(self, batch: Any, asked: Asked) -> ServerAnswer:
        accepted = b", ".join(asked.header(b"accept"))
        fits = any(name in accepted for name in (NAME.encode(), b"*/*"))
        return super().found(batch, asked) if fits else self.error(406, "Not acceptable")


def _client(successes: str, errors: str = "") -> Any:
    """Return a client that reads these media types only."""

    class Picky(Faulty):
        def read(self, answer: Answer) -> Any:
            expected = successes if answer.status < 300 else errors
            sent = answer.headers.get("content-type", "").partition(";")[0].lower()
            if expected and sent != expected:
                raise BatchError("other", f"a body of {sent}")
            return super().read(answer)

    return adapter_of(Picky, "picky")


def test_a_server_may_insist_on_the_documented_type(tmp_path: Path) -> None:
    """The Accept header of the suite's requests names it."""
    with using(tmp_path, *_documented(SUCCESS, NAME, "Batch")):
        run = judged_server(_Strict(), ["get"])
    assert not run.error
    # A request for something else may be answered by 406.
    assert not red(run), shown(run)


class _Version1(ReferenceServer):
    """Sends the version before the documented one."""

    def found(self, batch: Any, asked: Asked) -> ServerAnswer:
        answer = super().found(batch, asked)
        answer.media_type = "application/json; version=1"
        return answer


def test_a_documented_parameter_of_the_type_counts(tmp_path: Path) -> None:
    """The embedded server sends it."""
    with using(tmp_path, *_documented(SUCCESS, "application/json; version=2", "Batch")):
        assert red(judged_server(ReferenceServer(), ["get"])) == set()
        assert red(judged_server(_Version1(), ["get"])) == {"server.ok.media-type"}


@pytest.mark.parametrize(("read", "expected"), [(NAME, False), ("application/json", True)])
def test_clients_get_batches_in_the_documented_type(read: str, expected: bool, tmp_path: Path) -> None:
    """One that reads JSON alone does not follow the edited contract."""
    with using(tmp_path, *_documented(SUCCESS, NAME, "Batch")):
        run = judged(_client(read), ("decode.fields", "decode.transfer"))
    assert not run.error
    assert red(run) == ({"client.decode.fields"} if expected else set()), shown(run)


@pytest.mark.parametrize(("read", "expected"), [("application/problem+json", False), ("application/json", True)])
def test_clients_get_errors_in_the_documented_type(read: str, expected: bool, tmp_path: Path) -> None:
    """Each status has its own."""
    with using(tmp_path, *_documented(f"{GET}.responses['404']", "application/problem+json", "Error")):
        run = judged(_client("", read), ("error.404",), operations=["get"])
    assert not run.error
    assert ("client.error.404" in red(run)) is expected, shown(run)
