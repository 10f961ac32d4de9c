"""Generation of ids that no batch has: unknown, near and hostile ones, as raw path segments."""

from __future__ import annotations

import random
import string
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from urllib.parse import quote, unquote

from batch_conformance.contract.id_form import is_uuid
from batch_conformance.http.model import IdKind


@dataclass(frozen=True)
class AskedId:
    """An id to request. ``segment`` is the path segment as sent; ``value`` is the decoded id, for display."""

    value: str
    segment: str
    kind: IdKind
    label: str
    base: str = ""


#: With so many random characters an id is unlikely to exist; numbers need more.
_ROOM = 6
#: The largest number of 32 bits with a sign; fewer digits than these are reached soon by counting.
_LARGEST_32_BIT, _FEW_DIGITS = 2**31 - 1, 5
_ROOM_AMONG_NUMBERS = 15
#: Length from which an id is varied with its own characters only; number of characters of a ULID's time.
_LONG, _TIME = 20, 10
_LETTERS = (string.ascii_lowercase, string.ascii_uppercase)


def segment_of(value: str) -> str:
    """Return the id as one percent-encoded path segment (RFC 3986, 3.3)."""
    return quote(value, safe="-._~")


def known_id(value: str) -> AskedId:
    """Return the id of an existing batch."""
    return AskedId(value, segment_of(value), "known", "a known id")


def unknown_id_like(known: str, seed: int) -> AskedId:
    """Return an unknown id in the form of a known one, longer if the known one is too short."""
    source = random.Random(f"{seed}:{known}")
    if is_uuid(known):
        value = _another_uuid(known, source)
    elif known.isascii() and known.isdigit():
        value = _another_number(known, source)
    else:
        head, sep, tail = known.rpartition("_")
        body = tail or known
        room = _ROOM_AMONG_NUMBERS if body.isdigit() else _ROOM
        if len(body) < room:
            # A random short id, or a random number where ids are counted up, may well exist.
            body = (body * room)[:room]
        other = body if len(body) < _LONG else _reshuffled(body, source)
        # A long id of one character repeated has no other order.
        value = head + sep + (_respelled(body, source) if other == body else other)
    return AskedId(value, segment_of(value), "unknown", "an id of the same form that nobody issued", known)


def _another_number(known: str, source: random.Random) -> str:
    """Return another number that counting has hardly reached and that is valid where the known one is.

    It has nine digits if the known one has few, else as many; a known 32-bit number of ten digits gets another one.
    """
    if len(known) == 10 and int(known) <= _LARGEST_32_BIT:
        value = source.randrange(2_000_000_000, _LARGEST_32_BIT)
        return str(value + (value >= int(known)))
    digits = 9 if len(known) < _FEW_DIGITS else len(known)
    first = "8" if known.startswith("9") else "9"
    return first + "".join(source.choices(string.digits, k=digits - 1))


def _another_uuid(known: str, source: random.Random) -> str:
    """Return a random UUID of the same version and variant (RFC 9562, 4), in the same case."""
    digits = source.choices(string.hexdigits[:16], k=len(known))
    fixed = {8, 13, 14, 18, 19, 23}
    value = "".join(known[place] if place in fixed else digit for place, digit in enumerate(digits))
    return value.upper() if known.isupper() else value.lower()


def _respelled(body: str, source: random.Random) -> str:
    """Replace each character by another of its kind; hexadecimal stays hexadecimal."""
    hexadecimal = all(char in string.hexdigits for char in body)
    kinds = (string.digits, *(letters[:6] if hexadecimal else letters for letters in _LETTERS))
    spelled = (next((source.choice(kind.replace(char, "")) for kind in kinds if char in kind), char) for char in body)
    return "".join(spelled)


def _reshuffled(body: str, source: random.Random) -> str:
    """Replace characters by others of their kind that the id contains, since its alphabet may lack some.

    The first ten are kept (a ULID's time, where not every value is valid), and kinds with a single character.
    """
    kinds = (string.digits, *_LETTERS)
    there = [sorted(set(body) & set(kind)) for kind in kinds]
    spelled = list(body[:_TIME])
    for char in body[_TIME:]:
        others = next((kind for kind in there if char in kind), [char])
        spelled.append(source.choice([item for item in others if item != char] or [char]))
    return "".join(spelled)


def unknown_ids(known: str, seed: int) -> Iterator[AskedId]:
    """Yield well-formed ids that were never issued."""
    for extra in range(6):
        unknown = unknown_id_like(known, seed + extra)
        if unknown.value != known:
            yield unknown


def near_ids(known: str, others: Collection[str]) -> Iterator[AskedId]:
    """Yield variants of a known id with one difference each, without those that are known ids."""
    seen = {known, "", *others}
    for value, label, *raw in _near(known):
        if value not in seen:
            seen.add(value)
            yield AskedId(value, raw[0] if raw else segment_of(value), "near", label, known)


def respelled(known: str) -> Iterator[AskedId]:
    """Yield a known id in other spellings of its path, which bypass authorization that compares raw paths."""
    first = "".join(f"%{byte:02X}" for byte in known[:1].encode())
    yield AskedId(known, first + segment_of(known[1:]), "near", "the id with its first letter encoded")
    yield AskedId(known, f"{segment_of(known)}/", "near", "the id with a slash behind")


def respelled_paths(path: str) -> Iterator[tuple[str, str]]:
    """Yield other spellings of an operation's path, with labels, that may bypass authorization."""
    first = path[: path.find("/", 1)] if path.find("/", 1) > 0 else path
    if first.swapcase() != first and "{" not in first:
        yield first.swapcase() + path[len(first) :], f"the path beginning with {first.swapcase()}"
    if first != path and "{" not in first:
        yield f"{first}/.{path[len(first) :]}", "the path with a dot segment"


def _near(known: str) -> Iterator[tuple[str, ...]]:
    """Yield value and label of each variant, and the raw segment where it is not the encoded value."""
    head, sep, tail = known.rpartition("_")
    encoded = segment_of(known)
    if tail.isascii() and tail.isdigit():
        yield from ((head + sep + value, label) for value, label in _same_number(tail))
    yield known[:-1], "the id without its last character"
    yield known + "x", "the id with one character more"
    yield known.swapcase(), "the id in the other case"
    yield known + " ", "the id with a space behind"
    yield f"{known};v=2", "the id with a parameter behind a semicolon", f"{encoded};v=2"
    yield known + "\t", "the id with a tab behind"
    yield known + "+", "the id with a plus sign behind", f"{encoded}+"
    yield "\0" + known, "the id with a NUL before"
    yield " " + known, "the id with a space before"
    yield known.upper(), "the id in upper case"
    yield _flipped(known, -1), "the id with another last character"
    yield known[1:], "the id without its first character"
    yield "x" + known, "the id behind another character"
    yield known + "\n", "the id with a line feed behind"
    yield f"%{known.encode()[0]:02X}{known[1:]}", "the id encoded twice"
    yield known + ".json", "the id with an extension"
    # As custom methods are written: /things/{id}:cancel.
    yield f"{known}:x", "the id with a colon and more behind", f"{encoded}:x"
    yield known + ".", "the id with a dot behind"
    yield tail if sep else "", "the id without its prefix"
    yield head + sep if sep else "", "the prefix of the id"
    yield known.lower(), "the id in lower case"
    yield known[:-1] + known[-1:].swapcase(), "the id with its last letter in the other case"
    yield known[:1].swapcase() + known[1:], "the id with its first letter in the other case"
    yield known.replace("_", "").replace("-", ""), "the id without its separators"
    yield known.replace("_", "__").replace("-", "--"), "the id with its separators doubled"
    yield head + sep + "0" + tail, "the id with a zero put in"
    yield known.replace("_", "-"), "the id with dashes for underscores"
    yield f"{known},{known}", "the id twice, as a list"
    yield known + "\u00a0", "the id with a no-break space behind"
    yield known + "\x1f", "the id with a unit separator behind"
    yield f"{known};", "the id with a semicolon behind", f"{encoded};"
    yield "+" + known, "the id with a plus sign before", f"+{encoded}"
    yield known + "\\", "the id with a backslash behind"
    yield known + "\ufeff", "the id with a byte order mark behind"
    yield known + "\x0b", "the id with a vertical tab behind"
    yield "\t" + known, "the id with a tab before"
    yield f"{known}|x", "the id with a bar and more behind"
    yield f"{known}@x", "the id with an at sign and more behind"
    yield f"{known}=", "the id with an equals sign behind"
    yield f"({known})", "the id in parentheses"
    yield known[:1] + "\0" + known[1:], "the id with a NUL in it"
    yield known[:1] + "\u00ad" + known[1:], "the id with a soft hyphen in it"
    yield known[:1] + "\u0301" + known[1:], "the id with an accent on its first letter"
    yield _flipped(known, len(head + sep)), "the id with another character at its start"
    yield known.title(), "the id in title case"
    yield "\u00a0" + known, "the id with a no-break space before"


def _same_number(number: str) -> Iterator[tuple[str, str]]:
    """Yield other spellings that number parsers read as the same number."""
    yield "0" + number, "the number with a zero before"
    yield number + ".0", "the number as a decimal fraction"
    yield "+" + number, "the number with a plus sign"
    yield number + "e0", "the number with an exponent"
    yield f"{number}abc", "the number and letters"
    if len(number) > 1:
        yield f"{number[:-1]}_{number[-1]}", "the number with an underscore in it"
    yield (
        "".join(chr(ord(digit) - ord("0") + 0x0660) for digit in number),
        "the number in Arabic-Indic digits",
    )
    yield f"0x{int(number):x}", "the number in hexadecimal"
    yield number + ".", "the number and a dot"
    stripped = number.rstrip("0")
    if stripped and stripped != number:
        yield f"{stripped}e{len(number) - len(stripped)}", "the number written with an exponent"


def _flipped(known: str, place: int) -> str:
    """Return the id with one character replaced by another of its kind, which keeps its form.

    A character that the id contains elsewhere is preferred: its alphabet may lack some.
    """
    place = place % len(known)
    char, body = known[place], known.rpartition("_")[2]
    hexadecimal = all(item in string.hexdigits for item in body)
    for kind in (string.digits, *(letters[:6] if hexadecimal else letters for letters in _LETTERS)):
        if char in kind:
            there = sorted((set(kind) & set(body)) - {char}, reverse=True)
            other = there[0] if there else kind[kind.index(char) - 1]
            return known[:place] + other + known[place + 1 :]
    return known[:place] + "a" + known[place + 1 :]


def _full_width(text: str) -> str:
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)


def hostile_ids(known: str, known_ids: Collection[str] = ()) -> Iterator[AskedId]:
    """Yield ids that break routers, patterns and parsers, the most effective first."""
    encoded = segment_of(known)
    last = segment_of(known[:-1])
    # Values that a numeric column cannot hold.
    numbers = [("9" * 25, "a number of 25 digits"), ("-1", "the id -1")] if known.isascii() and known.isdigit() else []
    rows = [
        *numbers,
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
        (f"{encoded}%26x%3D1", "a known id and an encoded ampersand"),
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
        ("%5C", "a backslash"),
        ("__proto__", "the id __proto__"),
        ("%2E%2E", "two encoded dots"),
        ("%2E", "an encoded dot"),
        ("a" * 6_000, "an id of 6,000 characters"),
        ("constructor", "the id constructor"),
        ("%3Cscript%3Ealert%281%29%3C%2Fscript%3E", "a script element"),
        ("%24%7B7%2A7%7D%7B%7B7%2A7%7D%7D", "template expressions"),
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
        ("%252e%252e", "two dots encoded twice"),
        ("_" * max(1, len(known)), "as many one-character wildcards as the id is long"),
    ]
    for segment, label in rows:
        if unquote(segment) in known_ids:
            continue
        yield AskedId(segment if len(segment) < 80 else f"{segment[:40]}…", segment, "hostile", label, known)


#: Query parameters that a framework may read in place of the path parameter.
QUERY_NAMES = ("id", "batch_id", "batchId", "batch")
