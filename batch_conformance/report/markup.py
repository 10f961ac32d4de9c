"""HTML and SVG as element trees, in which the serialiser escapes all text."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from urllib.parse import quote
from xml.etree.ElementTree import Element, tostring

Child = Element | str | None
Children = Child | Iterable[Child]


def h(tag: str, *children: Children, **attributes: str | bool | None) -> Element:
    """Return an element.

    In attribute names ``_`` becomes ``-``, and a final ``_`` is dropped. None and False leave an attribute out.
    """
    element = Element(tag)
    for name, value in attributes.items():
        if value is not None and value is not False:
            element.set(name.rstrip("_").replace("_", "-"), "" if value is True else value)
    for child in children:
        if child is None or isinstance(child, str | Element):
            _append(element, child)
        else:
            for one in child:
                _append(element, one)
    return element


def _append(parent: Element, child: Child) -> None:
    if child is None:
        return
    if isinstance(child, Element):
        parent.append(child)
    elif len(parent):
        parent[-1].tail = (parent[-1].tail or "") + child
    else:
        parent.text = (parent.text or "") + child


def page(title: str, *, css: Iterable[str], script: str, icon: Element, body: Iterable[Child]) -> str:
    """Return an HTML page in one file, with a content security policy that allows only its own style and script.

    ``css`` and ``script`` name files of this package; ``icon`` is an SVG image.
    """
    style = "".join(asset(name) for name in css)
    code = asset(script)
    policy = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; "
        f"style-src '{_digest(style)}'; script-src '{_digest(code)}'"
    )
    root = h(
        "html",
        h(
            "head",
            h("meta", charset="utf-8"),
            h("meta", http_equiv="Content-Security-Policy", content=policy),
            h("meta", name="viewport", content="width=device-width, initial-scale=1"),
            h("meta", name="color-scheme", content="light dark"),
            h("meta", name="referrer", content="no-referrer"),
            h("title", title),
            h("link", rel="icon", href="data:image/svg+xml," + quote(svg(icon))),
            h("style", style),
        ),
        h("body", body, h("script", code)),
        lang="en",
    )
    return "<!doctype html>\n" + tostring(root, encoding="unicode", method="html") + "\n"


def svg(image: Element) -> str:
    """Serialise an SVG image."""
    return tostring(image, encoding="unicode")


@cache
def asset(name: str) -> str:
    """Read a text file beside this module. Raises ``ValueError`` for ``</``, which would end its element early."""
    text = files(__package__).joinpath(name).read_text("utf-8")
    if "</" in text:
        raise ValueError(f"{name} must not contain </")
    return text


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
