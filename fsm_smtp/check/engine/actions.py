"""What a step writes, and how messages name it."""

from collections.abc import Mapping

from fsm_smtp.check.cases.case import Action, Step
from fsm_smtp.check.cases.template import render
from fsm_smtp.check.engine.judge import Asked
from fsm_smtp.check.engine.transcript import Redaction, printable

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


def asked(step: Step, texts: list[bytes], redaction: Redaction) -> list[Asked]:
    """What each awaited outcome answers."""
    match step.action:
        case Action.SETUP | Action.PIPELINE:
            return [_command(text, redaction) for text in texts]
        case Action.SEND:
            what = _command(texts[0], redaction)
        case Action.CHUNK:
            what = _command(_bdat(step, texts[0]), redaction)
        case Action.MESSAGE:
            what = Asked("to the end of data", b".")
        case Action.RAW:
            what = Asked(f"after {_short(b''.join(texts), redaction)}", texts[0])
        case Action.TLS:
            what = Asked("from the TLS handshake")
        case _:
            what = Asked("")
    return [what] * len(step.expects)


def _command(line: bytes, redaction: Redaction) -> Asked:
    return Asked(f"to {_short(line, redaction)}", line)


def is_whole(step: Step, texts: list[bytes]) -> bool:
    """Whether the server can read a command behind what *step* writes."""
    match step.action:
        case Action.CHUNK:
            return (step.declared or 0) <= len(texts[0])
        case Action.RAW:
            return texts[-1].endswith(b"\r\n")
        case _:
            return True


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
    text = printable(redaction.hide_command(octets))
    return f'"{text}"' if len(text) <= 70 else f'"{text[:60]}…" ({len(octets)} octets)'
