"""Text about a client, made fit to be shown: without its keys, in one line, of bounded length."""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Callable

from batch_conformance.http import Redactor

Redact = Callable[[str], str]

#: A line of stderr that says what went wrong; in most languages it is not the last one.
_TELLING = re.compile(r"(error|exception|panic|fatal|cannot|not found)\b", re.IGNORECASE)
_SHORTEST_KEY = 4


class Wording:
    """Everything textual that a client causes passes through here before anybody sees it.

    ``redact`` is the run's redaction. The keys of the latest calls are hidden besides.
    """

    def __init__(self, redact: Redact = str) -> None:
        self._redact = redact
        self._keys: deque[str] = deque(maxlen=16)
        self._lock = threading.Lock()

    def learn(self, key: str) -> None:
        """Hide this key from now on. One too short to be told from ordinary text is left to ``redact``."""
        with self._lock:
            if len(key) >= _SHORTEST_KEY and key not in self._keys:
                self._keys.append(key)

    def block(self, text: str) -> str:
        """The text without secrets, its lines kept."""
        with self._lock:
            keys = tuple(self._keys)
        redactor = Redactor()
        for key in keys:
            redactor.add(key)
        return redactor.text(self._redact(text))

    def line(self, text: str, limit: int = 400) -> str:
        """The text without secrets, as one printable line of at most ``limit`` characters."""
        printable = "".join(char if char.isprintable() else " " for char in self.block(text))
        words = " ".join(printable.split())
        return words if len(words) <= limit else words[: limit - 1] + "…"

    def with_stderr(self, sentence: str, stderr: str) -> str:
        """The sentence in one line, with the line of ``stderr`` that tells most, if there is any."""
        lines = [line for line in stderr.splitlines() if line.strip()]
        telling = [line for line in lines if _TELLING.search(line)] or lines
        shown = self.line(sentence, 700)
        return f"{shown}; its stderr says: {self.line(telling[-1], 250)}" if telling else shown
