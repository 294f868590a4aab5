"""What a client does wrong, seen from the server that it talks to.

The server reads commands one by one and answers each before it reads the next, so what it has read
and written is a lock-step session, whatever the client has sent ahead. The gate (`Session`) judges
it by the client's rows of the table; what was sent ahead of a reply is excused where RFC 2920
excuses it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from fsm_smtp.configuration import Configuration
from fsm_smtp.errors import CommandRefused, InvalidCommand, LimitReached, RemoteProtocolError
from fsm_smtp.session import Observer, Session
from fsm_smtp.testing.server.lines import mistakes_in, mistakes_of
from fsm_smtp.wire import Command, mail_parameters, parse_command, parse_sasl_line
from fsm_smtp.wire.grammar import is_base64

#: Behind their replies other offers are in force.
_CHANGES_OFFERS = frozenset({"EHLO", "HELO", "STARTTLS"})
#: Commands that end a command group (RFC 2920 §3.1; RFC 3207 §4, RFC 4954 §4): behind them a client
#: waits for the reply.
_LAST_OF_A_GROUP = frozenset(
    {"EHLO", "HELO", "DATA", "VRFY", "EXPN", "QUIT", "NOOP", "STARTTLS", "AUTH"}
)


@dataclass(frozen=True, slots=True)
class Violation:
    """Something that the client has done against an RFC.

    Attributes:
        command: the line, redacted; ``None`` where it is about no line.
        state: the client's state before it, as the table names it.
        what: what is wrong, in a sentence.
        rfc: the section that says so.
    """

    command: str | None
    state: str
    what: str
    rfc: str

    def __str__(self) -> str:
        about = f"{self.command!r}: " if self.command is not None else ""
        return f"{about}{self.what} (RFC {self.rfc}, state {self.state})"


class Watch:
    """The judge of one connection's client.

    Args:
        tell: called with each violation.
        observer: called with each event of the session, with its states.
    """

    def __init__(self, tell: Callable[[Violation], None], observer: Observer | None = None) -> None:
        self._tell = tell
        self._session = Session(observer=observer)
        #: The last command had no leave of the machine: its refusal tells the machine nothing.
        self._refused = False
        #: Client and server went ways that the table does not know: order is judged no longer.
        self._lost = False
        #: There were octets to read when the last reply was written.
        self._ahead = False
        self._verb = ""
        #: What EHLO has offered, also behind a 421, where the client has no use for it any more.
        self._offers = self._session.offers
        self._parameters: dict[str, bytes | None] = {}
        self._over = False
        #: Behind a 220 to STARTTLS, as long as TLS is not up: nobody can say QUIT there.
        self._shaking = False

    def connected(self, *, tls: bool) -> None:
        """The connection is open."""
        self._session.connect(tls=tls)

    def replied(self, octets: bytes, *, waiting: bool) -> None:
        """The server has written a reply; *waiting*: something lay there to be read by then."""
        self._ahead = waiting
        self._over = self._over or octets[:3] in (b"421", b"221")
        self._shaking = self._verb == "STARTTLS" and octets[:3] == b"220"
        if self._shaking and waiting and not self._lost:
            self._blame(InvalidCommand("octets before the reply to STARTTLS", "3207 §4"))
        if self._lost:
            return
        if self._refused:
            self._refused = False
            self._lost = octets[:1] not in (b"4", b"5")
            return
        try:
            self._session.receive(octets)
            while self._session.next_reply() is not None:
                pass
        except RemoteProtocolError:
            self._lost = True  # the server's fault, and none of the client's
        if self._verb in _CHANGES_OFFERS:
            self._offers = self._session.offers

    def heard(self, line: bytes) -> None:
        """The server has read a command line, given without its CRLF."""
        if self._lost:
            return
        try:
            command = parse_command(line + b"\r\n")
        except InvalidCommand as error:
            self._blame(error)
            self._refused = True
            return
        for mistake in mistakes_of(command, self._offers):
            self._blame(mistake, command.redacted)
        self._in_its_turn(command)
        self._verb = command.verb
        if command.verb == "MAIL":
            self._parameters = _parameters(command)
        self._offer(command)

    def heard_response(self, line: bytes) -> None:
        """The server has read a line of a SASL exchange."""
        if not self._lost:
            if line not in (b"", b"*") and not is_base64(line):
                self._blame(InvalidCommand("a response that is no base64", "4954 §4"))
            self._offer(parse_sasl_line(line + b"\r\n"))

    def heard_content(self, content: bytes) -> None:
        """The server has read content up to its end of data, dot-stuffing undone."""
        if self._lost:
            return
        if self._ahead:
            self._blame(InvalidCommand("content before the 354", "5321 §4.1.1.4"))
        self._judge_content(content)
        self._session.send_content(b"x")
        self._session.end_content()

    def heard_chunk(self, chunk: bytes) -> None:
        """The server has read the octets of a chunk."""
        if not self._lost:
            self._judge_content(chunk, whole=False)

    def secured(self) -> None:
        """TLS has come up."""
        self._ahead = self._shaking = False
        if not self._lost:
            self._session.tls_up()
            self._offers = self._session.offers

    def no_handshake(self) -> None:
        """The client has sent something else where its handshake was due."""
        if not self._lost:
            self._blame(InvalidCommand("no handshake behind the 220 to STARTTLS", "3207 §4"))

    def gone(self) -> None:
        """The client has closed the connection. Without a command there was no session."""
        if self._verb not in ("", "QUIT") and not (self._over or self._lost or self._shaking):
            self._blame(InvalidCommand("the client left without QUIT", "5321 §4.1.1.10"))

    @property
    def configuration(self) -> Configuration:
        """Where the client stands by the table."""
        return self._session.configuration

    @property
    def is_lost(self) -> bool:
        """Whether client and server went ways that the table does not know."""
        return self._lost

    # Inside

    def _offer(self, command: Command) -> None:
        try:
            self._session.send(command)
        except InvalidCommand:  # told already: its argument cannot be read
            self._refused = True
        except CommandRefused as error:
            self._refused = True
            if not (self._ahead and "PIPELINING" in self._offers):
                self._tell(Violation(error.command, error.state, error.why, error.rfc))
        except LimitReached as error:
            self._refused = True
            beyond = f"beyond {error.limit}={error.most}"
            self._tell(Violation(error.command, error.state, beyond, "9422 §4"))

    def _in_its_turn(self, command: Command) -> None:
        if not self._ahead:
            return
        if not self._verb:
            what, rfc = "sent before the greeting", "5321 §3.1"
        elif self._verb in _LAST_OF_A_GROUP:
            what, rfc = f"sent before the reply to {self._verb}", "2920 §3.1"
        elif "PIPELINING" not in self._offers:
            what, rfc = "sent ahead of a reply, and PIPELINING was not offered", "2920 §3.1"
        else:
            return
        self._blame(InvalidCommand(what, rfc), command.redacted)

    def _judge_content(self, content: bytes, *, whole: bool = True) -> None:
        body = (self._parameters.get("BODY") or b"").upper()
        eight_bit = body == b"8BITMIME" or "SMTPUTF8" in self._parameters
        # A chunk may end anywhere, in a line or between CR and LF.
        judged = content if whole else content.strip(b"\r\n")
        self._blame_all(mistakes_in(judged, binary=body == b"BINARYMIME", eight_bit=eight_bit))

    def _blame_all(self, errors: Iterable[InvalidCommand]) -> None:
        for error in errors:
            self._blame(error)

    def _blame(self, error: InvalidCommand, command: str | None = None) -> None:
        state = self._session.configuration.state
        self._tell(Violation(command, state, error.what, error.rfc))


def _parameters(command: Command) -> dict[str, bytes | None]:
    try:
        return mail_parameters(command.argument)
    except InvalidCommand:  # told already
        return {}
