"""The envelope as commands, MAIL and each RCPT, with what the server offers."""

from collections.abc import Mapping, Sequence

from fsm_smtp.client.content import Content
from fsm_smtp.errors import InvalidCommand, InvalidContent
from fsm_smtp.wire import Command, Offers, commands

Parameters = Mapping[str, str | None]


def envelope(
    offers: Offers,
    sender: str,
    recipients: Sequence[str],
    content: Content,
    parameters: Parameters | None,
) -> tuple[Command, list[Command]]:
    """MAIL and each RCPT.

    Raises:
        LocalProtocolError: an address or a parameter against the grammar, or what the server does
            not offer.
    """
    utf8 = not (sender.isascii() and all(map(str.isascii, recipients)))
    wanted = _parameters(offers.keywords, content, utf8=utf8)
    if parameters:
        wanted.update(parameters)
    mail = commands.mail(sender, wanted)
    rcpts = [commands.rcpt(recipient, utf8=utf8) for recipient in recipients]
    if not rcpts:
        raise InvalidCommand("a message without recipients", "5321 §3.3")
    return mail, rcpts


def eight_bit_refused() -> InvalidContent:
    """The error for octets above 127 where 8BITMIME is not offered."""
    what = "content with octets above 127, and the server does not offer 8BITMIME"
    return InvalidContent(what, "6152 §3")


def _parameters(
    offers: Mapping[str, tuple[str, ...]], content: Content, *, utf8: bool
) -> dict[str, str | None]:
    """The parameters of MAIL that the content calls for and the server offers."""
    parameters: dict[str, str | None] = {}
    if content.size is not None and "SIZE" in offers:
        _check_size(content.size, offers["SIZE"])
        parameters["SIZE"] = str(content.size)
    if content.eight_bit is not False and "8BITMIME" in offers:
        parameters["BODY"] = "8BITMIME"
    elif content.eight_bit:
        raise eight_bit_refused()
    if utf8:
        if "SMTPUTF8" not in offers:
            what = "an address with UTF-8, as the server does not offer SMTPUTF8"
            raise InvalidCommand(what, "6531 §3.2")
        parameters["SMTPUTF8"] = None
    return parameters


def _check_size(size: int, offered: tuple[str, ...]) -> None:
    limit = next(iter(offered), "0")
    if limit.isdecimal() and 0 < int(limit) < size:
        what = f"content of {size} octets, more than the {limit} that the server takes"
        raise InvalidContent(what, "1870 §6.1")
