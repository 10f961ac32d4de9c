"""One recorded HTTP exchange, byte-exact; how to repeat it with curl; how to show it without its secrets."""

from batch_conformance.http.curl import curl_line, curl_lines
from batch_conformance.http.model import Exchange, Failure, Intent, Request, Response
from batch_conformance.http.redact import Redactor
from batch_conformance.http.strict_json import Json, Member, NotJson, read_json

__all__ = [
    "Exchange",
    "Failure",
    "Intent",
    "Json",
    "Member",
    "NotJson",
    "Redactor",
    "Request",
    "Response",
    "curl_line",
    "curl_lines",
    "read_json",
]
