"""The envelope as commands, MAIL and each RCPT, with what the server offers."""

from collections.abc import Mapping
from dataclasses import dataclass

from fsm_smtp.client.callbacks import OnProgress
from fsm_smtp.client.content import Content
from fsm_smtp.client.extensions import KEYWORDS, NOTHING, Extensions, Recipient
from fsm_smtp.client.message import Message
from fsm_smtp.errors import InvalidCommand, InvalidContent, NotOffered
from fsm_smtp.wire import Command, Offers, commands

_Asked = Mapping[str, str | None]


@dataclass(slots=True)
class Prepared:
    """A message as it will be sent to this server.

    Attributes:
        addresses: the recipients' addresses.
        mail: the MAIL command.
        rcpts: each recipient's RCPT.
        content: the content.
        by_chunks: whether it goes by BDAT.
        binary: whether it goes unchanged, line ends and all.
        seven_bit: whether octets above 127 must not be sent; looked for where the content's own
            octets cannot be known beforehand.
    """

    addresses: tuple[str, ...]
    mail: Command
    rcpts: list[Command]
    content: Content
    by_chunks: bool = False
    binary: bool = False
    seven_bit: bool = False


def prepared(
    offers: Offers,
    message: Message,
    *,
    verified: bool = False,
    told: OnProgress | None = None,
) -> Prepared:
    """MAIL, each RCPT and the content, as this server can take them.

    Args:
        offers: the server's.
        message: the message.
        verified: whether the connection is under TLS with a verified certificate.
        told: called with a `Progress` for each piece of the content.

    Raises:
        NotOffered: it needs an extension that the server does not offer.
        InvalidCommand: an address or a parameter against the grammar; or REQUIRETLS without
            verified TLS.
        InvalidContent: the content is larger than the server takes, or has octets above 127 and
            the server does not offer 8BITMIME.
    """
    keywords, extensions, addresses = offers.keywords, message.extensions, message.addresses
    utf8 = (
        extensions.smtputf8 or not message.sender.isascii() or not all(map(str.isascii, addresses))
    )
    content = Content.of(message.source, seven_bit="8BITMIME" not in keywords, utf8=utf8)
    if told is not None:
        content.watch(told)
    wanted = _found_out(keywords, content, extensions, utf8=utf8)
    if extensions is not NOTHING:
        asked = extensions.of_mail()
        _check_offered(keywords, asked)
        wanted.update(asked)
        if extensions.require_tls and not verified:
            what = "REQUIRETLS over a connection without TLS and a verified certificate"
            raise InvalidCommand(what, "8689 §4.2.1")
        if extensions.by_chunks and "CHUNKING" not in keywords:
            raise NotOffered("content in chunks", "CHUNKING", "3030 §2")
    mail = commands.mail(message.sender, wanted)
    if extensions is NOTHING and addresses == message.recipients:
        rcpts = [commands.rcpt(address, utf8=utf8) for address in addresses]
    else:
        rcpts = [_rcpt(keywords, extensions, each, utf8=utf8) for each in message.recipients]
    seven_bit = content.eight_bit is None and wanted.get("BODY", "7BIT") == "7BIT"
    binary = extensions.body == "BINARYMIME"
    return Prepared(addresses, mail, rcpts, content, extensions.by_chunks, binary, seven_bit)


def eight_bit_refused() -> InvalidContent:
    """The error for octets above 127 where 8BITMIME is not offered."""
    what = "content with octets above 127, and the server does not offer 8BITMIME"
    return InvalidContent(what, "6152 §3")


def _rcpt(
    offers: Mapping[str, object], extensions: Extensions, given: str | Recipient, *, utf8: bool
) -> Command:
    recipient = Recipient(given) if isinstance(given, str) else given
    asked = extensions.of_rcpt(recipient)
    _check_offered(offers, asked)
    return commands.rcpt(recipient.address, asked, utf8=utf8)


def _check_offered(offers: Mapping[str, object], asked: _Asked) -> None:
    for name in asked:
        keyword, rfc = KEYWORDS.get(name.upper(), (None, ""))
        if keyword is not None and keyword not in offers:
            raise NotOffered(f"the parameter {name}", keyword, rfc)


def _found_out(
    offers: Mapping[str, tuple[str, ...]], content: Content, extensions: Extensions, *, utf8: bool
) -> dict[str, str | None]:
    """The parameters of MAIL that the content calls for and the server offers."""
    parameters: dict[str, str | None] = {}
    if content.size is not None and "SIZE" in offers:
        _check_size(content.size, offers["SIZE"])
        parameters["SIZE"] = str(content.size)
    body = _body(offers, content, extensions)
    if body is not None:
        parameters["BODY"] = body
    if utf8:
        if "SMTPUTF8" not in offers:
            raise NotOffered("an address or headers with UTF-8", "SMTPUTF8", "6531 §3.2")
        parameters["SMTPUTF8"] = None
    return parameters


def _body(offers: Mapping[str, object], content: Content, extensions: Extensions) -> str | None:
    asked, offered = extensions.body, "8BITMIME" in offers
    if asked is None:
        if content.eight_bit is not False and offered:
            return "8BITMIME"
        if content.eight_bit:
            raise eight_bit_refused()
        return None
    if asked == "7BIT":
        if content.eight_bit:
            raise InvalidContent("content with octets above 127, declared 7BIT", "6152 §2")
        return "7BIT" if offered else None
    if asked not in offers:
        raise NotOffered(f"content declared {asked}", asked, "6152 §2")
    return asked


def _check_size(size: int, offered: tuple[str, ...]) -> None:
    limit = next(iter(offered), "0")
    if limit.isdecimal() and 0 < int(limit) < size:
        what = f"content of {size} octets, more than the {limit} that the server takes"
        raise InvalidContent(what, "1870 §6.1")
