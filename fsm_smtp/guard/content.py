"""Watching content that somebody's client sends between 354 and the end of data.

The client has made the content fit for the wire, or should have: every CR and LF belongs to a CRLF
(RFC 5321 §2.3.8), and CRLF.CRLF stands at its end and nowhere else (§4.1.1.4). Variants of that
end with NUL in them are what SMTP smuggling is made of.

Most clients send content in one piece. Looking for octets at the speed of memory is nearly the
whole cost then; a regular expression over the content would cost ten times as much.
"""

import re
from typing import Final

END: Final = b"\r\n.\r\n"
_BARE: Final = re.compile(rb"\r(?!\n)|(?<!\r)\n")
# An end of data that some server reads into it: NULs beside the dot (those inside a CRLF are bare).
_NULS: Final = re.compile(rb"\r\n(?:\0+\.\0*|\.\0+)\r\n")
#: Up to this size the comparison with a rebuilt copy is the quickest test for bare CR and LF.
_SMALL: Final = 8192
#: How much of what has passed a variant of the end of data can reach back.
_SEAM: Final = 16

#: What is wrong, and the section that says so.
Wrong = tuple[str, str]


def fault(octets: bytes, before: bytes = b"\r\n") -> Wrong | None:
    """What is wrong with the line ends of *octets*, content that follows *before*.

    A CR at the very end counts as bare, and so does an LF at the very beginning.
    """
    if len(octets) <= _SMALL:
        if octets.replace(b"\r", b"").replace(b"\n", b"\r\n") != octets:
            return _bare(octets)
    else:
        ends = octets.count(b"\r\n")
        if octets.count(b"\r") != ends or octets.count(b"\n") != ends:
            return _bare(octets)
    if 0 in octets or 0 in before:
        variant = _NULS.search(before + octets)
        if variant is not None and variant.end() > len(before):
            return f"{variant[0]!r}, which some servers read as the end of data", "5321 §4.1.1.4"
    return None


def is_plain(octets: bytes) -> bool:
    """Whether *octets* are a whole content with nothing to look at twice.

    The end of data stands at its end and nowhere before, every CR and LF belongs to a CRLF, and
    there is no NUL.
    """
    return (
        octets[-5:] == END
        and octets.find(END) == len(octets) - 5
        and 0 not in octets
        and (
            octets.replace(b"\r", b"").replace(b"\n", b"\r\n") == octets
            if len(octets) <= _SMALL
            else fault(octets) is None
        )
        and octets[:3] != b".\r\n"
    )


def _bare(octets: bytes) -> Wrong:
    bare = _BARE.search(octets)
    assert bare is not None
    name = "CR" if bare[0] == b"\r" else "LF"
    return f"a bare {name} at octet {bare.start()} of this piece of the content", "5321 §2.3.8"


class ContentWatch:
    """Content that comes in pieces, cut anywhere.

    What could be the beginning of the end of data, or half a CRLF, has to wait until more comes:
    octets that have been let go cannot be called back.
    """

    __slots__ = ("before",)

    def __init__(self) -> None:
        #: What has passed last. The CRLF of DATA counts: it is half of the end of an empty content.
        self.before = b"\r\n"

    def measure(self, octets: bytes, start: int = 0) -> tuple[int, bool]:
        """Where in *octets*, from *start*, that which can be judged now ends, and whether the
        content ends there."""
        first = self.before.endswith(b"\r\n")
        if first and octets.startswith(b".\r\n", start):
            return start + 3, True
        end = octets.find(END, start)
        if end >= 0:
            return end + len(END), True
        if first and octets[start:] in (b".", b".\r"):
            return start, False
        for tail, waits in ((b"\r\n.\r", 2), (b"\r\n.", 1), (b"\r", 1)):
            if octets.endswith(tail, start):
                return len(octets) - waits, False
        return len(octets), False

    def fault(self, octets: bytes) -> Wrong | None:
        """What is wrong with *octets*, a piece that `measure` gave; it counts as passed then."""
        found = fault(octets, self.before)
        self.before = (self.before + octets[-_SEAM:])[-_SEAM:]
        return found
