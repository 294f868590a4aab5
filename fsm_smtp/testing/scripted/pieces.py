"""Pieces of scripts: ``(*OPENING, *ENVELOPE, Body(), Close())``."""

from typing import Final

from fsm_smtp.testing.scripted.steps import Body, Close, Line, Say, Script, Step
from fsm_smtp.testing.server.options import NAME

GREETING: Final[Script] = (Say(f"220 {NAME}\r\n".encode()),)


def ehlo(*offers: str) -> Script:
    """The answer to EHLO, with these offers."""
    lines = [NAME, *offers]
    text = [f"250-{line}\r\n" for line in lines[:-1]] + [f"250 {lines[-1]}\r\n"]
    return (Line(b"EHLO"), Say("".join(text).encode()))


def answers(*pairs: tuple[bytes, bytes]) -> Script:
    """A line that begins so, and the answer to it, in turn."""
    return tuple(step for start, octets in pairs for step in (Line(start), Say(octets)))


def in_turn(*replies: bytes) -> Script:
    """Each reply to the next thing that comes: a line, or behind a 354 content.

    The greeting is the first. The connection ends at a 421, at an empty reply, and behind the line
    that follows the last.
    """
    steps: list[Step] = []
    for reply in replies:
        steps.append(Say(reply))
        if not reply or reply.startswith(b"421"):
            break
        steps.append(Body() if reply.startswith(b"354") else Line())
    return tuple(steps)


OPENING: Final[Script] = (*GREETING, *ehlo("SIZE", "8BITMIME"))
ENVELOPE: Final[Script] = answers(
    (b"MAIL", b"250 ok\r\n"), (b"RCPT", b"250 ok\r\n"), (b"DATA", b"354 go\r\n")
)
GOODBYE: Final[Script] = (*answers((b"QUIT", b"221 bye\r\n")), Close())
#: From the greeting to the 250 behind the message.
DELIVERY: Final[Script] = (*OPENING, *ENVELOPE, Body(), Say(b"250 taken\r\n"))
