"""Sanitizing of text from a client before it is shown: no keys, one line, bounded length."""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Callable

from batch_conformance.http import Redactor

Redact = Callable[[str], str]

#: Matches the line of stderr that names the error; in most languages it is not the last one.
_TELLING = re.compile(r"(error|exception|panic|fatal|cannot|not found)\b", re.IGNORECASE)
_SHORTEST_KEY = 4


class Sanitizer:
    """Sanitizes all text that originates from a client.

    ``redact`` is the run's redaction. The keys of the last 16 calls are removed as well.
    """

    def __init__(self, redact: Redact = str) -> None:
        self._redact = redact
        self._keys: deque[str] = deque(maxlen=16)
        self._lock = threading.Lock()

    def add_key(self, key: str) -> None:
        """Redact this key from now on. Keys too short to tell from ordinary text are left to ``redact``."""
        with self._lock:
            if len(key) >= _SHORTEST_KEY and key not in self._keys:
                self._keys.append(key)

    def block(self, text: str) -> str:
        """Return the text without secrets, its lines kept."""
        with self._lock:
            keys = tuple(self._keys)
        redactor = Redactor()
        for key in keys:
            redactor.add(key)
        return redactor.text(self._redact(text))

    def line(self, text: str, limit: int = 400) -> str:
        """Return the text without secrets, as one printable line of at most ``limit`` characters."""
        printable = "".join(char if char.isprintable() else " " for char in self.block(text))
        words = " ".join(printable.split())
        return words if len(words) <= limit else words[: limit - 1] + "…"

    def with_stderr(self, sentence: str, stderr: str) -> str:
        """Return the sentence in one line, with the most telling line of ``stderr``, if there is any."""
        lines = [line for line in stderr.splitlines() if line.strip()]
        telling = [line for line in lines if _TELLING.search(line)] or lines
        sanitized = self.line(sentence, 700)
        return f"{sanitized}; its stderr says: {self.line(telling[-1], 250)}" if telling else sanitized
