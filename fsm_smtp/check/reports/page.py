"""What every HTML page of ours has: one file, nothing loaded, nothing of a server believed.

Each text that a template prints is escaped for HTML by Jinja2, and before that made visible
(`visible`): control characters and those that turn text around become escapes. The style and the
script are named to the browser by their hashes; it runs and loads nothing else.
"""

import base64
import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from fsm_smtp.check.engine.transcript import printable
from fsm_smtp.check.reports.visible import visible
from fsm_smtp.version import __version__

_TEMPLATES = Path(__file__).parent / "templates"


def render_page(template: str, **values: Any) -> str:
    """The page that *template* makes of *values*."""
    css, js = shipped("page.css"), shipped("page.js")
    return (
        _environment()
        .get_template(template)
        .render(
            css=css,
            css_hash=_hash(css),
            js=js,
            js_hash=_hash(js),
            version=__version__,
            **values,
        )
    )


@lru_cache
def shipped(name: str) -> Markup:
    """A file of ours, to stand in a page as it is."""
    return Markup((_TEMPLATES / name).read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
    )
    environment.filters["octets"] = octets
    return environment


def octets(text: str) -> str:
    """Text of a server that stands for octets, each shown as in a transcript."""
    return printable(text.encode("latin-1", "replace"))


def _finalize(value: object) -> object:
    if isinstance(value, str) and not isinstance(value, Markup):
        return visible(value)
    return value


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
