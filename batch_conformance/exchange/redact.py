"""The one redactor. Every text that leaves the process passes through it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from batch_conformance.exchange.escapes import Unescaped, as_bytes, unescaped
from batch_conformance.exchange.model import Exchange
from batch_conformance.exchange.secrets import middle_pieces, piece_patterns, secret_patterns
from batch_conformance.exchange.sensitive import Secret, header_secrets, query_secrets, without_sensitive

PLACEHOLDER = "[api-key]"
#: Instead of a name that itself holds a secret (a key such as "api"): it would be replaced again and again.
_BLANK = "[…]"


#: A secret may stand at several depths of escaping in one text; each round takes out one of them.
_ROUNDS = 8


class Redactor:
    """Replaces secrets, in the encodings they may turn up in, by names that may be shown.

    What no report shows is hidden besides, whoever it belongs to: see :mod:`batch_conformance.exchange.sensitive`.
    Secrets are added with the name to show, so that "the key without its last character" stays recognisable.
    """

    def __init__(self, secrets: Mapping[str, str] | None = None) -> None:
        self._forms: dict[str, tuple[int, str]] = {}
        self._pattern: re.Pattern[str] | None = None
        self._names: dict[str, str] = {}
        #: Secrets and their middle pieces as bytes, in which escapes of any depth are looked through.
        self._plain: dict[str, str] = {}
        self._pieces: dict[str, str] = {}
        self._deep: re.Pattern[str] | None = None
        for secret, name in (secrets or {}).items():
            self.add(secret, name)

    def add(self, secret: str, name: str = PLACEHOLDER, *, pieces: str = "") -> None:
        """Hide ``secret`` from now on, as ``name``. An empty secret hides nothing.

        With ``pieces``, hide parts of it as well, under that name: texts are cut before they get here.
        """
        if not secret:
            return
        for length, pattern in secret_patterns(secret):
            self._forms.setdefault(pattern, (length, name))
        self._plain.setdefault(as_bytes(secret), name)
        if pieces:
            self._pieces |= dict.fromkeys(middle_pieces(secret), pieces) | self._pieces
            for length, pattern in piece_patterns(secret):
                self._forms.setdefault(pattern, (length, pieces))
        self._pattern = self._deep = None
        self._names.clear()

    def text(self, text: str) -> str:
        """The text with every secret replaced, and without what no report shows."""
        if self._forms:
            if self._pattern is None:
                # The longest first: a key must not be half replaced by a shorter variant of itself.
                self._forms = dict(sorted(self._forms.items(), key=lambda form: -form[1][0]))
                self._pattern = re.compile("|".join(self._forms))
            text = self._pattern.sub(lambda match: self._name(match.group()), text)
            for _ in range(_ROUNDS):
                found = (self._looked_through(level, text) for level in reversed(unescaped(text)))
                replaced = next((shown for shown in found if shown is not None), text)
                if replaced == text:
                    break
                text = self._pattern.sub(lambda match: self._name(match.group()), replaced)
        return without_sensitive(text)

    def _looked_through(self, level: Unescaped, text: str) -> str | None:
        """The text without what stands in it once escapes are undone; None when there is nothing of the kind."""
        if self._deep is None:
            words = sorted({*self._plain, *self._pieces}, key=len, reverse=True)
            # Looking ahead finds pieces that overlap.
            self._deep = re.compile(f"(?=({'|'.join(map(re.escape, words))}))")
        found: list[tuple[int, int, str]] = []
        for match in self._deep.finditer(level.text):
            start, end = level.span(match.start(1), match.end(1))
            name = self._plain.get(match[1]) or self._pieces[match[1]]
            if found and start < found[-1][1]:
                start, end, name = found[-1][0], max(end, found[-1][1]), found[-1][2]
                found.pop()
            found.append((start, end, name))
        if not found:
            return None
        shown, at = [], 0
        for start, end, name in found:
            shown += [text[at:start], _BLANK if self._hidden_within(name) else name]
            at = end
        return "".join([*shown, text[at:]])

    def _hidden_within(self, name: str) -> bool:
        assert self._pattern is not None
        assert self._deep is not None
        return bool(self._pattern.search(name) or self._deep.search(name))

    def value(self, value: Any) -> Any:
        """A JSON-like value with every secret replaced, in member names too."""
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
    """A redactor for these secrets. The exchanges of a run mostly share theirs, and it takes its time to make."""
    return Redactor(dict(sorted(secrets)))


def met_in(exchange: Exchange | None) -> Redactor:
    """Hides the cookies, tokens and signed query values of one exchange, wherever in it they turn up."""
    if exchange is None:
        return hiding(frozenset())
    response = exchange.response
    headers = (*exchange.request.headers, *(response.headers if response else ()))
    body = response.body.decode("utf-8", "replace") if response else ""
    texts = (exchange.request.url, body, *(value for _, value in headers))
    return hiding(frozenset((*header_secrets(headers), *query_secrets(texts))))
