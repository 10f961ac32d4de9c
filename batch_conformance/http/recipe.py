"""Request recipes: requests as JSON for replay. They are safe to store: secrets are named, not written.

A text is a list of pieces. A string stands for itself; ``{"env": NAME}`` is the value of an environment
variable; ``{"key": LABEL}`` a variant of the API key; ``{"percent": PIECE}`` a piece, percent-encoded;
``{"base64": PIECES}`` pieces in base64; ``{"bytes": BASE64}`` text that is not printable ASCII.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from batch_conformance.http.model import Intent, Request
from batch_conformance.http.redact import Redactor
from batch_conformance.http.secrets import base64_with_secrets, split_at_secrets

Piece = Any
#: The longest text that is stored in a report, in characters.
LIMIT = 40_000


class NotRepeatable(ValueError):
    """Raised for a request that cannot be stored: too long, or with a secret in a form that has no name."""


def request_recipe(
    request: Request, intent: Intent, secrets: Mapping[str, Piece], redactor: Redactor
) -> dict[str, Any]:
    """Return a request and its intent as JSON values. Raises :class:`NotRepeatable`."""

    def pieces(text: str) -> list[Piece]:
        return text_recipe(text, secrets, redactor)

    recipe: dict[str, Any] = {
        "method": pieces(request.method),
        "url": pieces(request.url),
        "headers": [[pieces(name), pieces(value)] for name, value in request.headers],
        "probe": intent.probe,
        "id": pieces(intent.id),
        "id_kind": intent.id_kind,
        "key_kind": intent.key_kind,
        "label": pieces(intent.label),
        "operation": intent.operation,
    }
    if request.body:
        recipe["body"] = pieces(request.body.decode("utf-8", "surrogateescape"))
    return recipe


def text_recipe(text: str, secrets: Mapping[str, Piece], redactor: Redactor) -> list[Piece]:
    """Return the pieces of a text. Raises :class:`NotRepeatable`."""
    if len(text) > LIMIT:
        raise NotRepeatable("too long")
    known: dict[str, Piece] = {}
    for secret, piece in secrets.items():
        known[secret] = piece
        known.setdefault(quote(secret, safe=""), {"percent": piece})
    for word, plain in base64_with_secrets(text, secrets):
        known.setdefault(word, {"base64": text_recipe(plain, secrets, redactor)})
    pieces = split_at_secrets(text, known)
    return [known[piece] if is_secret else _literal(piece, redactor) for piece, is_secret in pieces]


def _literal(text: str, redactor: Redactor) -> Piece:
    if redactor.text(text) != text:
        raise NotRepeatable("it holds a secret in a form that has no name")
    if text.isascii() and text.isprintable():
        return text
    return {"bytes": base64.b64encode(text.encode("utf-8", "surrogateescape")).decode("ascii")}


def request_from(recipe: Mapping[str, Any], secret: Callable[[str, str], str]) -> tuple[Request, Intent]:
    """Return the request of a recipe. Raises ``ValueError`` if malformed.

    ``secret`` is called with "env" or "key" and the name, and returns the value.
    """

    def text(name: str) -> str:
        return text_from(recipe.get(name, []), secret)

    fields = tuple((text_from(name, secret), text_from(value, secret)) for name, value in recipe["headers"])
    body = text("body").encode("utf-8", "surrogateescape")
    intent = Intent(recipe["probe"], text("id"), recipe["id_kind"], recipe["key_kind"], text("label"))
    intent = replace(intent, operation=str(recipe.get("operation", intent.operation)))
    return Request(text("method"), text("url"), fields, body), intent


def text_from(pieces: Sequence[Piece], secret: Callable[[str, str], str]) -> str:
    """Return the text of a list of pieces. Raises ``ValueError`` for a piece of an unknown kind."""
    return "".join(_piece_from(piece, secret) for piece in pieces)


def _piece_from(piece: Piece, secret: Callable[[str, str], str]) -> str:
    if isinstance(piece, str):
        return piece
    ((kind, value),) = piece.items()
    if kind in ("env", "key"):
        return secret(kind, value)
    if kind == "percent":
        return quote(_piece_from(value, secret), safe="")
    if kind == "base64":
        return base64.b64encode(text_from(value, secret).encode("utf-8", "surrogateescape")).decode("ascii")
    if kind == "bytes":
        return base64.b64decode(value, validate=True).decode("utf-8", "surrogateescape")
    raise ValueError(f"a piece of an unknown kind {kind!r}")
