"""Batch ids that are not a known one: strangers, near misses and hostile values, as raw path segments."""

from __future__ import annotations

import random
import string
import uuid
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from urllib.parse import quote, unquote

from batch_conformance.contract.id_form import is_uuid
from batch_conformance.exchange.model import IdKind


@dataclass(frozen=True)
class AskedId:
    """An id to ask for. ``segment`` is the path segment as sent; ``value`` what it decodes to, for people."""

    value: str
    segment: str
    kind: IdKind
    label: str
    base: str = ""


#: Characters that make a random id unlikely to exist.
_ROOM = 6
_ROOM_AMONG_NUMBERS = 15
_LETTERS = (string.ascii_lowercase, string.ascii_uppercase)


def segment_of(value: str) -> str:
    """The id as one percent-encoded path segment (RFC 3986, 3.3)."""
    return quote(value, safe="-._~")


def known_id(value: str) -> AskedId:
    """A batch that exists."""
    return AskedId(value, segment_of(value), "known", "a known id")


def unknown_id_like(known: str, seed: int) -> AskedId:
    """An id of a known one's form, and of its length if that leaves enough room, that nobody issued."""
    source = random.Random(f"{seed}:{known}")
    if is_uuid(known):
        value = str(uuid.UUID(int=source.getrandbits(128), version=4))
        value = value.upper() if known.isupper() else value
    else:
        head, sep, tail = known.rpartition("_")
        body = tail or known
        room = _ROOM_AMONG_NUMBERS if body.isdigit() else _ROOM
        if len(body) < room:
            # Among short ids, and among numbers that are counted up, a random one may well exist.
            body = (body * room)[:room]
        value = head + sep + _respelled(body, source)
    return AskedId(value, segment_of(value), "unknown", "an id of the same form that nobody issued", known)


def _respelled(body: str, source: random.Random) -> str:
    """Other characters of the same kinds; hexadecimal stays hexadecimal."""
    hexadecimal = all(char in string.hexdigits for char in body)
    kinds = (string.digits, *(letters[:6] if hexadecimal else letters for letters in _LETTERS))
    spelled = (
        next((source.choice(kind.replace(char, "")) for kind in kinds if char in kind), char) for char in body
    )
    return "".join(spelled)


def unknown_ids(known: str, seed: int) -> Iterator[AskedId]:
    """Well-formed ids that nobody issued."""
    for extra in range(6):
        asked = unknown_id_like(known, seed + extra)
        if asked.value != known:
            yield asked


def near_ids(known: str, others: Collection[str]) -> Iterator[AskedId]:
    """Variants of a known id, each one fault away; those that are known ids themselves are left out."""
    head, sep, tail = known.rpartition("_")
    flipped = "b" if known[-1:] == "a" else "a"
    candidates = [
        (known[:-1], "the id without its last character"),
        (known + "x", "the id with one character more"),
        (known.swapcase(), "the id in the other case"),
        (known + " ", "the id with a space behind"),
        (" " + known, "the id with a space before"),
        (known.upper(), "the id in upper case"),
        (known[:-1] + flipped, "the id with another last character"),
        (known[1:], "the id without its first character"),
        ("x" + known, "the id behind another character"),
        (known + "\n", "the id with a line feed behind"),
        (f"%{known.encode()[0]:02X}{known[1:]}", "the id encoded twice"),
        (known + ".json", "the id with an extension"),
        (known + ".", "the id with a dot behind"),
        (tail if sep else "", "the id without its prefix"),
        (head + sep if sep else "", "the prefix of the id"),
        (known.lower(), "the id in lower case"),
        (known[:-1] + known[-1:].swapcase(), "the id with its last letter in the other case"),
        (known[:1].swapcase() + known[1:], "the id with its first letter in the other case"),
        (known.replace("_", "").replace("-", ""), "the id without its separators"),
        (known.replace("_", "__").replace("-", "--"), "the id with its separators doubled"),
        (head + sep + "0" + tail, "the id with a zero put in"),
        (known.replace("_", "-"), "the id with dashes for underscores"),
        (known + "," + known, "the id twice, as a list"),
        (known + "\t", "the id with a tab behind"),
        (known.title(), "the id in title case"),
        ("\u00a0" + known, "the id with a no-break space before"),
    ]
    seen = {known, "", *others}
    for value, label in candidates:
        if value not in seen:
            seen.add(value)
            yield AskedId(value, segment_of(value), "near", label, known)


def _full_width(text: str) -> str:
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)


def hostile_ids(known: str, known_ids: Collection[str] = ()) -> Iterator[AskedId]:
    """Ids that trip routers, patterns and parsers. The first dozen are the ones that most often bite."""
    encoded = segment_of(known)
    last = segment_of(known[:-1])
    rows = [
        (f"{encoded}%2F", "a known id and an encoded slash"),
        (f"{encoded}%00", "a known id and a NUL"),
        ("%27%20OR%20%271%27%3D%271", "an id that breaks out of an SQL string"),
        ("%2A", "a star"),
        ("%25", "a percent sign"),
        ("%F0%9F%8E%AC", "an emoji"),
        ("a" * 2_000, "an id of 2,000 characters"),
        ("%22", "a double quote"),
        ("..%2F..%2Fetc%2Fpasswd", "a path that climbs"),
        (f"{last}%25", "a known id ending in an SQL wildcard"),
        (f"{last}_", "a known id ending in a one-character SQL wildcard"),
        (f"{last}%2A", "a known id ending in a star"),
        ("%00", "a NUL"),
        ("%FF%FE", "bytes that are not UTF-8"),
        ("%27", "a single quote"),
        (f"{last}.", "a known id ending in a regular expression's dot"),
        ("%2E%2A", "a regular expression that matches all"),
        (f"x%2F..%2F{encoded}", "a path that leads back to a known id"),
        (f"{encoded}%2Fresult", "a known id and a path below it"),
        (f"{encoded}%3Fx%3D1", "a known id and an encoded query"),
        (f"{encoded}%23x", "a known id and an encoded fragment"),
        ("null", "the id null"),
        (f"%22{encoded}%22", "a known id in double quotes"),
        (f"%27{encoded}%27", "a known id in single quotes"),
        (f"{last}%3F", "a known id ending in a one-character glob"),
        (f"{encoded}%E2%80%8B", "a known id and a zero-width space"),
        (segment_of(_full_width(known)), "a known id in full-width letters"),
        (f"{encoded}%3Bx%3D1", "a known id and an encoded parameter"),
        (f"{encoded}%27%20--%20", "a known id and an SQL comment"),
        ("%0D%0AX-Injected%3A%201", "a line break and a header"),
        ("%5B%24ne%5D", "a query operator"),
        ("%7B%22%24gt%22%3A%22%22%7D", "a query object"),
        ("%3Cscript%3Ealert%281%29%3C%2Fscript%3E", "a script element"),
        ("%24%7B7%2A7%7D%7B%7B7%2A7%7D%7D", "template expressions"),
        ("%5C", "a backslash"),
        ("__proto__", "the id __proto__"),
        ("constructor", "the id constructor"),
        ("%2E%2E", "two encoded dots"),
        ("a" * 6_000, "an id of 6,000 characters"),
        ("%E2%80%AE%D7%90", "text that runs right to left"),
        ("%EF%BD%82%EF%BD%81", "full-width letters"),
        ("%C3%BC", "an umlaut"),
        ("-", "a dash"),
        ("%25s%25n", "format directives"),
        ("1e400", "a number too large"),
        ("%zz", "a broken percent escape"),
        ("%", "a lone percent sign"),
        ("%20", "a space"),
        ("undefined", "the id undefined"),
        ("0", "the id 0"),
        ("-1", "the id -1"),
        ("9f1c8f3e-7a55-4c1b-9d5e-2f6a1b0c3d4e", "an id of another scheme (a UUID)"),
        ("%2E", "an encoded dot"),
        ("%252e%252e", "two dots encoded twice"),
        ("_" * max(1, len(known)), "as many one-character wildcards as the id is long"),
    ]
    for segment, label in rows:
        if unquote(segment) in known_ids:
            continue
        yield AskedId(segment if len(segment) < 80 else f"{segment[:40]}…", segment, "hostile", label, known)
