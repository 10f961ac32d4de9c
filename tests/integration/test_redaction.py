"""Redaction in reports: keys however escaped or cut, cookies, signed URLs, e-mail addresses."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from batch_conformance.checks.finding import Finding
from batch_conformance.http import Exchange, Intent, Redactor, Request, Response
from batch_conformance.recorded import judge_recorded
from batch_conformance.report.document import report_document
from batch_conformance.report.files import write_reports
from tests.support import samples
from tests.support.overlays import LIST, update, using

KEY = "sk-live-Zq84hTn20vBx7Lw61Yp"


def _every(form: str) -> Callable[[str], str]:
    return lambda text: "".join(form.format(ord(char)) for char in text)


def _some(form: str) -> Callable[[str], str]:
    return lambda text: "".join(form.format(ord(char)) if at % 3 else char for at, char in enumerate(text))


ESCAPES: dict[str, Callable[[str], str]] = {
    "JSON": _every(r"\u{:04x}"),
    "JSON in capitals": _every(r"\u{:04X}"),
    "JSON, partly": _some(r"\u{:04x}"),
    "JSON in JSON": lambda text: json.dumps(json.dumps(_every(r"\u{:04x}")(text)))[3:-3],
    "C": _every(r"\x{:02x}"),
    "octal": _every(r"\{:03o}"),
    "JavaScript": _every(r"\u{{{:x}}}"),
    "Python": _every(r"\U{:08X}"),
    "percent": _every("%{:02x}"),
    "percent in capitals": _every("%{:02X}"),
    "percent, partly": _some("%{:02X}"),
    "percent twice": lambda text: quote(_every("%{:02X}")(text)),
    "percent thrice": lambda text: quote(quote(_every("%{:02X}")(text))),
    "percent, UTF-16": _every("%u{:04x}"),
    "HTML": _every("&#{:d};"),
    "HTML in hexadecimal": _every("&#x{:02X};"),
    "HTML without semicolons": lambda text: "".join(f"&#{ord(char)}" for char in text) + ";",
    "HTML in HTML": _every("&amp;#{:d};"),
    "HTML in URL": lambda text: quote(_every("&#{:d};")(text), safe=""),
    "percent in JSON": lambda text: _every(r"\u{:04x}")(_every("%{:02x}")(text)),
    "JSON in percent in HTML": lambda text: _some("&#{:d};")(quote(_some(r"\u{:04x}")(text), safe="")),
}


def _redactor() -> Redactor:
    redactor = Redactor()
    redactor.add(KEY, "[api-key]", pieces="[part of api-key]")
    return redactor


@pytest.mark.parametrize("escape", ESCAPES)
@pytest.mark.parametrize("before", ["", "x", '{"message":"', "https://h/?q="])
def test_a_key_in_escapes_is_hidden(escape: str, before: str) -> None:
    """The whole key at any depth of escapes; the surroundings stay."""
    assert _redactor().text(f"{before}{ESCAPES[escape](KEY)} after") == f"{before}[api-key] after"


@pytest.mark.parametrize("escape", ["JSON", "percent, partly", "HTML"])
@pytest.mark.parametrize(("start", "end"), [(6, 20), (1, 10), (9, 26), (5, 22)])
def test_a_piece_from_the_middle_is_hidden(escape: str, start: int, end: int) -> None:
    """It may be escaped."""
    piece = KEY[start:end]
    assert _redactor().text(f"got '{piece}'.") == "got '[part of api-key]'."
    assert _redactor().text(f"got '{ESCAPES[escape](piece)}'.") == "got '[part of api-key]'."
    assert _redactor().text(f"got {piece.encode().hex()}.") == "got [part of api-key]."


def test_texts_without_secrets_are_unchanged() -> None:
    """Escapes of other texts, short pieces, ordinary prose."""
    redactor = _redactor()
    for text in (
        r"caf\u00e9 100% &amp; more \\u0041 \n",
        KEY[3:11],
        'Cookie: a header of "x", and more; x != y',
        "see decision 12; a=b, c=d; https://h/v2/batch/batch_1?status=COMPLETED&created_after=2024-01-15",
        "pkg@1.2.3, @sync.so/sdk, me@home, a@b",
        "https://h/?token=[api-key without its last character]&x=1",
        "monkey=1 and keyed: x=2",
    ):
        assert redactor.text(text) == text


URLS = [
    ("https://b.s3.amazonaws.com/o?X-Amz-Date=1&X-Amz-Signature=SECRET", "X-Amz-Signature"),
    ("https://h/o?Expires=9&Signature=SECRET&Key-Pair-Id=SECRET", "Signature"),
    ("https://h/o?sv=1&sig=SECRET", "sig"),
    ("https://h/o?token=SECRET#top", "token"),
    ("https://h/o?X-Goog-Signature=SECRET", "X-Goog-Signature"),
    ("https://h/o#access_token=SECRET", "access_token"),
    (r"https:\/\/h\/o?a=1\u0026sig=SECRET", "sig"),
    ("https://h/o?a=1&amp;sig=SECRET", "sig"),
    ("https://h/login?next=https%3A%2F%2Fh%2Fo%3Fsig%3DSECRET%26a%3D1", "sig"),
    ("https://user:SECRET@h/o", "userinfo"),
    ("Set-Cookie: sid=SECRET; Path=/; HttpOnly", "sid"),
    ('{"set-cookie": ["sid=SECRET; Path=/", "x"]}', "sid"),
    ("('Cookie', 'a=SECRET; b=SECRET')", "Cookie"),
    ('"cookie": "a=SECRET"', "cookie"),
    ("cookie: a=SECRET and prose; b=SECRET c=SECRET", "cookie"),
]


@pytest.mark.parametrize(("text", "name"), URLS)
@pytest.mark.parametrize("secret", ["q7", "aGVsbG8tdGhlcmU%2Bwide%3D", "1.2-3_4~5"])
def test_cookies_and_signed_urls_are_hidden(text: str, name: str, secret: str) -> None:
    """The name stays, the value is redacted, the rest stays readable."""
    redacted = Redactor().text(text.replace("SECRET", secret))
    assert secret not in redacted
    assert name in redacted
    assert re.search(r"\[(hidden|userinfo)\]", redacted)
    assert redacted == Redactor().text(redacted)


@pytest.mark.parametrize(
    "address",
    [
        "jane.doe@example.com", "j+tag@mail.example.co.uk", "JANE@EXAMPLE.ORG", "o_b@xn--p1ai.example",
        "jane%40example.com", r"jane\u0040example.com", "jane&#64;example.com",
    ],
)  # fmt: skip
def test_email_addresses_are_hidden(address: str) -> None:
    """They are hidden in prose and in JSON."""
    assert Redactor().text(f"user {address} not found") == "user [email] not found"
    assert Redactor().text(f'{{"owner":"{address}"}}') == '{"owner":"[email]"}'


def test_a_report_shows_no_cookie_no_signature_no_address() -> None:
    """They are hidden where another part of the exchange repeats them, too."""
    cookie, signature = "c0ffee-c0ffee-c0ffee", "f00dfeedf00dfeed"
    body = json.dumps({
        "outputUrl": f"https://h/o?X-Amz-Signature={signature}", "owner": "jane@example.com",
        "seen": cookie, "again": signature,
    })  # fmt: skip
    rows = (("Set-Cookie", f"sid={cookie}; Path=/"), ("X-Trace", cookie), ("X-Session-Id", "s3s"))
    response = Response(200, (*rows, ("WWW-Authenticate", "Key")), body.encode())
    sent = (
        ("Cookie", f"a={samples.KEY}; b=q"),
        ("Authorization", f"Bearer {samples.KEY}"),
        ("Authorization", "Basic c29tZWJvZHk6ZWxzZQ=="),
    )
    request = Request("GET", "http://h/v2/batch/b?sig=5igned-value", sent)
    exchange = Exchange(1, Intent("p", "b", "known", "valid"), request, response)
    finding = Finding(f"got {cookie}", "e", f"set-cookie: sid={cookie}; {body}", exchange)
    made = samples.run("server", "x", "1", {"server.ok.json": ("fail", "", [finding])})
    text = json.dumps(report_document(made))
    for secret in (cookie, signature, "jane@", "5igned-value", samples.KEY, "b=q", "s3s", "c29tZWJv"):
        assert secret not in text
    assert "a=[api-key]; b=[hidden]" in text
    assert "Bearer [api-key]" in text
    assert '["WWW-Authenticate", "Key"]' in text
    assert "sid=[hidden]; Path=/" in text


def test_a_long_text_is_redacted_quickly() -> None:
    """Patterns that look back at every character would take minutes."""
    long = (
        "a" * 60_000,
        "a@" * 30_000,
        "?key" * 15_000,
        "cookie:" * 8_000,
        "%25" * 20_000,
        "a.a-" * 9_000 + "@",
    )
    for text in (
        *long,
        "cookie: " + "a " * 9_000 + "=",
        "cookie: " + "a= b c" * 9_000 + ">",
        "%26key" * 9_000,
    ):
        assert _redactor().text(text) == text


def test_a_key_that_only_one_operation_has_in_its_query_is_hidden_in_recordings(tmp_path: Path) -> None:
    """Each request is read as one of its own operation."""
    key = "only-the-list-has-this-key"
    answer = {
        "status": 200,
        "headers": {"content-type": "application/json"},
        "body": [{"id": "batch_1", "status": key}],
    }
    row = {"request": {"method": "GET", "url": f"https://api.example/v2/batch?who={key}"}, "response": answer}
    (tmp_path / "a.json").write_text(json.dumps([row]), "utf-8")
    schemes = update("$.components.securitySchemes", {"token": {"type": "apiKey", "in": "query", "name": "who"}})
    with using(tmp_path, schemes, update(LIST, {"security": [{"token": []}]})):
        run = judge_recorded(("a.json",), folder=tmp_path)
        write_reports(run, tmp_path / "reports")
    reports = [file.read_text("utf-8") for file in (tmp_path / "reports").rglob("*") if file.is_file()]
    assert run.verdict == "fail"
    assert reports
    assert not any(key in text for text in reports)
