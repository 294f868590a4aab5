"""Where the data lies: inside the installed package, or at the top of a checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def spec_path(*parts: str) -> Path:
    """The path of a shipped data file, such as ``spec_path("transitions.yaml")``.

    A wheel carries ``specs/`` inside the package; a checkout has it beside the package.
    """
    installed = _PACKAGE / "specs"
    root = installed if installed.is_dir() else _PACKAGE.parent / "specs"
    return root.joinpath(*parts)
