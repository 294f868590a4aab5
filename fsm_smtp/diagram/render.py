"""DOT text as an image, by the `graphviz` package and the program ``dot``."""

import importlib
from typing import Any, Literal

Image = Literal["svg", "png"]


class CannotDraw(RuntimeError):
    """Something that draws is not installed, or failed; the message says what to do."""


def render(dot: str, image: Image) -> bytes:
    """The picture in this format.

    Raises:
        CannotDraw: the package or the program is missing, or the program fails.
    """
    try:
        # Imported here because it is an extra, and only images need it.
        graphviz: Any = importlib.import_module("graphviz")
    except ModuleNotFoundError as error:
        raise CannotDraw("drawing needs a package: pip install 'fsm-smtp[graph]'") from error
    try:
        drawn: bytes = graphviz.Source(dot).pipe(format=image)
    except graphviz.ExecutableNotFound as error:
        what = "drawing needs Graphviz's program dot: apt install graphviz"
        raise CannotDraw(what) from error
    except graphviz.CalledProcessError as error:
        raise CannotDraw(f"dot fails: {error.stderr.decode(errors='replace').strip()}") from error
    return drawn
