"""What a step writes, and how messages name it."""

from collections.abc import Mapping

from fsm_smtp.check.case import Action, Step
from fsm_smtp.check.template import render
from fsm_smtp.check.transcript import Redaction, printable

#: Actions whose octets are written as they stand.
_VERBATIM = (Action.RAW, Action.CHUNK)


def written(step: Step, values: Mapping[str, str]) -> list[bytes]:
    """The texts of *step*, filled in; without the line ends that the action adds."""
    line_end = "\r\n" if step.action in _VERBATIM else "\n"
    return [render(text, values, line_end=line_end).encode("latin-1") for text in step.texts]


def segments(step: Step, texts: list[bytes]) -> list[bytes]:
    """What *step* writes, each item in a write of its own."""
    match step.action:
        case Action.RAW:
            return texts
        case Action.MESSAGE:
            return [_content(texts[0])]
        case Action.CHUNK:
            return [_bdat(step, texts[0]) + b"\r\n" + texts[0]]
        case Action.SETUP | Action.SEND | Action.PIPELINE:
            return [b"".join(text + b"\r\n" for text in texts)]
        case _:
            return []


def names(step: Step, texts: list[bytes], redaction: Redaction) -> list[str]:
    """What each awaited outcome answers, in the words of a message: ``to "NOOP"``."""
    match step.action:
        case Action.SETUP | Action.PIPELINE:
            return [name(text, redaction) for text in texts]
        case Action.SEND:
            what = name(texts[0], redaction)
        case Action.CHUNK:
            what = name(_bdat(step, texts[0]), redaction)
        case Action.MESSAGE:
            what = "to the end of data"
        case Action.RAW:
            what = f"after {_short(b''.join(texts), redaction)}"
        case Action.TLS:
            what = "from the TLS handshake"
        case _:
            what = ""
    return [what] * len(step.expects)


def name(line: bytes, redaction: Redaction) -> str:
    """The command *line* in a message."""
    return f"to {_short(line, redaction)}"


def leaves_a_chunk_open(step: Step, texts: list[bytes]) -> bool:
    """Whether the server still waits for octets that *step* has announced."""
    return step.action is Action.CHUNK and (step.declared or 0) > len(texts[0])


def _content(text: bytes) -> bytes:
    """*text* as content with its end of data (RFC 5321 §4.5.2)."""
    lines = text.removesuffix(b"\n").split(b"\n")
    stuffed = (b"." + line if line.startswith(b".") else line for line in lines)
    return b"".join(line + b"\r\n" for line in (*stuffed, b"."))


def _bdat(step: Step, octets: bytes) -> bytes:
    """BDAT with the chunk's size, true or declared (RFC 3030 §2)."""
    size = len(octets) if step.declared is None else step.declared
    return b"BDAT %d%s" % (size, b" LAST" if step.last else b"")


def _short(octets: bytes, redaction: Redaction) -> str:
    text = printable(redaction.hide(octets))
    return f'"{text}"' if len(text) <= 70 else f'"{text[:60]}…" ({len(octets)} octets)'
