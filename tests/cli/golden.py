"""The golden pictures. After a wanted change of the table or of the pictures, write them anew:

    python -m tests.cli.golden

and look at the difference before it is committed.
"""

from pathlib import Path

from fsm_smtp.diagram import closeup, overview, to_dot, to_mermaid
from fsm_smtp.diagram.ways import Ways
from fsm_smtp.table import load_table

FOLDER = Path(__file__).parent / "golden"


def pictures(ways: Ways) -> dict[str, str]:
    """File name → text."""
    diagrams = {"overview": overview(ways), "auth": closeup(ways, "SMTP_AUTH")}
    return {
        **{f"{name}.dot": to_dot(diagram) for name, diagram in diagrams.items()},
        **{f"{name}.mmd": to_mermaid(diagram) for name, diagram in diagrams.items()},
    }


if __name__ == "__main__":
    for name, text in pictures(Ways(load_table())).items():
        (FOLDER / name).write_text(text, encoding="utf-8")
