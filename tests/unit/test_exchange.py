"""Strict JSON, and redaction of secrets in every spelling."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from batch_conformance.generate.keys import near_keys
from batch_conformance.http import Member, Redactor, Response, read_json
from batch_conformance.http.strict_json import DEEPEST

KEY = "sk_live/7Qv+9x=Zk3LmN0pR"

# Strict JSON.

_GOOD: list[tuple[bytes, object]] = [
    (b"{}", {}),
    (b" \t\r\n[1]\r\n", [1]),
    (b"null", None),
    (b'"x"', "x"),
    (b"-0", 0),
    (b"1E5", 1e5),
    (b"5.0", 5.0),
    (b'"\x7f"', "\x7f"),
    (b'"\\ud83c\\udfac"', "🎬"),
    (b'"\\ud800"', "\ud800"),
    ('"é\u2028"'.encode(), "é\u2028"),
    (b'{"a":{"b":[{}]}}', {"a": {"b": [{}]}}),
    (b"[" * DEEPEST + b"]" * DEEPEST, ...),
    (b'"' + b"[" * 5000 + b'"', "[" * 5000),
    (b'"\\"' + b"{" * 5000 + b'\\\\"', '"' + "{" * 5000 + "\\"),
    (b"[" + b"[],{}," * 5000 + b"1]", ...),
]


@pytest.mark.parametrize(("data", "value"), _GOOD, ids=lambda data: ascii(data)[:30])
def test_json_is_read(data: bytes, value: object) -> None:
    """The reader accepts all that RFC 8259 allows."""
    read = read_json(data)
    assert read.ok
    assert value is ... or read.value == value


_BAD: dict[bytes, str] = {
    b"": "it is empty",
    b" \n": "it is empty",
    b"\xef\xbb\xbf{}": "byte order mark",
    b"\xff\xfe{\x00}\x00": "not UTF-8 at byte 0",
    b'"\xc3"': "not UTF-8 at byte 1",
    b'"\xed\xa0\x80"': "not UTF-8 at byte 1",
    b"{\x00}\x00": "",
    b"NaN": "NaN is not JSON",
    b'{"a":Infinity}': "Infinity is not JSON",
    b"[-Infinity]": "-Infinity is not JSON",
    b"{} {}": "Extra data at line 1, column 4",
    b"{}\x00": "Extra data",
    b"[1]\x0c": "Extra data",
    b"{}// done": "Extra data",
    b"[1,]": "",
    b'{"a":1,}': "",
    b"{'a':1}": "",
    b"{a:1}": "",
    b'{"a"}': "",
    b'{"a":1': "",
    b'"\x1f"': "Invalid control character",
    b'"a\nb"': "Invalid control character",
    b'"\\x41"': "Invalid \\escape",
    b'"\\u12"': "Invalid \\uXXXX escape",
    b"01": "Extra data",
    b"+1": "",
    b".5": "",
    b"1.": "",
    b"0x10": "",
    b"tru": "",
    b"True": "",
    b"\xc2\xa0{}": "",
    "١".encode(): "",
    b"/**/{}": "",
    b"<html>": "",
    b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1): "nested too deeply",
    b'{"a":' * 200_000: "nested too deeply",
    b'[],"' + b"[" * 300: "",
}


@pytest.mark.parametrize(("data", "word"), _BAD.items(), ids=lambda data: ascii(data)[:30])
def test_what_is_not_json_is_refused(data: bytes, word: str) -> None:
    """The error says why, and there is no value."""
    read = read_json(data)
    assert read.error is not None
    assert word in read.error.message
    assert read.value is None


def test_duplicate_names_are_noted() -> None:
    """They are noted in any object; the last value counts, as in most readers."""
    read = read_json(b'{"a":{"b":1,"b":2,"b":3},"c":0,"\\u0063":1}')
    assert read.value == {"a": {"b": 3}, "c": 1}
    assert set(read.repeated) == {Member("b", 3), Member("c", 2)}


def test_numbers_keep_how_they_were_written() -> None:
    """Evidence shows the number as it was sent."""
    assert repr(read_json(b"[1.50,1e400,0.1e1]").value) == "[1.50, 1e400, 0.1e1]"
    assert repr(read_json(b"1" * 5000).value) == "1" * 5000


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(_VALUES, st.booleans(), st.sampled_from([None, 1, "\t"]))
def test_json_that_was_written_is_read_back(value: object, plain: bool, indent: int | str | None) -> None:
    """Values are unchanged after writing and reading."""
    text = json.dumps(value, ensure_ascii=plain, indent=indent)
    try:
        data = text.encode()
    except UnicodeEncodeError:
        data = json.dumps(value).encode()
    read = read_json(data)
    assert (read.ok, read.value, read.repeated) == (True, value, ())


@given(st.binary(max_size=60))
@example(b"\xf4\x90\x80\x80")
def test_no_bytes_crash_the_reader(data: bytes) -> None:
    """The result is a value or an error."""
    read = read_json(data)
    assert (read.error is None) or read.value is None


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["application/json"], "application/json"),
        (["Application/JSON; charset=utf-8"], "application/json"),
        (["application/json ;x"], "application/json"),
        (["application/problem+json"], "application/problem+json"),
        ([], None),
        ([""], None),
        (["application/json", "application/json"], None),
    ],
)
def test_media_type(values: list[str], expected: str | None) -> None:
    """It is in lower case, without parameters, and None for contradictory headers."""
    headers = tuple(("content-TYPE", value) for value in values)
    assert Response(200, headers).media_type == expected


# Redaction.


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


#: Spellings of a key in responses and logs.
SPELLINGS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "percent": lambda key: quote(key, safe=""),
    "percent, lower case": lambda key: "".join(char if char.isalnum() else f"%{ord(char):02x}" for char in key),
    "percent, path": quote,
    "percent, form": quote_plus,
    "percent twice": lambda key: quote(quote(key, safe=""), safe=""),
    "JSON": lambda key: json.dumps(key)[1:-1],
    "JSON in JSON": lambda key: json.dumps(json.dumps(key))[3:-3],
    "C in JSON": lambda key: json.dumps("".join(c if c.isalnum() else f"\\x{ord(c):02x}" for c in key))[1:-1],
    "all escaped, in JSON in JSON": lambda key: json.dumps(
        json.dumps("".join(c if c.isalnum() else f"\\u{ord(c):04x}" for c in key))
    )[3:-3],
    "JSON with slashes escaped": lambda key: json.dumps(key)[1:-1].replace("/", "\\/"),
    "JSON, all escaped": lambda key: "".join(c if c.isalnum() else f"\\u{ord(c):04x}" for c in key),
    "JSON, all escaped in capitals": lambda key: "".join(c if c.isalnum() else f"\\u{ord(c):04X}" for c in key),
    "C": lambda key: "".join(char if char.isalnum() else f"\\x{ord(char):02x}" for char in key),
    "repr": lambda key: repr(key)[1:-1],
    "HTML": html.escape,
    "HTML, decimal": lambda key: "".join(char if char.isalnum() else f"&#{ord(char)};" for char in key),
    "HTML, hexadecimal": lambda key: "".join(char if char.isalnum() else f"&#x{ord(char):02X};" for char in key),
    "base64": _base64,
    "base64 without padding": lambda key: _base64(key).rstrip("="),
    "base64 for URLs": lambda key: base64.urlsafe_b64encode(key.encode()).decode(),
    "Basic, as user": lambda key: _base64(f"{key}:"),
    "Basic, as password": lambda key: _base64(f":{key}"),
    "Basic, of somebody": lambda key: _base64(f"somebody:{key}"),
    "Basic, of others": lambda key: _base64(f"others:{key}") + "x",
    "hexadecimal": lambda key: key.encode().hex(),
}
_KEYS = [
    KEY,
    "sk-Plain0123456789abcdef",
    "quo\"te'back\\slash/<&>",
    "ends-in-equals==",
    "pa$$w%rd#{x}~^|",
    "a b c d e f",
]


@pytest.mark.parametrize("key", _KEYS)
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_of_the_key_is_redacted(spelling: str, key: str) -> None:
    """Not even half of the key is left, whatever surrounds it."""
    spelled = SPELLINGS[spelling](key)
    redactor = Redactor({key: "[api-key]"})
    for before, after in [
        ("", ""),
        ("x", "x"),
        ('{"message":"', '"}'),
        ("https://h/?k=", "&y=1"),
        ("%", "%"),
    ]:
        redacted = redactor.text(before + spelled + after)
        assert "[api-key]" in redacted
        assert len(redacted) <= len(before + "[api-key]" + after) + 16
        assert spelled not in redacted
        assert key not in redacted


def test_variants_go_by_their_own_names_and_the_longest_is_found_first() -> None:
    """The names show which key was sent."""
    redactor = Redactor()
    variants = [key for key in near_keys(KEY, "SYNC_API_KEY", 0) if key.shell]
    for key in variants:
        redactor.add(key.value or "", f"[{key.label}]")
    redactor.add(KEY, "[api-key]")
    for key in variants:
        assert redactor.text(f"x-api-key: {key.value}.") == f"x-api-key: [{key.label}]."
    assert redactor.text(f"{KEY} {KEY}x {KEY[:-1]}") == (
        "[api-key] [the key with one character more] [the key without its last character]"
    )


@pytest.mark.parametrize("key", [KEY, "sk-Plain0123456789abcdef"])
@pytest.mark.parametrize("spelling", ["raw", "percent", "JSON, all escaped", "base64", "Basic, as password"])
def test_truncated_keys_are_redacted(spelling: str, key: str) -> None:
    """Checks quote the beginning of a body, or the surroundings of a place, so a key may be cut in half."""
    spelled = SPELLINGS[spelling](key)
    redactor = Redactor()
    redactor.add(key, "[api-key]", pieces="[part]")
    shortest = 24 if "as" in spelling else 8 + len(spelled) * 9 // len(key)
    for cut in range(shortest, len(spelled) + 1):
        redacted = redactor.text(f"the first {cut} characters: {spelled[:cut]}")
        assert len(redacted) < len(f"the first {cut} characters: [api-key]") + 14, redacted
        assert any(name in redacted for name in ("[part]", "[api-key]"))
    for start in range(1, len(key) - 8):
        assert redactor.text(f"{key[start:]} and more") == "[part] and more"
    assert redactor.text(key[:8]) == key[:8]


def test_all_of_a_value_is_redacted() -> None:
    """Names of members too."""
    redactor = Redactor({KEY: "[k]"})
    value = {KEY: [KEY, ("x", f"<{KEY}>")], "n": 1, "z": None}
    assert redactor.value(value) == {"[k]": ["[k]", ["x", "<[k]>"]], "n": 1, "z": None}


def test_an_empty_secret_hides_nothing() -> None:
    """It would match between any two characters."""
    assert Redactor({"": "[k]"}).text("abc") == "abc"
    assert Redactor().text("abc") == "abc"


@pytest.mark.parametrize("secret", ["api", "key", "a", "[api-key]", "-"])
def test_a_secret_within_its_own_name_is_hidden_for_good(secret: str) -> None:
    """Text is redacted more than once."""
    redactor = Redactor({secret: "[api-key]"})
    once = redactor.text(f"x{secret}x")
    assert once == redactor.text(once)
    assert secret not in once


_SECRETS = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="]"), min_size=8, max_size=40)


@settings(deadline=None, max_examples=60)
@given(_SECRETS, st.data())
def test_no_secret_survives(secret: str, data: st.DataObject) -> None:
    """The text may be made of the key, its parts, its variants and their spellings."""
    redactor = Redactor({secret: "[api-key]"})
    variants = [key.value or "" for key in near_keys(secret, "K", 0)]
    for variant in variants:
        redactor.add(variant, "[variant]")
    spelled = st.sampled_from(sorted(SPELLINGS)).map(lambda name: SPELLINGS[name](secret))
    pieces = st.sampled_from([secret, secret[:3], secret[-3:], *variants]) | spelled | st.text(max_size=3)
    text = "".join(data.draw(st.lists(pieces, max_size=8)))
    redacted = redactor.text(text)
    for spelling in SPELLINGS.values():
        assert spelling(secret) not in redacted
