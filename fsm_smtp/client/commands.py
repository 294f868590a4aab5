"""The single commands of both clients: written once, blocking in one and awaited in the other."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Generic, TypeVar

from fsm_smtp.client.base import ClientBase
from fsm_smtp.client.callbacks import Credentials
from fsm_smtp.client.content import Source
from fsm_smtp.client.extensions import NOTHING, Extensions, Recipient
from fsm_smtp.client.requests import Flow
from fsm_smtp.errors import InvalidCommand
from fsm_smtp.wire import Command, Reply, commands

#: What a command gives: a `Reply`, or a coroutine of one.
R_co = TypeVar("R_co", covariant=True)
#: What a command without a reply gives: ``None``, or a coroutine of it.
N_co = TypeVar("N_co", covariant=True)

#: Commands that are more than their line, and the sections that say so.
_HALVES = {"STARTTLS": "3207 §4", "BDAT": "3030 §2"}

_Parameters = Mapping[str, str | None]


class Commands(ClientBase, Generic[R_co, N_co]):
    """Each command of SMTP by itself.

    The machine decides whether it is legal; the caller has the reply, a refusal too. All raise
    `CommandRefused` when it is not legal now (nothing was written), `InvalidCommand` when an
    argument is against the grammar, `NotConnected`, and what the server may do wrong.
    """

    @abstractmethod
    def _reply(self, flow: Flow[Reply]) -> R_co:
        """Run *flow*."""

    @abstractmethod
    def _done(self, flow: Flow[None]) -> N_co:
        """Run *flow*."""

    def command(self, command: Command) -> R_co:
        """Send one command of `fsm_smtp.wire.commands`."""
        return self._reply(self._dialogue.command(command))

    def custom(self, line: str | bytes) -> R_co:
        """Send a command line of any kind, given without CRLF; its grammar is the caller's.

        Raises:
            InvalidCommand: no single line; or STARTTLS or BDAT, of which the line is only half: use
                `starttls` and `bdat`.
        """
        command = commands.custom(line)
        if command.verb in _HALVES:
            raise InvalidCommand(f"{command.verb} as a line alone", _HALVES[command.verb])
        return self.command(command)

    # -- the session -----------------------------------------------------------------------------

    def ehlo(self, name: str | None = None) -> R_co:
        """EHLO (LHLO in LMTP), with the client's own name or *name* (RFC 5321 §4.1.1.1)."""
        return self.command(self._dialogue.ehlo(name))

    def helo(self, name: str | None = None) -> R_co:
        """HELO, with the client's own name or *name*."""
        return self.command(commands.helo(name or self._dialogue.ehlo_name))

    def starttls(self) -> R_co:
        """STARTTLS, and the handshake if the server is ready (RFC 3207); then say `ehlo` anew.

        Raises:
            HandshakeFailed: the handshake failed; the connection is closed.
        """
        return self._reply(self._dialogue.secure())

    def auth(self, mechanism: str | None = None, credentials: Credentials | None = None) -> R_co:
        """AUTH with all its challenges; gives the last reply, 235 or a refusal (RFC 4954).

        Args:
            mechanism: the one to use; those of the options when ``None``, one after another.
            credentials: those of the options when ``None``.

        Raises:
            InvalidCommand: no mechanism in common, or credentials in clear against the options.
        """
        who = credentials or self.options.credentials or Credentials("")
        wanted = self.options.mechanisms if mechanism is None else (mechanism,)
        return self._reply(self._dialogue.login(who, wanted))

    def noop(self, text: str = "") -> R_co:
        """NOOP, perhaps with a string that servers ignore."""
        return self.command(commands.noop(text))

    def help(self, topic: str = "") -> R_co:
        """HELP, perhaps on a topic."""
        return self.command(commands.help_(topic))

    def vrfy(self, text: str, *, utf8: bool = False) -> R_co:
        """VRFY with a user's name or a mailbox; *utf8* says SMTPUTF8 (RFC 6531 §3.7.4.2)."""
        return self.command(commands.vrfy(text, utf8=utf8))

    def expn(self, text: str, *, utf8: bool = False) -> R_co:
        """EXPN with the name of a list; *utf8* as for `vrfy`."""
        return self.command(commands.expn(text, utf8=utf8))

    def etrn(self, node: str) -> R_co:
        """ETRN: asks the server to send what waits for *node*, a domain, ``@`` and a domain for its
        subdomains too, or ``#`` and a queue (RFC 1985 §5)."""
        return self.command(commands.custom(f"ETRN {node}"))

    # -- the transaction -------------------------------------------------------------------------

    def mail(
        self, sender: str, extensions: Extensions = NOTHING, parameters: _Parameters | None = None
    ) -> R_co:
        """MAIL FROM, with what *extensions* asks for and other parameters as given."""
        asked = {**extensions.of_mail(), **(parameters or {})}
        if extensions.body is not None:
            asked["BODY"] = extensions.body
        if extensions.smtputf8:
            asked["SMTPUTF8"] = None
        return self.command(commands.mail(sender, asked))

    def rcpt(self, recipient: str | Recipient, *, utf8: bool = False) -> R_co:
        """RCPT TO, with the recipient's wishes; *utf8* where MAIL said SMTPUTF8."""
        given = Recipient(recipient) if isinstance(recipient, str) else recipient
        return self.command(commands.rcpt(given.address, NOTHING.of_rcpt(given), utf8=utf8))

    def data(self) -> R_co:
        """DATA; on 354 the content may follow by `stream`, and its end by `dot`."""
        return self.command(commands.data())

    def stream(self, content: Source) -> N_co:
        """Send content, or a part of it: line ends made CRLF, dots stuffed; `dot` ends it.

        Raises:
            InvalidContent: octets above 127, and the server does not offer 8BITMIME.
        """
        return self._done(self._dialogue.stream(content))

    def dot(self) -> R_co:
        """The end of the content; its reply decides the fate of the message.

        In LMTP there is one for each recipient: this gives the last, *on_response* hears all.
        """
        return self._reply(self._dialogue.dot())

    def bdat(self, chunk: bytes, *, last: bool = False) -> R_co:
        """BDAT with its chunk, which is sent as it is (RFC 3030 §2); replies as for `dot`."""
        return self._reply(self._dialogue.bdat(chunk, last=last))

    def rset(self) -> R_co:
        """RSET: gives up the transaction."""
        return self.command(commands.rset())
