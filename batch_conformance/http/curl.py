"""A curl line that repeats a request. The key is not in it but in an environment variable."""

from __future__ import annotations

import base64
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from urllib.parse import quote

from batch_conformance.http.model import Exchange, Request, overlapping

#: Headers that curl makes itself, or that only change how the answer is displayed.
_BORING = frozenset({"host", "connection", "accept-encoding", "user-agent"})
_USUAL_ACCEPT = frozenset({"application/json", "*/*"})


def curl_line(request: Request, secrets: Mapping[str, str]) -> str:
    """The request as a line for a POSIX shell. ``secrets`` maps each secret to the shell expression that yields it."""
    feed, words = _command(request, secrets)
    return feed + " ".join(["curl", *words])


def curl_lines(steps: Sequence[Exchange], secrets: Mapping[str, str]) -> str:
    """One line that repeats several requests as they were sent: over one connection, side by side, or in turn."""
    if len(steps) == 1:
        return curl_line(steps[0].request, secrets)
    commands = [_command(step.request, secrets) for step in steps]
    for _, words in commands[:-1]:
        # Bodies end without a line feed; the next answer is to start on a line of its own.
        words[:0] = ["-w", r"'\n'"]
    pairs = list(pairwise(steps))
    if all(first.connection == second.connection for first, second in pairs) and not any(
        feed for feed, _ in commands
    ):
        # One curl process keeps one connection, as long as the server does.
        return "curl " + " --next ".join(" ".join(words) for _, words in commands)
    lines = [feed + " ".join(["curl", *words]) for feed, words in commands]
    if any(overlapping(first, second) for first, second in pairs):
        return " & ".join([*lines, "wait"])
    return "; ".join(lines)


def _command(request: Request, secrets: Mapping[str, str]) -> tuple[str, list[str]]:
    """The command whose output is piped into curl, if any, and the arguments of curl."""
    known = {**dict(_encoded(secrets)), **dict(_wrapped(request, secrets))}
    words = ["-sS", "-i", "--path-as-is"]
    if re.search(r"[][{}]", request.url):
        words.append("--globoff")
    if request.method == "HEAD":
        words.append("--head")
    elif request.method != "GET" or request.body:
        words += ["-X", shlex.quote(request.method)]
    for name, value in _special_headers(request):
        # curl leaves a header with nothing after the colon out; a semicolon sends it empty.
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
            # Arguments cannot hold every byte; a pipe can.
            feed = _printed(text, known) + " | "
            words += ["--data-binary", "@-"]
    return feed, [*words, _quote(request.url, known)]


def _special_headers(request: Request) -> Iterator[tuple[str, str]]:
    for name, value in request.headers:
        plain = name.lower()
        boring = (
            plain in _BORING
            or (plain == "content-length" and bool(request.body))
            or (plain == "accept" and value in _USUAL_ACCEPT)
        )
        if not boring:
            yield name, value


def _encoded(secrets: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Each secret as it is and percent-encoded, with the shell expressions that yield them."""
    for secret, expression in secrets.items():
        if not secret:
            continue
        yield secret, expression
        encoded = quote(secret, safe="")
        if encoded != secret and secret.isascii():
            changed = [char for char in dict.fromkeys(secret) if quote(char, safe="") != char]
            # The percent sign first: the others put more of them in.
            script = ";".join(map(_substitution, sorted(changed, key=lambda char: char != "%")))
            yield encoded, f'$(printf %s "{expression}" | sed {shlex.quote(script)})'


def _wrapped(request: Request, secrets: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Words in base64 that hold a secret, e.g. a user's name and the key, with the expressions that yield them."""
    texts = [request.url, *(value for _, value in request.headers)]
    for word in re.findall(r"[A-Za-z0-9+/]{8,}={0,2}", " ".join(texts)):
        try:
            plain = base64.b64decode(word, validate=True).decode("utf-8")
        except ValueError:
            continue
        if any(secret and secret in plain for secret in secrets):
            yield word, f"$(printf %s {_quote(plain, secrets)} | base64 | tr -d '\\n')"


def _substitution(char: str) -> str:
    mark = "," if char == "#" else "#"
    found = r"\^" if char == "^" else f"[{char}]"
    return f"s{mark}{found}{mark}{quote(char, safe='')}{mark}g"


def _quote(text: str, secrets: Mapping[str, str]) -> str:
    words = (f'"{secrets[piece]}"' if secret else _literal(piece) for piece, secret in _pieces(text, secrets))
    return "".join(words) or "''"


def _pieces(text: str, secrets: Mapping[str, str]) -> Iterator[tuple[str, bool]]:
    """The text in pieces, and of each whether it is a secret. The longest secrets are found first."""
    known = sorted(filter(None, secrets), key=len, reverse=True)
    if not known:
        yield text, False
        return
    for index, piece in enumerate(re.split("(" + "|".join(map(re.escape, known)) + ")", text)):
        if piece:
            yield piece, index % 2 == 1


def _literal(text: str) -> str:
    if _is_plain(text):
        return shlex.quote(text)
    # $'…' would be shorter, but POSIX does not require it. Line feeds at the end would get lost: there are none here.
    runs = re.split(r"([^ -~]+)", text)
    return "".join(
        f'"$({_printf(run)})"' if index % 2 else shlex.quote(run) for index, run in enumerate(runs) if run
    )


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _printed(text: str, secrets: Mapping[str, str]) -> str:
    parts = [
        f'printf %s "{secrets[piece]}"' if secret else _printf(piece)
        for piece, secret in _pieces(text, secrets)
    ]
    return parts[0] if len(parts) == 1 else "{ " + "; ".join(parts) + "; }"


def _printf(text: str) -> str:
    """A printf that yields the text, byte by byte; letters and digits stay readable."""
    escaped = "".join(
        chr(byte) if chr(byte).isalnum() and byte < 128 else f"\\{byte:03o}"
        for byte in text.encode("utf-8", "surrogateescape")
    )
    return f"printf '{escaped}'"
