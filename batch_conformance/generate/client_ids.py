"""Ids that a client has to encode into one path segment."""

from __future__ import annotations

from hypothesis import strategies as st

#: Ids that often break clients, the likeliest first, with a description. None is `.` or `..`.
TRICKY: tuple[tuple[str, str], ...] = (
    ("a/b", "a slash"),
    ("a b", "a space"),
    ("a?b=c", "a question mark"),
    ("a#b", "a hash"),
    ("a%b", "a percent sign"),
    ("a%2Fb", "what looks percent-encoded"),
    ("a+b", "a plus sign"),
    ("größe", "characters of two bytes"),
    ("café-ñ", "letters of Latin-1"),
    ("中文🎬", "characters of three and four bytes"),
    ("Batch_ABCdef", "both cases"),
    ("../x", "a path that climbs"),
    ("a/../b", "a path that climbs inside"),
    ("aGVsbG8==", "equals signs at the end"),
    ("a&b=c", "an ampersand and an equals sign"),
    ("a;v=1,b", "a semicolon and a comma"),
    ("a:b@c", "a colon and an at sign"),
    ("%2e%2e", "dots that look percent-encoded"),
    ("%", "a lone percent sign"),
    ("/", "a lone slash"),
    ("...", "three dots"),
    ("a\\b", "a backslash"),
    (' "a" ', "quotes and spaces around"),
    ("<a>{b}|^`[c]", "characters that URLs do not allow"),
    ("a!b$c'd(e)f*g", "sub-delimiters"),
    ("-._~", "unreserved characters only"),
    ("a%20b", "an encoded space"),
    ("a%252Fb", "what looks encoded twice"),
    ("e\u0301\u00e9", "a composed and a decomposed letter"),
    ("//host/path", "what looks like a host"),
    ("http://example.com/", "what looks like a URL"),
    ("0", "a zero"),
    ("00123", "zeros before digits"),
    ("1e5", "what looks like a number"),
    ("null", "the word null"),
    ("a" * 300, "300 characters"),
    ("\u05d0\u202e\u0627", "text from right to left"),
    ("?", "a lone question mark"),
    ("#", "a lone hash"),
    ("a/", "a slash at the end"),
    ("/a", "a slash at the start"),
    ("a.", "a dot at the end"),
    (".a", "a dot at the start"),
    ("%C3%BC", "encoded UTF-8"),
    ("9f1c8f3e-7a55-4c1b-9d5e-2f6a1b0c3d4e", "a UUID"),
    ("{id}", "a placeholder"),
    ("x" * 1500, "1,500 characters"),
)

#: Ids that path normalisation removes.
DOTS = ("", ".", "..")


def ids_of_every_kind() -> st.SearchStrategy[str]:
    """Generate ids of printable characters, including those special in URLs; never empty, `.` or `..`."""
    specials = st.sampled_from("/?#%&=+;:@,!$'()*[]{}|\\^`\"<> .~-_")
    plain = st.sampled_from("abcXYZ019")
    wide = st.characters(codec="utf-8", categories=("L", "N", "P", "S"))
    escapes = st.sampled_from(["%2F", "%2e", "%25", "%20", "%3F", "%C3%A9", "%zz", "..", "//"])
    piece = st.one_of(plain, specials, wide, escapes)
    return st.lists(piece, min_size=1, max_size=10).map("".join).filter(lambda text: text not in DOTS)
