"""A curl line that repeats a request, without its key: that stays in an environment variable."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

from batch_conformance.exchange.model import Request

_BORING = frozenset({"host", "content-length", "connection", "accept-encoding", "accept", "user-agent"})


def curl_line(request: Request, secrets: Mapping[str, str]) -> str:
    """One line for a POSIX shell. ``secrets`` maps each secret to the shell expression that yields it."""
    words = ["curl", "-sS", "-i", "--path-as-is"]
    if request.method == "HEAD":
        words.append("--head")
    elif request.method != "GET":
        words += ["-X", shlex.quote(request.method)]
    for name, value in request.headers:
        if name.lower() not in _BORING:
            # curl leaves a header with nothing after the colon out; a semicolon sends it empty.
            words += ["-H", _quote(f"{name}: {value}" if value else f"{name};", secrets)]
    if request.body:
        words += ["--data-binary", _quote(request.body.decode("utf-8", "backslashreplace"), secrets)]
    return " ".join([*words, _quote(request.url, secrets)])


def _quote(text: str, secrets: Mapping[str, str]) -> str:
    known = [secret for secret in sorted(secrets, key=len, reverse=True) if secret]
    if not known:
        return _literal(text)
    pieces = re.split("(" + "|".join(re.escape(secret) for secret in known) + ")", text)
    quoted = [
        f'"{secrets[piece]}"' if index % 2 else _literal(piece) for index, piece in enumerate(pieces) if piece
    ]
    return "".join(quoted) or "''"


def _literal(text: str) -> str:
    if text.isascii() and text.isprintable():
        return shlex.quote(text)
    escaped = "".join(
        char if char.isascii() and char.isprintable() and char not in "\\'" else _escape(char)
        for char in text
    )
    return f"$'{escaped}'"


def _escape(char: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in char.encode("utf-8", "surrogateescape"))
