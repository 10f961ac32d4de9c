"""Curl command lines that repeat recorded requests. Keys are read from environment variables."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from urllib.parse import quote

from batch_conformance.http.model import Exchange, Request, overlapping
from batch_conformance.http.secrets import base64_with_secrets, split_at_secrets

#: Headers that curl sends by itself, or that only affect how the response is displayed.
_OMITTED = frozenset({"host", "connection", "accept-encoding", "user-agent"})
_USUAL_ACCEPT = frozenset({"application/json", "*/*"})


def curl_line(request: Request, secrets: Mapping[str, str], ca: str = "") -> str:
    """Return the request as a curl line for a POSIX shell.

    ``secrets`` maps each secret to the shell expression that yields it. ``ca`` is a file of certificates to trust.
    """
    feed, words = _command(request, secrets, ca)
    return feed + " ".join(["curl", *words])


def curl_lines(steps: Sequence[Exchange], secrets: Mapping[str, str], ca: str = "") -> str:
    """Return one shell line that repeats several requests as they were sent.

    That is over one connection, concurrently where they overlapped, or else one after the other.
    """
    if len(steps) == 1:
        return curl_line(steps[0].request, secrets, ca)
    commands = [_command(step.request, secrets, ca) for step in steps]
    for _, words in commands[:-1]:
        # Bodies end without a line feed; start the next response on a new line.
        words[:0] = ["-w", r"'\n'"]
    pairs = list(pairwise(steps))
    if all(first.connection == second.connection for first, second in pairs) and not any(feed for feed, _ in commands):
        # One curl process reuses its connection, as long as the server keeps it open.
        return "curl " + " --next ".join(" ".join(words) for _, words in commands)
    lines = [feed + " ".join(["curl", *words]) for feed, words in commands]
    if any(overlapping(first, second) for first, second in pairs):
        return " & ".join([*lines, "wait"])
    return "; ".join(lines)


def _command(request: Request, secrets: Mapping[str, str], ca: str) -> tuple[str, list[str]]:
    """Return the command whose output is piped into curl (or ""), and curl's arguments."""
    known = {**dict(_encoded(secrets)), **dict(_wrapped(request, secrets))}
    words = ["-sS", "-i", "--path-as-is"]
    if ca:
        words += ["--cacert", shlex.quote(ca)]
    if re.search(r"[][{}]", request.url):
        words.append("--globoff")
    if request.method == "HEAD":
        words.append("--head")
    elif request.method != "GET" or request.body:
        words += ["-X", shlex.quote(request.method)]
    for name, value in _special_headers(request):
        # curl omits a header with nothing after the colon; with a semicolon, it sends it empty.
        words += ["-H", _quote(f"{name}: {value}" if value else f"{name};", known)]
    if not request.header_values("user-agent"):
        words += ["-H", "User-Agent:"]
    feed = ""
    if request.body:
        if not request.header_values("content-type"):
            words += ["-H", "Content-Type:"]
        text = request.body.decode("utf-8", "surrogateescape")
        if _is_plain(text):
            words += ["--data-raw", _quote(text, known)]
        else:
            # Arguments cannot hold every byte, so the body is piped in.
            feed = _printed(text, known) + " | "
            words += ["--data-binary", "@-"]
    return feed, [*words, _quote(request.url, known)]


def _special_headers(request: Request) -> Iterator[tuple[str, str]]:
    for name, value in request.headers:
        lower = name.lower()
        omitted = (
            lower in _OMITTED
            or (lower == "content-length" and bool(request.body))
            or (lower == "accept" and value in _USUAL_ACCEPT)
        )
        if not omitted:
            yield name, value


def _encoded(secrets: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield each secret, plain and percent-encoded, with the shell expression for it."""
    for secret, expression in secrets.items():
        if not secret:
            continue
        yield secret, expression
        encoded = quote(secret, safe="")
        if encoded != secret and secret.isascii():
            changed = [char for char in dict.fromkeys(secret) if quote(char, safe="") != char]
            # Replace the percent sign first: the other substitutions insert more of them.
            script = ";".join(map(_substitution, sorted(changed, key=lambda char: char != "%")))
            yield encoded, f'$(printf %s "{expression}" | sed {shlex.quote(script)})'


def _wrapped(request: Request, secrets: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield base64 words that hold a secret (e.g. ``user:key``), with the shell expressions for them."""
    texts = [request.url, *(value for _, value in request.headers)]
    for word, plain in base64_with_secrets(" ".join(texts), secrets):
        yield word, f"$(printf %s {_quote(plain, secrets)} | base64 | tr -d '\\n')"


def _substitution(char: str) -> str:
    mark = "," if char == "#" else "#"
    found = r"\^" if char == "^" else f"[{char}]"
    return f"s{mark}{found}{mark}{quote(char, safe='')}{mark}g"


def _quote(text: str, secrets: Mapping[str, str]) -> str:
    pieces = split_at_secrets(text, secrets)
    words = (f'"{secrets[piece]}"' if is_secret else _literal(piece) for piece, is_secret in pieces)
    return "".join(words) or "''"


def _literal(text: str) -> str:
    if _is_plain(text):
        return shlex.quote(text)
    # $'…' would be shorter, but POSIX does not require it. "$(…)" strips line feeds at the end; the printf
    # command ends in none.
    runs = re.split(r"([^ -~]+)", text)
    return "".join(f'"$({_printf(run)})"' if index % 2 else shlex.quote(run) for index, run in enumerate(runs) if run)


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _printed(text: str, secrets: Mapping[str, str]) -> str:
    parts = [
        f'printf %s "{secrets[piece]}"' if is_secret else _printf(piece)
        for piece, is_secret in split_at_secrets(text, secrets)
    ]
    return parts[0] if len(parts) == 1 else "{ " + "; ".join(parts) + "; }"


def _printf(text: str) -> str:
    """Return a printf command that writes the text, with all bytes but letters and digits in octal."""
    escaped = "".join(
        chr(byte) if chr(byte).isalnum() and byte < 128 else f"\\{byte:03o}"
        for byte in text.encode("utf-8", "surrogateescape")
    )
    return f"printf '{escaped}'"
