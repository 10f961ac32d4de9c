"""The one redactor. Every text that leaves the process passes through it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from batch_conformance.exchange.secrets import piece_patterns, secret_patterns

PLACEHOLDER = "[api-key]"
#: Instead of a name that itself holds a secret (a key such as "api"): it would be replaced again and again.
_BLANK = "[…]"


class Redactor:
    """Replaces secrets, in the encodings they may turn up in, by names that may be shown.

    Secrets are added with the name to show, so that "the key without its last character" stays recognisable.
    """

    def __init__(self, secrets: Mapping[str, str] | None = None) -> None:
        self._forms: dict[str, tuple[int, str]] = {}
        self._pattern: re.Pattern[str] | None = None
        self._names: dict[str, str] = {}
        for secret, name in (secrets or {}).items():
            self.add(secret, name)

    def add(self, secret: str, name: str = PLACEHOLDER, *, pieces: str = "") -> None:
        """Hide ``secret`` from now on, as ``name``. An empty secret hides nothing.

        With ``pieces``, hide beginnings and ends of it as well, under that name: texts are cut before they get here.
        """
        if not secret:
            return
        for length, pattern in secret_patterns(secret):
            self._forms.setdefault(pattern, (length, name))
        if pieces:
            for length, pattern in piece_patterns(secret):
                self._forms.setdefault(pattern, (length, pieces))
        self._pattern = None
        self._names.clear()

    def text(self, text: str) -> str:
        """The text with every secret replaced."""
        if not self._forms:
            return text
        if self._pattern is None:
            # The longest first: a key must not be half replaced by a shorter variant of itself.
            self._forms = dict(sorted(self._forms.items(), key=lambda form: -form[1][0]))
            self._pattern = re.compile("|".join(self._forms))
        return self._pattern.sub(lambda match: self._name(match.group()), text)

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
