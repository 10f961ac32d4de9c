"""Generation of invalid API keys: unknown, near and hostile ones.

A key derived from the valid one has the shell expression that makes it from ``$SYNC_API_KEY``, so that a curl
line can repeat the request without printing any part of the key.
"""

from __future__ import annotations

import base64
import itertools
import random
import string
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from batch_conformance.contract import KeyPlace, Operation, Parameter, base_contract, current_contract
from batch_conformance.contract.sendable import is_token
from batch_conformance.http.model import KeyKind

_ALPHABET = string.ascii_letters + string.digits
#: The most characters of names and values of a key in many places at once; many servers read lines of 4,094 bytes.
_MOST_LETTERS = 3000


@dataclass(frozen=True)
class Key:
    """A key of a request; ``value`` None means that no header is sent.

    ``shell`` is a POSIX shell expression for use within double quotes; empty if the value may be printed.
    """

    value: str | None
    kind: KeyKind
    label: str
    shell: str = ""


MISSING = Key(None, "missing", "no key")
EMPTY = Key("", "empty", "an empty key")


def valid_key(value: str, variable: str) -> Key:
    """Return the valid key; ``variable`` is the environment variable that holds it."""
    return Key(value, "valid", "the valid key", f"${variable}")


def unknown_keys(seed: int, valid: str = "") -> Iterator[Key]:
    """Yield unknown keys that servers tend to accept by mistake; never the valid one."""
    source = random.Random(seed)
    yield Key("sk-" + _letters(source, 32), "invalid", "a key nobody issued")
    yield Key("00000000-0000-4000-8000-000000000000", "invalid", "a UUID")
    named = _names_of_keys(current_contract().operation("get").keys)[:1]
    for word in ("null", "test", "undefined", "admin", "true", "0", *named, "<apiKey>"):
        if word.casefold() != valid.casefold():
            yield Key(word, "invalid", f"the key {word!r}")


def near_keys(key: str, variable: str, seed: int) -> Iterator[Key]:
    """Yield variants of the valid key with one difference each, without those equal to it."""
    source = random.Random(seed)
    var = variable
    half = len(key) // 2
    mark = next((char for char in key if char in "-_"), "-")
    flipped = "b" if key[-1:] == "a" else "a"
    noise = _letters(source, len(key))
    candidates = [
        Key(key[:-1], "near", "the key without its last character", f"${{{var}%?}}"),
        Key(key + "x", "near", "the key with one character more", f"${{{var}}}x"),
        Key(key.swapcase(), "near", "the key in the other case", _translated(var, "a-zA-Z", "A-Za-z")),
        Key(key[:-1] + flipped, "near", "the key with another last character", f"${{{var}%?}}{flipped}"),
        Key("x" + key[1:], "near", "the key with another first character", f"x${{{var}#?}}"),
        Key(key[1:], "near", "the key without its first character", f"${{{var}#?}}"),
        Key("x" + key, "near", "the key behind another character", f"x${{{var}}}"),
        Key(f"x{key}x", "near", "the key embedded in other characters", f"x${{{var}}}x"),
        Key(key.upper(), "near", "the key in upper case", _translated(var, "a-z", "A-Z")),
        Key(key.lower(), "near", "the key in lower case", _translated(var, "A-Z", "a-z")),
        Key(_spelled_like(key, source), "near", "a key of the same length and form"),
        Key(
            key[:half] + noise[half:],
            "near",
            "the first half of the key, then others",
            _cut(var, 1, half, noise[half:]),
        ),
        Key(
            noise[:half] + key[half:],
            "near",
            "others, then the second half of the key",
            noise[:half] + _from(var, half),
        ),
        Key(key[:half], "near", "the first half of the key", _cut(var, 1, half)),
        Key(key[: min(8, half)], "near", "the first characters of the key", _cut(var, 1, min(8, half))),
        Key(key + key, "near", "the key twice", f"${{{var}}}${{{var}}}"),
        Key(f"Bearer {key}", "near", "the key behind the word Bearer", f"Bearer ${{{var}}}"),
        Key(f"{key}, {noise}", "near", "the key in a list with another", f"${{{var}}}, {noise}"),
        Key(f'"{key}"', "near", "the key in double quotes", f'\\"${{{var}}}\\"'),
        Key(_first_letter_swapped(key), "near", "the key with its first letter in the other case"),
        Key(
            key.replace("-", "").replace("_", ""),
            "near",
            "the key without its dashes",
            f'$(printf %s "${var}" | tr -d _-)',
        ),
        Key(
            key.replace("-", "_"),
            "near",
            "the key with underscores for dashes",
            f'$(printf %s "${var}" | tr - _)',
        ),
        Key(key + ".x", "near", "the key, a dot and more", f"${{{var}}}.x"),
        Key(key + ":x", "near", "the key, a colon and more", f"${{{var}}}:x"),
        Key(key[:half] + noise[:1] + key[half + 1 :], "near", "the key with another character in the middle"),
        Key(key + " x", "near", "the key, a space and more", f"${{{var}}} x"),
        Key(key.partition(mark)[2], "near", "the key without its prefix", f"${{{var}#*{mark}}}"),
        Key(key.rpartition(mark)[2], "near", "the key without its prefixes", f"${{{var}##*{mark}}}"),
        Key(_percent(key), "near", "the key, its first character percent-encoded"),
        Key(key[::-1], "near", "the key backwards", f'$(printf %s "${var}" | rev)'),
    ]
    seen = {key, key.strip(), ""}
    key_place = current_contract().operation("get").key
    if key_place is not None and key_place.is_named("authorization"):
        # In Authorization the word is a regular prefix, which servers may strip.
        seen.add(f"Bearer {key}")
    if key_place is not None and key_place.place == "cookie":
        # Many servers ignore quotes around a cookie's value.
        seen.add(f'"{key}"')
    for candidate in candidates:
        value = (candidate.value or "").strip()
        if value not in seen:
            seen.add(value)
            yield candidate


def _percent(key: str) -> str:
    return f"%{ord(key[0]):02X}{key[1:]}" if key[:1].isascii() and key else key


def _first_letter_swapped(key: str) -> str:
    at = next((index for index, char in enumerate(key) if char.isalpha()), None)
    return key if at is None else key[:at] + key[at].swapcase() + key[at + 1 :]


def hostile_keys(key: str, variable: str) -> Iterator[Key]:
    """Yield keys that break parsers: long, non-ASCII, quoted; some are the valid key with a suffix."""
    right = current_contract().operation("get").key
    if right is not None and right.place == "cookie":
        # Parsers of cookies may trim white space.
        yield Key(f"{key}\u00e9", "hostile", "the key and a letter beyond ASCII", f"${{{variable}}}\u00e9")
    else:
        # White space in Latin-1: servers that trim it, and those that drop what is not ASCII, admit the key.
        yield Key(f"{key}\udca0", "hostile", "the key and a no-break space", f"${{{variable}}}$(printf '\\240')")
    yield Key(key + "x" * 5_000, "hostile", "the key and 5,000 characters", f"${{{variable}}}" + "x" * 5_000)
    yield Key("constructor", "invalid", "a name that every object of JavaScript has, for a key")
    yield Key("clé-ключ-鍵", "hostile", "a key in UTF-8 beyond ASCII")
    yield Key("\udce9\udcff\udc80", "hostile", "a key of bytes that are not UTF-8")
    yield Key("' OR '1'='1", "invalid", "a key that breaks out of an SQL string")
    yield Key("k" * 16_000, "hostile", "a key of 16,000 characters")
    yield Key('{"$ne":null}', "invalid", "a key that is a query operator")
    yield Key("*", "invalid", "a wildcard for a key")
    yield Key("%", "invalid", "a percent sign for a key")
    yield Key("k" * 300, "hostile", "a key of 300 characters")
    yield Key(".*", "invalid", "a regular expression for a key")
    yield Key("a\tb", "hostile", "a key with a tab")
    yield Key("%00", "invalid", "an encoded NUL for a key")
    yield Key("🔑" * 40, "hostile", "a key of emoji")
    yield Key("${jndi:ldap://127.0.0.1/a}", "invalid", "a lookup expression for a key")


def spellings(name: str) -> list[str]:
    """Return other spellings of a header's name that are equivalent (RFC 9110, 5.1)."""
    *words, last = name.split("-")
    mixed = "-".join([*(word.upper() for word in words), last.title()])
    ways = (name.upper(), name.title(), name.lower(), name.title().swapcase(), mixed)
    return [way for way in dict.fromkeys(ways) if way != name]


def other_places(key: str, operation: Operation) -> dict[str, list[tuple[str, str]]]:
    """Return places where a valid key must not be accepted: names and values by place, one request per place.

    Places where the current contract accepts the key are left out; those that an overlay changed are
    included.
    """
    names = _names_of_keys(operation.keys)
    spelled = [spellings(one)[-1] for one in names if one.isascii()]
    underscores = [one.replace("-", "_") for one in names]
    queries = [
        *names, "api_key", "apiKey", "apikey", "api-key", "key", "token", "access_token", "auth", *spelled,
        *underscores, "apiToken", "api_token", "client_key", "sync_api_key", "authorization",
    ]  # fmt: skip
    cookies = [
        *names, "api_key", "apiKey", "token", "session", "key", "auth", "access_token", "sid", "apikey",
        "Authorization", "sync_api_key",
    ]  # fmt: skip
    headers = [
        *names, "api-key", "apikey", "x-apikey", "x-auth-token", "x-access-token", "x-auth-key", "x-key",
        "sync-api-key", "x-sync-api-key", "x-authorization", "proxy-authorization", "token", "x-api-token",
        "x-auth", "x-token", "key",
        *(f"{one}s" for one in names), "x-client-key", "x-secret-key", "x-forwarded-api-key", "x-goog-api-key",
        "x-rapidapi-key", "x-functions-key", "x-amz-security-token", "ocp-apim-subscription-key", *underscores,
        "authentication",
    ]  # fmt: skip
    basic = base64.b64encode(f"{key}:".encode("utf-8", "surrogateescape")).decode("ascii")
    password = base64.b64encode(f"api:{key}".encode("utf-8", "surrogateescape")).decode("ascii")
    schemes = (
        f"Bearer {key}", key, f"ApiKey {key}", f"Basic {basic}", f"Token {key}", f"Basic {password}", f"bearer {key}",
        f"{names[0]} {key}" if names else f"X-Key {key}", f"Api-Key {key}", f"Key {key}", f"token={key}",
        f"ApiKey key={key}",
    )  # fmt: skip
    authorization = schemes if _meaningless(operation, "header", ["authorization"]) else []
    if operation.key is not None and operation.key.is_named("authorization") and operation.key.prefix:
        # The right scheme may be written in any case (RFC 9110, 11.1); without it, or with another, the key is none.
        right = operation.key.prefix.lower()
        authorization = tuple(value for value in schemes if not value.lower().startswith(right))
    places = {
        "query": [(name, key) for name in _meaningless(operation, "query", queries)],
        # Some servers read it only if it is the only parameter.
        "query-alone": [(name, key) for name in _meaningless(operation, "query", ["api_key"])],
        "cookie": [(name, key) for name in _meaningless(operation, "cookie", cookies)],
        "header": [
            (name, f"Bearer {key}" if name == "proxy-authorization" else key)
            # A name in a query or a cookie may hold what no header's name may (RFC 9110, 5.6.2).
            for name in _meaningless(operation, "header", filter(is_token, headers))
        ],
        **{f"authorization-{number}": [("authorization", value)] for number, value in enumerate(authorization)},
    }
    return {place: _short_enough(pairs) for place, pairs in places.items() if pairs}


def _short_enough(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the first pairs of a request, at least one, that servers do not refuse for their length alone."""
    lengths = itertools.accumulate(len(name) + len(value) for name, value in pairs)
    return [pair for pair, length in zip(pairs, lengths, strict=True) if length <= _MOST_LETTERS] or pairs[:1]


def _names_of_keys(current: Sequence[KeyPlace]) -> list[str]:
    """Return the names of keys in the contract with and without overlays, the current ones first.

    Those of other operations are among them: one operation does not accept the key where another one has it.
    """
    contracts = (current_contract(), base_contract())
    others = (key for contract in contracts for operation in contract.operations.values() for key in operation.keys)
    found = [*current, *others]
    return list(dict.fromkeys(one.name for one in found if one.name.lower() != "authorization"))


def _meaningless(operation: Operation, place: str, names: Iterable[str]) -> list[str]:
    """Return the distinct names that are neither of a key nor of a parameter in a place."""
    named: list[KeyPlace | Parameter] = [*operation.keys, *operation.parameters]
    fold = str.lower if place == "header" else str
    meant = {fold(one.name) for one in named if one.place == place}
    return [name for name in dict.fromkeys(names) if fold(name) not in meant]


def _letters(source: random.Random, count: int) -> str:
    return "".join(source.choice(_ALPHABET) for _ in range(count))


def _spelled_like(key: str, source: random.Random) -> str:
    """Return a random key of the same length and kinds of characters."""

    def another(char: str) -> str:
        for kind in (string.ascii_lowercase, string.ascii_uppercase, string.digits):
            if char in kind:
                return source.choice(kind.replace(char, ""))
        return char

    return "".join(another(char) for char in key)


def _translated(variable: str, old: str, new: str) -> str:
    return f"$(printf %s \"${variable}\" | tr '{old}' '{new}')"


def _cut(variable: str, first: int, last: int, rest: str = "") -> str:
    return f'$(printf %s "${variable}" | cut -c{first}-{last}){rest}'


def _from(variable: str, skipped: int) -> str:
    return f'$(printf %s "${variable}" | cut -c{skipped + 1}-)'
