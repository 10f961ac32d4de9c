"""Badge of a verdict, as SVG and as JSON. It contains no text from the subject."""

from __future__ import annotations

import json
from xml.etree.ElementTree import Element

from batch_conformance.report.labels import RUN_WORDS, Document, counts, standing, subject_failures
from batch_conformance.report.markup import h, svg

_LABEL = "Batch API"
_COLOURS = {
    "pass": "#17693c",
    "known": "#8a5a00",
    "outdated": "#8a5a00",
    "fail": "#b3261e",
    "error": "#5f5c54",
    "partial": "#5f5c54",
}
_LABEL_COLOUR = "#33322d"
_HEIGHT = 20
_PADDING = 8


def render_badge(document: Document) -> str:
    """Render the badge of a report as SVG, 20 px high."""
    where = standing(document)
    words = {
        "fail": f"{len(subject_failures(document))} failed",
        "known": f"{counts(document).get('known-failure', 0)} known",
        "outdated": "known failures out of date",
    }.get(where, RUN_WORDS[where].label)
    left, right = _width(_LABEL) + 2 * _PADDING, _width(words) + 2 * _PADDING
    image = h(
        "svg",
        h("title", f"{_LABEL} conformance, {document['subject']['side']} side: {words}"),
        h("rect", width=str(left + right), height=str(_HEIGHT), rx="4", fill=_LABEL_COLOUR),
        h("rect", x=str(left), width=str(right), height=str(_HEIGHT), rx="4", fill=_COLOURS[where]),
        # Covers the rounded inner corners of the coloured half.
        h("rect", x=str(left), width="4", height=str(_HEIGHT), fill=_COLOURS[where]),
        h("g", _words(_LABEL, left / 2), _words(words, left + right / 2), **_FONT),
        xmlns="http://www.w3.org/2000/svg",
        width=str(left + right),
        height=str(_HEIGHT),
        role="img",
        aria_label=f"{_LABEL}: {words}",
    )
    return svg(image) + "\n"


def render_endpoint(document: Document) -> str:
    """Render the badge as JSON for the endpoint badge of shields.io."""
    failed = counts(document).get("fail", 0)
    verdict = document["verdict"]
    message = RUN_WORDS[verdict].label if verdict != "fail" else f"{failed} failed"
    colour = _COLOURS[verdict].removeprefix("#")
    return json.dumps({"schemaVersion": 1, "label": _LABEL, "message": message, "color": colour}) + "\n"


_FONT = {
    "fill": "#fff",
    "text_anchor": "middle",
    "font_size": "11",
    "font_family": "Verdana, DejaVu Sans, sans-serif",
}


def _words(text: str, middle: float) -> Element:
    return h("text", text, x=f"{middle:g}", y="14", textLength=str(_width(text)))


def _width(text: str) -> int:
    """Estimate the width of a text in 11 px Verdana, in pixels; ``textLength`` stretches the text to it."""
    narrow, wide = "fijlrt1 ", "mwMW"
    return round(sum(4.2 if char in narrow else 10 if char in wide else 7 for char in text))
