"""What is wrong with a client's line or content, wherever it stands: grammar, offers, lengths."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from fsm_smtp.errors import InvalidCommand
from fsm_smtp.wire import Command, commands, envelope_path, limits, mail_parameters, parse_bdat

_BARE: Final = re.compile(rb"\r(?!\n)|(?<!\r)\n")

#: The EHLO keyword that each parameter needs. BODY may need another one, see `_needed`.
_OF_EXTENSION: Final[Mapping[str, str]] = {
    "SIZE": "SIZE",
    "BODY": "8BITMIME",
    "SMTPUTF8": "SMTPUTF8",
    "AUTH": "AUTH",
    "REQUIRETLS": "REQUIRETLS",
    "RET": "DSN",
    "ENVID": "DSN",
    "NOTIFY": "DSN",
    "ORCPT": "DSN",
}


def mistakes_of(command: Command, offers: Mapping[str, object]) -> Iterator[InvalidCommand]:
    """What *command* breaks by itself.

    Args:
        command: a line that a client has sent.
        offers: the keywords that EHLO has offered to it, in upper case.
    """
    try:
        built = _STRICT.get(command.verb, _unknown)(command)
    except InvalidCommand as error:
        yield error
        return
    if built.line.upper() != command.line.upper():
        what = f"{command.redacted!r} where the grammar has {built.redacted!r}"
        yield InvalidCommand(what, "5321 §4.1.1")
    if command.verb in ("MAIL", "RCPT"):
        yield from _unoffered(command, offers)


def _unoffered(command: Command, offers: Mapping[str, object]) -> Iterator[InvalidCommand]:
    for name, value in mail_parameters(command.argument).items():
        keyword = _needed(name, value)
        if keyword not in offers:
            why = f"{keyword} was not offered" if keyword else "no RFC knows it"
            yield InvalidCommand(f"the parameter {name}: {why}", "5321 §2.2.1")


def _needed(name: str, value: bytes | None) -> str:
    if name == "BODY" and (value or b"").upper() == b"BINARYMIME":
        return "BINARYMIME"
    return _OF_EXTENSION.get(name, "")


def mistakes_in(content: bytes, *, binary: bool, eight_bit: bool) -> Iterator[InvalidCommand]:
    """What is wrong with the octets of a message, dot-stuffing undone.

    Args:
        content: the message.
        binary: BODY=BINARYMIME allows any octets (RFC 3030 §3).
        eight_bit: BODY=8BITMIME or SMTPUTF8 allows octets above 7F (RFC 6152 §3, RFC 6531 §3.6).
    """
    if binary:
        return
    bare = _BARE.search(content)
    if bare is not None:
        name = "CR" if bare[0] == b"\r" else "LF"
        yield InvalidCommand(f"a bare {name} at octet {bare.start()} of the content", "5321 §2.3.8")
    longest = max(map(len, content.split(b"\r\n"))) + 2
    if longest > limits.MAX_TEXT_LINE:
        yield InvalidCommand(f"a line of {longest} octets in the content", "5321 §4.5.3.1.6")
    if not eight_bit and not content.isascii():
        yield InvalidCommand("octets above 7F in content that is not 8BITMIME", "6152 §3")


def _envelope(build: Callable[..., Command], command: Command) -> Command:
    parameters = mail_parameters(command.argument)
    path = envelope_path(command.argument)
    if build is commands.rcpt:
        return commands.rcpt(path, parameters, utf8=not path.isascii())
    return commands.mail(path, parameters)


def _bdat(command: Command) -> Command:
    return commands.bdat(*parse_bdat(command.argument))


def _alone(command: Command) -> Command:
    if command.argument:
        raise InvalidCommand(f"{command.verb} with an argument", "5321 §4.1.1")
    return command


def _lookup(build: Callable[..., Command], command: Command) -> Command:
    argument = command.argument
    utf8 = argument.upper().endswith(b" SMTPUTF8")
    if utf8:
        argument = argument[: -len(b" SMTPUTF8")]
    if not argument:
        raise InvalidCommand(f"{command.verb} without a name", "5321 §4.1.1")
    return build(argument, utf8=utf8)


def _as_it_is(command: Command) -> Command:
    return command


def _unknown(command: Command) -> Command:
    verb = command.redacted.split(" ", 1)[0]
    raise InvalidCommand(f"{verb!r} is no command of SMTP", "5321 §4.1.1")


_STRICT: Final[Mapping[str, Callable[[Command], Command]]] = {
    "EHLO": lambda command: commands.ehlo(command.argument),
    "HELO": lambda command: commands.helo(command.argument),
    "MAIL": lambda command: _envelope(commands.mail, command),
    "RCPT": lambda command: _envelope(commands.rcpt, command),
    "DATA": _alone,
    "RSET": _alone,
    "QUIT": _alone,
    "STARTTLS": _alone,
    "BDAT": _bdat,
    "NOOP": lambda command: commands.noop(command.argument),
    "HELP": lambda command: commands.help_(command.argument),
    "VRFY": lambda command: _lookup(commands.vrfy, command),
    "EXPN": lambda command: _lookup(commands.expn, command),
    "AUTH": _as_it_is,
    "ETRN": _as_it_is,
}
