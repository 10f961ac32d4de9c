"""Redactor: replaces secrets in every text that leaves the process."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from batch_conformance.http.escapes import Unescaped, as_bytes, unescaped
from batch_conformance.http.model import Exchange
from batch_conformance.http.secrets import pieces_of, secret_patterns
from batch_conformance.http.sensitive import Secret, header_secrets, query_secrets, without_sensitive

PLACEHOLDER = "[api-key]"
#: Replaces a placeholder that itself contains a secret (a key such as "api"), and so would be redacted again
#: and again.
_BLANK = "[…]"


#: How many texts are kept with their redacted form, and the longest of them, in characters.
_REMEMBERED, _LONGEST = 512, 100_000
#: A secret may occur at several depths of escaping in one text; each round redacts one depth.
_MAX_ROUNDS = 8


class Redactor:
    """Replaces secrets, in every encoding that they may occur in, by placeholders.

    Other sensitive data is hidden too: see :mod:`batch_conformance.http.sensitive`. Each secret has a
    placeholder of its own, so that "the key without its last character" stays recognisable.
    """

    def __init__(self, secrets: Mapping[str, str] | None = None) -> None:
        self._forms: dict[str, tuple[int, str]] = {}
        self._pattern: re.Pattern[str] | None = None
        self._names: dict[str, str] = {}
        #: Placeholders by secret, and by piece of a secret, as bytes; searched for at every depth of escaping.
        self._plain: dict[str, str] = {}
        self._pieces: dict[str, str] = {}
        #: Searching is slow, and the texts of a report repeat themselves: headers, bodies, curl lines.
        self._remembered = lru_cache(maxsize=_REMEMBERED)(self._redacted)
        for secret, name in (secrets or {}).items():
            self.add(secret, name)

    def add(self, secret: str, name: str = PLACEHOLDER, *, pieces: str = "") -> None:
        """Replace ``secret`` by ``name`` from now on. An empty secret is ignored.

        With ``pieces``, replace parts of the secret by that name as well, as truncated texts hold them.
        """
        if not secret:
            return
        for length, pattern in secret_patterns(secret):
            self._forms.setdefault(pattern, (length, name))
        self._plain.setdefault(as_bytes(secret), name)
        if pieces:
            self._pieces = dict.fromkeys(pieces_of(secret), pieces) | self._pieces
        self._pattern = None
        self._names.clear()
        self._remembered.cache_clear()

    def text(self, text: str) -> str:
        """Return the text with every secret replaced and other sensitive data hidden."""
        return self._remembered(text) if len(text) <= _LONGEST else self._redacted(text)

    def _redacted(self, text: str) -> str:
        if self._forms:
            if self._pattern is None:
                # Longest first, so that no key is partly replaced by a shorter variant of itself.
                self._forms = dict(sorted(self._forms.items(), key=lambda form: -form[1][0]))
                self._pattern = re.compile("|".join(self._forms))
            text = self._pattern.sub(lambda match: self._name(match.group()), text)
            for _ in range(_MAX_ROUNDS):
                found = (self._redacted_at(level, text) for level in reversed(unescaped(text)))
                replaced = next((redacted for redacted in found if redacted is not None), text)
                if replaced == text:
                    break
                text = self._pattern.sub(lambda match: self._name(match.group()), replaced)
        return without_sensitive(text)

    def _redacted_at(self, level: Unescaped, text: str) -> str | None:
        """Return the text without the secrets found at one level of unescaping; None if there are none."""
        found: list[tuple[int, int, str]] = []
        for start, end, name in sorted(self._occurrences(level.text), key=lambda row: (row[0], -row[1])):
            first, last = level.span(start, end)
            if found and first < found[-1][1]:
                first, last, name = found[-1][0], max(last, found[-1][1]), found[-1][2]
                found.pop()
            found.append((first, last, name))
        if not found:
            return None
        parts, at = [], 0
        for start, end, name in found:
            parts += [text[at:start], _BLANK if self._hidden_within(name) else name]
            at = end
        return "".join([*parts, text[at:]])

    def _occurrences(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Yield (start, end, placeholder) of secrets and their pieces in a text of bytes."""
        for secret, name in self._plain.items():
            start = text.find(secret)
            while start >= 0:
                yield start, start + len(secret), name
                start = text.find(secret, start + 1)
        # Keys have thousands of pieces, too many to search for one by one.
        for length in {len(piece) for piece in self._pieces}:
            for start in range(len(text) - length + 1):
                named = self._pieces.get(text[start : start + length])
                if named is not None:
                    yield start, start + length, named

    def _hidden_within(self, name: str) -> bool:
        assert self._pattern is not None
        return bool(self._pattern.search(name)) or any(True for _ in self._occurrences(as_bytes(name)))

    def value(self, value: Any) -> Any:
        """Return a JSON-like value with every secret replaced, in member names too."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.value(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(item) for item in value]
        return value

    def _name(self, found: str) -> str:
        if found not in self._names:
            assert self._pattern is not None
            name = next(name for pattern, (_, name) in self._forms.items() if re.fullmatch(pattern, found))
            self._names[found] = _BLANK if self._pattern.search(name) else name
        return self._names[found]


@lru_cache(maxsize=64)
def hiding(secrets: frozenset[Secret]) -> Redactor:
    """Return a redactor for these secrets.

    Cached: exchanges of a run mostly share their secrets, and building a redactor is slow.
    """
    return Redactor(dict(sorted(secrets)))


def met_in(exchange: Exchange | None) -> Redactor:
    """Return a redactor for the cookies, tokens and signed query values that occur in one exchange."""
    if exchange is None:
        return hiding(frozenset())
    response = exchange.response
    headers = (*exchange.request.headers, *(response.headers if response else ()))
    body = response.body.decode("utf-8", "replace") if response else ""
    texts = (exchange.request.url, body, *(value for _, value in headers))
    return hiding(frozenset((*header_secrets(headers), *query_secrets(texts))))
