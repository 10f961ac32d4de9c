"""The one redactor. Every text that leaves the process passes through it."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

PLACEHOLDER = "[api-key]"


class Redactor:
    """Replaces secrets, in the encodings they may turn up in, by names that may be shown.

    Secrets are added with the name to show, so that "the key without its last character" stays recognisable.
    """

    def __init__(self, secrets: Mapping[str, str] | None = None) -> None:
        self._names: dict[str, str] = {}
        self._pattern: re.Pattern[str] | None = None
        for secret, name in (secrets or {}).items():
            self.add(secret, name)

    def add(self, secret: str, name: str = PLACEHOLDER) -> None:
        """Hide ``secret`` from now on, as ``name``. An empty secret hides nothing."""
        if not secret:
            return
        for form in _forms(secret):
            self._names.setdefault(form, name)
        # The longest first: a key must not be half replaced by a shorter variant of itself.
        ordered = sorted(self._names, key=len, reverse=True)
        self._pattern = re.compile("|".join(re.escape(form) for form in ordered))

    def text(self, text: str) -> str:
        """The text with every secret replaced."""
        if self._pattern is None:
            return text
        return self._pattern.sub(lambda match: self._names[match.group()], text)

    def value(self, value: Any) -> Any:
        """A JSON-like value with every secret replaced, in member names too."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.value(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(item) for item in value]
        return value


def _forms(secret: str) -> Iterable[str]:
    """The ways a secret is written on its way to a log: as is, percent-encoded, in JSON, in base64."""
    raw = secret.encode("utf-8", "surrogateescape")
    yield secret
    yield quote(raw, safe="")
    yield quote(raw)
    yield quote_plus(raw)
    yield json.dumps(secret)[1:-1]
    yield repr(secret)[1:-1]
    for basic in (raw, raw + b":", b":" + raw):
        yield base64.b64encode(basic).decode("ascii")
