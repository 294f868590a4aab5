"""Command lines: well formed by the grammar, and near misses, which are not."""

from collections.abc import Callable, Mapping
from typing import Final

from hypothesis import strategies as st

from fsm_smtp.errors import InvalidCommand
from fsm_smtp.testing.server.lines import mistakes_of
from fsm_smtp.testing.strategies.addresses import (
    address_literals,
    addresses,
    domains,
    mail_parameters,
    rcpt_parameters,
    reverse_paths,
)
from fsm_smtp.wire import Command, commands, parse_command

#: What is offered to the client that sends these: no parameter is without an offer.
_OFFERS: Final[Mapping[str, object]] = dict.fromkeys(
    ("SIZE", "8BITMIME", "DSN", "BINARYMIME", "SMTPUTF8", "AUTH")
)


def well_formed() -> st.SearchStrategy[Command]:
    """Commands of SMTP and of its extensions, in any order, each right in itself."""
    hosts = st.one_of(domains(), address_literals())
    simple = (commands.rset(), commands.quit_(), commands.data(), commands.noop())
    return st.one_of(
        st.sampled_from((*simple, commands.starttls())),
        hosts.map(commands.ehlo),
        hosts.map(commands.helo),
        st.builds(commands.mail, reverse_paths(), mail_parameters()),
        st.builds(commands.rcpt, addresses(), rcpt_parameters()),
        st.builds(commands.bdat, st.integers(0, 10_000), st.booleans()),
        addresses().map(commands.vrfy),
    ).filter(_fits)


def _fits(command: Command) -> bool:
    return len(command.line) <= 512


def near_misses() -> st.SearchStrategy[bytes]:
    """Lines, CRLF included, that are almost commands: one change, and the grammar has them not."""
    changes = st.sampled_from(_CHANGES)
    return st.builds(_changed, well_formed(), changes).filter(is_wrong)


def is_wrong(line: bytes) -> bool:
    """Whether *line*, CRLF included, is no command by the grammar."""
    try:
        return next(mistakes_of(parse_command(line), _OFFERS), None) is not None
    except InvalidCommand:
        return True


def _changed(command: Command, change: Callable[[bytes], bytes]) -> bytes:
    return change(command.line[:-2]) + b"\r\n"


_CHANGES: Final[tuple[Callable[[bytes], bytes], ...]] = (
    lambda line: line + b" x",
    lambda line: line.replace(b"<", b""),
    lambda line: line.replace(b">", b""),
    lambda line: line.replace(b":", b": "),
    lambda line: line.replace(b":", b""),
    lambda line: line.replace(b" ", b""),
    lambda line: line.replace(b"@", b"@@"),
    lambda line: line.replace(b".", b".."),
    lambda line: line + b"\0",
    lambda line: line + b" \xff",
    lambda line: line[:-1],
    lambda line: b"X" + line,
    lambda line: line.partition(b" ")[0],
    lambda line: line + b"\rRSET",
)
