"""Cases for ``client.decode.transfer``: one batch in the encodings of JSON and HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from batch_conformance.client_runner.cases.case import CallStep, Case, CaseFactory, possible
from batch_conformance.client_runner.stub.answers import StubResponse, json_body
from batch_conformance.generate.batches import Style, written
from batch_conformance.generate.ordinary import NotInContract

#: Ways to send a body, by name.
WAYS: Mapping[str, Callable[[StubResponse], StubResponse]] = {
    "as it is": lambda answer: answer,
    "in chunks of one byte": lambda answer: answer.chunked(1),
    "with gzip": lambda answer: answer.gzipped(),
    "in one chunk": lambda answer: answer.chunked(),
    "without a length, up to the close": lambda answer: answer.until_close(),
    "with gzip in chunks": lambda answer: answer.gzipped().chunked(20),
    "with the connection closed behind": lambda answer: answer.closing(),
    "in pieces with pauses": lambda answer: answer.in_pieces(97, pause=0.02),
    "with a charset parameter": lambda answer: answer.as_type("application/json; charset=utf-8"),
    "with a media type in upper case": lambda answer: answer.as_type("APPLICATION/JSON"),
    "with header names in lower case": lambda answer: answer.in_lower_case(),
    "in chunks of seven bytes": lambda answer: answer.chunked(7),
}
_STYLES = {
    "escapes for all beyond ASCII": Style(escape="ascii"),
    "escapes for every character": Style(escape="all", upper=True),
    "escaped slashes": Style(escape="slash"),
    "members in reverse order": Style(backwards=True),
    "members in another order": Style(turn=3),
    "white space everywhere": Style(gap="\r\n\t ", around=" \n"),
}
_WIDE = {
    "outputUrl": "https://api.sync.so/v2/batches/größe/result?name=中文🎬&tail=ж",
    "webhookUrl": "https://hooks.example.com/é?to=Ünïcödé",
}


def transfer_cases(factory: CaseFactory) -> Iterator[Case]:
    """Yield cases with characters beyond ASCII, for each way of sending and each style of JSON alone."""
    for way in WAYS:
        yield transfer_case(factory, f"sent {way}", wide(factory, **_WIDE), Style(), way)
    for what, style in _STYLES.items():
        yield transfer_case(factory, f"written with {what}", wide(factory, **_WIDE), style, "as it is")
    for what, text in (
        ("line separators that are none to JSON", "one\u2028two\u2029three\u0085four"),
        ("escaped quotes", '"yes"'),
    ):
        url = f"https://hooks.example.com/x?note={text}"
        yield from possible(partial(_written_with, factory, what, url))


def _written_with(factory: CaseFactory, what: str, url: str) -> Case:
    return transfer_case(factory, f"written with {what}", factory.batch(webhookUrl=url), Style(), "as it is")


def wide(factory: CaseFactory, **texts: str) -> dict[str, Any]:
    """Return an ordinary batch with these texts, as far as the contract has members for them."""
    batch = factory.batch()
    for name, text in texts.items():
        with suppress(NotInContract):
            batch = factory.values.changed(batch, {name: text})
    return batch


def transfer_case(factory: CaseFactory, title: str, batch: Mapping[str, Any], style: Style, way: str) -> Case:
    """Make a case with a batch in a style of JSON and a way of sending."""
    return Case(title, ("client.decode.transfer",), (transfer_step(factory, batch, style, way),))


def transfer_step(factory: CaseFactory, batch: Mapping[str, Any], style: Style, way: str) -> CallStep:
    """Make a call step whose response is this batch in a style of JSON and a way of sending."""
    answer = json_body(None).with_body(written(batch, style))
    return factory.valid(batch, WAYS[way](answer))
