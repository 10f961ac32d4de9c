"""Patterns of what an error must not disclose: stack traces, source paths, SQL, errors of database drivers."""

from __future__ import annotations

import re

#: Patterns by what they detect.
INTERNALS = {
    "a Python stack trace": re.compile(r"Traceback \(most recent call last\)|File \"[^\"]+\", line \d+"),
    "a JavaScript stack trace": re.compile(
        r"\bat\s+(?:[\w$.<>\[\] ]+\s+)?\(?(?:(?:file://|/|[A-Z]:\\)[^\s)]*\.[cm]?[jt]sx?|node:[\w/]+):\d+"
    ),
    "a Java stack trace": re.compile(
        r"\bat\s+(?:[\w.]+@?[\w.]*/)?[\w.$]+\([\w$]+\.(?:java|kt|scala):\d+\)|Exception in thread"
        r"|\bjava(?:\.\w+)+\.\w+(?:Exception|Error)\b"
    ),
    "a Go stack trace": re.compile(r"goroutine \d+ \[|panic: runtime error|\.go:\d+"),
    "another stack trace": re.compile(r"\.(?:rb|php|cs|py|ts|js|ex|rs|c|cpp)(?::| line |\()\d+|#\d+ /\S+\(\d+\)"),
    "a source path": re.compile(
        r"(?<![\w/.])/(?:usr|home|app|srv|opt|var|root|etc|Users|src|code|workspace|build|data)/"
        r"(?:[\w.\-]+/)*[\w\-]+\.\w{1,5}\b"
        r"|(?<![\w/.])/(?:usr|home|app|srv|opt|var|root|etc|Users)/[\w.\-]+/[\w.\-]+/|\bENOENT\b"
        r"|\b[A-Za-z]:\\[\w\\.\- ]+|node_modules/|site-packages/"
        r"|\bsrc/[\w/\-]+\.(?:py|[cm]?[jt]sx?|rb|go|java|kt|php|cs|rs|exs?|cpp|c|h)\b"
    ),
    "SQL": re.compile(
        r"(?-i:\bSELECT\b.+\bFROM\b|\bINSERT\s+INTO\b|\bUPDATE\b.+\bSET\b|\bDELETE\s+FROM\b)|"
        r"\bselect\s+\*\s+from\b|"
        r"\bwhere\s+\w+\s*=\s*[$'?\d]|syntax error at or near|SQLSTATE|\bORA-\d{5}|SQL syntax|no such (?:table|column)|"
        r"relation \"[^\"]*\" does not",
        re.IGNORECASE | re.DOTALL,
    ),
    "a database driver's error": re.compile(
        r"\b(?:psycopg2?|sqlite3|sqlalchemy|pymongo|MongoError|MongoServerError|PrismaClient\w*|SequelizeDatabaseError|"
        r"QueryFailedError|CastError|Cast to \w+ failed for value|PG::\w+|mysql_|java\.sql|redis\.exceptions)\b"
    ),
}
