"""Lines of a transcript read back: who wrote which octets, and when."""

import re
from dataclasses import dataclass

#: ``   0.001 C: EHLO client.example.test``, as `transcript.Transcript` writes it; the name of the
#: session stands before the C if there are several.
_LINE = re.compile(r" *(\d+\.\d{3}) (?:([a-z0-9_-]+) )?(C:|S:|--) ?(.*)\Z", re.DOTALL)
_CUT = re.compile(r"(.*)… \((\d+) octets\)\Z", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|([tnr\\]))")
_NAMED = {"t": "\t", "n": "\n", "r": "\r", "\\": "\\"}


@dataclass(slots=True)
class Line:
    """A line of a transcript.

    Attributes:
        text: what was written, or happened; the whole line if it is none of a transcript.
        seconds: since the connection was asked for; ``""`` if the line has no time.
        session: name of the session, if there are several.
        who: ``"C"``, ``"S"``, or ``"-"`` for everything else.
        state: name of the client's state after it; ``""`` if it cannot be known.
        refused: why the table refuses it, with the RFC section; ``""`` if it does not.
        blame: what the table says is wrong with what the server did; ``""`` for nothing.
        ahead: whether it was written before the reply to the line before it had come.
    """

    text: str
    seconds: str = ""
    session: str = ""
    who: str = "-"
    state: str = ""
    refused: str = ""
    blame: str = ""
    ahead: bool = False


def read_line(text: str) -> Line | None:
    """A line as `transcript.Transcript` writes it; ``None`` if it is none."""
    found = _LINE.match(text)
    if found is None:
        return None
    seconds, session, who, said = found.groups(default="")
    return Line(said, seconds, session, who[0])


def octets_of(text: str) -> bytes:
    """What `transcript.printable` was given; a line that was cut is filled up with x."""
    if cut := _CUT.match(text):
        shown = octets_of(cut[1])
        return shown + b"x" * (int(cut[2]) - len(shown) - 2)
    unescaped = _ESCAPE.sub(
        lambda found: chr(int(found[1], 16)) if found[1] else _NAMED[found[2]], text
    )
    return unescaped.encode("latin-1", "replace")
