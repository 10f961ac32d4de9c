"""Recorded HTTP exchanges, strict JSON, curl lines, redaction and safe display of foreign text."""

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
