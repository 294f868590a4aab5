"""Commands: the lines that a client sends, built so that no line can hold a second one.

The functions here validate against `grammar` and refuse; nothing is ever stripped, cut or changed
to make it fit. Every `Command`, whoever made it, is one line: octets 00–1F and 7F are refused in
its final bytes (RFC 5321 §4.1.2, §2.3.8). What leaves it for logs is `Command.redacted`.
"""

import base64
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from fsm_smtp.errors import InvalidCommand
from fsm_smtp.wire import grammar, limits
from fsm_smtp.wire.parameters import Parameters, render_parameters
from fsm_smtp.wire.text import printable

_CONTROL: Final = re.compile(rb"[\x00-\x1f\x7f]")
_SHOWN_MECHANISM: Final = re.compile(rb"[A-Z0-9_-]{1,20}|[a-z0-9_-]{1,20}")
_REDACTED: Final = "[redacted]"


@dataclass(frozen=True, slots=True, repr=False)
class Command:
    """One line of a client: a command, or a line of a SASL exchange.

    Attributes:
        verb: in upper case (``"MAIL"``); ``""`` for a line of a SASL exchange.
        argument: everything behind the verb and its space, without CRLF; ``b""`` if none.
        line: the exact bytes for the wire, CRLF included. Built from *verb* and *argument* unless
            given; if given, it must hold just these.
        sasl: whether this is a response or a cancellation inside AUTH (RFC 4954 §4).

    Raises:
        InvalidCommand: the line is no single line free of control octets (RFC 5321 §4.1.2), or is
            not the verb and argument that it is said to be.
    """

    verb: str
    argument: bytes = b""
    line: bytes = b""
    sasl: bool = False

    def __post_init__(self) -> None:
        if self.line:
            body = _one_line(self.line)
            if (self.verb, self.argument) != (("", body) if self.sasl else _split(body)):
                raise InvalidCommand("a line that is not its verb and argument", "5321 §2.4")
            return
        verb = _verb(self.verb, self.sasl)
        separator = b" " if verb and self.argument else b""
        line = verb + separator + self.argument + b"\r\n"
        _one_line(line)
        object.__setattr__(self, "line", line)

    @property
    def redacted(self) -> str:
        """The line for logs and errors: no credentials, nothing a terminal would obey.

        ``AUTH PLAIN [redacted]`` for an AUTH with anything behind its mechanism, ``[redacted]`` for
        a line of a SASL exchange other than the cancellation ``*``.
        """
        if self.sasl:
            return "*" if self.argument == b"*" else _REDACTED
        if self.verb.startswith("AUTH"):
            return _redacted_auth(self.verb, self.argument)
        return printable(self.line[:-2])

    def __repr__(self) -> str:
        return f"<Command {self.redacted}>"

    def __str__(self) -> str:
        return self.redacted


@lru_cache(maxsize=64)
def _verb(verb: str, sasl: bool) -> bytes:
    if bool(verb) == sasl or " " in verb or verb != verb.upper():
        raise InvalidCommand(f"{verb!r} as a verb", "5321 §2.4")
    return _octets(verb, "a verb")


def _redacted_auth(verb: str, argument: bytes) -> str:
    mechanism, _, rest = argument.lstrip(b" ").partition(b" ")
    if verb != "AUTH" or (mechanism and not _SHOWN_MECHANISM.fullmatch(mechanism)):
        return f"AUTH {_REDACTED}"
    shown = f"AUTH {mechanism.decode('ascii')}".rstrip()
    return f"{shown} {_REDACTED}" if rest else shown


def _one_line(line: bytes) -> bytes:
    if line[-2:] != b"\r\n":
        raise InvalidCommand("a command line that does not end with CRLF", "5321 §2.3.8")
    control = _CONTROL.search(line)
    position = control.start() if control else 0
    if position != len(line) - 2:
        what = f"control octet {line[position]:02X} at offset {position} of a command line"
        raise InvalidCommand(what, "5321 §4.1.2")
    return line[:-2]


def _split(body: bytes) -> tuple[str, bytes]:
    verb, _, argument = body.lstrip(b" ").partition(b" ")
    return verb.decode("ascii", "backslashreplace").upper(), argument


def _octets(text: str | bytes, what: str, *, utf8: bool = False) -> bytes:
    if isinstance(text, str):
        try:
            text = text.encode("utf-8" if utf8 else "ascii")
        except UnicodeEncodeError:
            reason = "that UTF-8 cannot express" if utf8 else "outside ASCII without SMTPUTF8"
            raise InvalidCommand(f"{what} with characters {reason}", "6531 §3.2") from None
    return text


def _limited(verb: str, argument: bytes, limit: int = limits.MAX_COMMAND_LINE) -> Command:
    command = Command(verb, argument)
    if len(command.line) > limit:
        what = f"a line of {len(command.line)} octets for {verb}, longer than {limit}"
        raise InvalidCommand(what, "5321 §4.5.3.1.4")
    return command


def _hello(verb: str, name: str | bytes) -> Command:
    argument = _octets(name, "a host name")  # ASCII also with SMTPUTF8: RFC 6531 §3.7.1
    if not (grammar.is_domain(argument) or grammar.is_address_literal(argument)):
        what = f"{printable(argument)!r} is neither a domain nor an address literal"
        raise InvalidCommand(what, "5321 §4.1.1.1")
    if len(argument) > limits.MAX_DOMAIN:
        raise InvalidCommand("a host name longer than 255 octets", "5321 §4.5.3.1.2")
    return _limited(verb, argument)


def ehlo(name: str | bytes) -> Command:
    """EHLO with a domain or an address literal, brackets included (RFC 5321 §4.1.1.1)."""
    return _hello("EHLO", name)


def helo(name: str | bytes) -> Command:
    """HELO with a domain, or an address literal as §4.1.1.1's text (not its ABNF) allows."""
    return _hello("HELO", name)


def lhlo(name: str | bytes) -> Command:
    """LHLO, the EHLO of LMTP (RFC 2033 §4.1)."""
    return _hello("LHLO", name)


@lru_cache(maxsize=1024)
def _path(address: bytes, rule: grammar.Rule, section: str) -> bytes:
    match = rule.fullmatch(b"<" + address + b">")
    if match is None:
        raise InvalidCommand(f"{printable(address)!r} is no mailbox", f"5321 §{section}")
    route, local, domain = match.group("route", "local", "domain")
    if route is not None:
        raise InvalidCommand(f"{printable(address)!r} has a source route", "5321 appendix C")
    if local is not None:
        if len(local) > limits.MAX_LOCAL_PART:
            raise InvalidCommand("a local-part longer than 64 octets", "5321 §4.5.3.1.1")
        if len(domain) > limits.MAX_DOMAIN:
            raise InvalidCommand("a domain longer than 255 octets", "5321 §4.5.3.1.2")
    if len(match[0]) > limits.MAX_PATH:
        raise InvalidCommand("a path longer than 256 octets", "5321 §4.5.3.1.3")
    return match[0]


# Most mail of a session has the same sender, and many messages the same recipients: their lines
# are made once. Where only a parameter differs (SIZE), the path is still known.
@lru_cache(maxsize=1024)
def _mail(address: bytes, parameters: bytes, utf8: bool, limit: int) -> Command:
    rule = grammar.REVERSE_PATH_UTF8 if utf8 else grammar.REVERSE_PATH
    path = _path(address, rule, "4.1.1.2")
    return _limited("MAIL", b"FROM:" + path + parameters, limit)


@lru_cache(maxsize=1024)
def _rcpt(address: bytes, parameters: bytes, utf8: bool, limit: int) -> Command:
    rule = grammar.FORWARD_PATH_UTF8 if utf8 else grammar.FORWARD_PATH
    path = _path(address, rule, "4.1.1.3")
    return _limited("RCPT", b"TO:" + path + parameters, limit)


@lru_cache(maxsize=1024)
def _plain_mail(reverse_path: str | bytes) -> Command:
    address = _octets(reverse_path, "a reverse-path")
    return _mail(address, b"", False, limits.MAX_COMMAND_LINE)


@lru_cache(maxsize=1024)
def _plain_rcpt(forward_path: str | bytes, utf8: bool) -> Command:
    address = _octets(forward_path, "a forward-path", utf8=utf8)
    return _rcpt(address, b"", utf8, limits.MAX_COMMAND_LINE)


def mail(reverse_path: str | bytes, parameters: Parameters = ()) -> Command:
    """MAIL FROM (RFC 5321 §4.1.1.2).

    Args:
        reverse_path: a mailbox without angle brackets; ``""`` is the null path ``<>``. UTF-8 when
            SMTPUTF8 is among the parameters (RFC 6531 §3.3).
        parameters: ESMTP parameters in order, ``None`` for one without a value. ENVID and AUTH
            are xtext already (`grammar.xtext_encode`).

    Raises:
        InvalidCommand: no mailbox, a source route, a parameter that is malformed or repeated, or
            a line longer than 512 octets and what the parameters' extensions add.
    """
    if not parameters:
        return _plain_mail(reverse_path)
    rendered = render_parameters(parameters, limits.MAIL_GROWTH)
    address = _octets(reverse_path, "a reverse-path", utf8=rendered.utf8)
    return _mail(address, rendered.octets, rendered.utf8, rendered.limit)


def rcpt(forward_path: str | bytes, parameters: Parameters = (), *, utf8: bool = False) -> Command:
    """RCPT TO (RFC 5321 §4.1.1.3).

    Args:
        forward_path: a mailbox without angle brackets, or ``Postmaster``.
        parameters: as for `mail`; ORCPT is an address type, ``;`` and xtext.
        utf8: whether the transaction's MAIL carries SMTPUTF8 (RFC 6531 §3.3).

    Raises:
        InvalidCommand: as for `mail`.
    """
    if not parameters:
        return _plain_rcpt(forward_path, utf8)
    rendered = render_parameters(parameters, limits.RCPT_GROWTH, utf8=utf8)
    address = _octets(forward_path, "a forward-path", utf8=utf8)
    return _rcpt(address, rendered.octets, utf8, rendered.limit)


_DATA: Final = Command("DATA")
_RSET: Final = Command("RSET")
_QUIT: Final = Command("QUIT")
_STARTTLS: Final = Command("STARTTLS")
_SASL_CANCEL: Final = Command("", b"*", sasl=True)


def data() -> Command:
    """DATA (RFC 5321 §4.1.1.4)."""
    return _DATA


def rset() -> Command:
    """RSET (RFC 5321 §4.1.1.5)."""
    return _RSET


def quit_() -> Command:
    """QUIT (RFC 5321 §4.1.1.10)."""
    return _QUIT


def starttls() -> Command:
    """STARTTLS (RFC 3207 §4)."""
    return _STARTTLS


def bdat(size: int, last: bool = False) -> Command:
    """BDAT, announcing a chunk of *size* octets (RFC 3030 §2).

    Raises:
        InvalidCommand: a negative size, or one of more than 20 digits.
    """
    if size < 0 or size >= 10**limits.MAX_SIZE_DIGITS:
        raise InvalidCommand(f"a chunk of {size} octets", "3030 §2")
    return _bdat(size, last)


@lru_cache(maxsize=1024)
def _bdat(size: int, last: bool) -> Command:
    return Command("BDAT", b"%d LAST" % size if last else b"%d" % size)


def parse_bdat(argument: bytes) -> tuple[int, bool]:
    """The size in octets and whether the chunk is the last, from a BDAT command's argument.

    Raises:
        InvalidCommand: not a chunk size and perhaps LAST (RFC 3030 §2).
    """
    match = grammar.BDAT_ARGUMENT.fullmatch(argument)
    if match is None:
        raise InvalidCommand(f"{printable(argument)!r} is no argument of BDAT", "3030 §2")
    return int(match[1]), match[2] is not None


def _string(verb: str, text: str | bytes, section: str) -> Command:
    argument = _octets(text, f"an argument of {verb}")
    if argument and not grammar.STRING.fullmatch(argument):
        what = f"{printable(argument)!r} is neither an atom nor a quoted string"
        raise InvalidCommand(what, f"5321 §{section}")
    return _limited(verb, argument)


def noop(text: str | bytes = "") -> Command:
    """NOOP, perhaps with an atom or a quoted string, which servers ignore (RFC 5321 §4.1.1.9)."""
    return _string("NOOP", text, "4.1.1.9")


def help_(topic: str | bytes = "") -> Command:
    """HELP, perhaps on a topic: an atom or a quoted string (RFC 5321 §4.1.1.8)."""
    return _string("HELP", topic, "4.1.1.8")


def _lookup(verb: str, text: str | bytes, section: str, utf8: bool) -> Command:
    argument = _octets(text, f"an argument of {verb}", utf8=utf8)
    string = grammar.STRING_UTF8 if utf8 else grammar.STRING
    bare = argument[1:-1] if argument[:1] == b"<" and argument[-1:] == b">" else argument
    if not (string.fullmatch(argument) or grammar.is_mailbox(bare, utf8=utf8)):
        what = f"{printable(argument)!r} is neither an atom, a quoted string nor a mailbox"
        raise InvalidCommand(what, f"5321 §{section}")
    if utf8:
        limit = limits.MAX_COMMAND_LINE + limits.VRFY_GROWTH
        return _limited(verb, argument + b" SMTPUTF8", limit)
    return _limited(verb, argument)


def vrfy(text: str | bytes, *, utf8: bool = False) -> Command:
    """VRFY with a user's name or a mailbox (RFC 5321 §4.1.1.6, §3.5.1).

    With *utf8* the parameter SMTPUTF8 is appended (RFC 6531 §3.7.4.2).
    """
    return _lookup("VRFY", text, "4.1.1.6", utf8)


def expn(text: str | bytes, *, utf8: bool = False) -> Command:
    """EXPN with the name of a list (RFC 5321 §4.1.1.7); *utf8* as for `vrfy`."""
    return _lookup("EXPN", text, "4.1.1.7", utf8)


def auth(mechanism: str, initial_response: bytes | None = None) -> Command:
    """AUTH, perhaps with the raw octets of an initial response (RFC 4954 §4).

    Zero octets are sent as ``=``. When the line would pass 512 octets it is refused: send AUTH
    without the initial response then, and the response to the empty challenge.

    Raises:
        InvalidCommand: no mechanism's name, or the line is too long.
    """
    argument = _octets(mechanism, "a mechanism's name")
    if not grammar.SASL_MECH.fullmatch(argument):
        raise InvalidCommand("an argument of AUTH that names no mechanism", "4422 §3.1")
    if initial_response is not None:
        argument += b" " + (base64.b64encode(initial_response) or b"=")
    command = Command("AUTH", argument)
    if len(command.line) > limits.MAX_COMMAND_LINE:
        raise InvalidCommand("an initial response too long for the AUTH line", "4954 §4")
    return command


def sasl_response(raw: bytes) -> Command:
    """The answer to a 334 challenge, from its raw octets (RFC 4954 §4); none is an empty line."""
    encoded = base64.b64encode(raw)
    if len(encoded) + 2 > limits.MAX_AUTH_LINE:
        raise InvalidCommand("a SASL response longer than 12288 octets", "4954 §4")
    return Command("", encoded, sasl=True)


def sasl_cancel() -> Command:
    """The line ``*`` that cancels an AUTH exchange (RFC 4954 §4)."""
    return _SASL_CANCEL


def custom(
    line: str | bytes, *, utf8: bool = False, max_line: int = limits.MAX_COMMAND_LINE
) -> Command:
    """Any other command line, given without CRLF. Its grammar is the caller's concern.

    Args:
        line: verb and argument as they shall stand on the wire.
        utf8: whether UTF-8 may stand in it.
        max_line: the limit in octets, CRLF included.

    Raises:
        InvalidCommand: an empty line, control octets, octets above 7F without *utf8* or that are
            no UTF-8, or a line beyond the limit.
    """
    octets = _octets(line, "a command", utf8=utf8)
    if not utf8 and not octets.isascii():
        raise InvalidCommand("a command with octets above 7F", "5321 §2.4")
    try:
        octets.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidCommand("a command with octets that are no UTF-8", "6531 §3.3") from None
    if len(octets) + 2 > max_line:
        what = f"a line of {len(octets) + 2} octets, longer than {max_line}"
        raise InvalidCommand(what, "5321 §4.5.3.1.4")
    command = parse_command(octets + b"\r\n")
    if not command.verb:
        raise InvalidCommand("a command without a verb", "5321 §2.4")
    return command


def parse_command(line: bytes) -> Command:
    """The command that other software put on *line*, its CRLF included.

    Lenient about grammar: spaces before the verb, any verb, octets above 7F. The result's ``line``
    is the given bytes.

    Raises:
        InvalidCommand: no CRLF at the end, or control octets (CR, LF, NUL, …) before it.
    """
    verb, argument = _split(_one_line(line))
    return Command(verb, argument, bytes(line))


def parse_sasl_line(line: bytes) -> Command:
    """The line of a SASL exchange that other software sent, its CRLF included.

    Raises:
        InvalidCommand: as for `parse_command`.
    """
    return Command("", _one_line(line), bytes(line), sasl=True)
