"""What a client says, without I/O: generators that yield what they need done.

A dialogue yields the requests of `fsm_smtp.client.requests`; `sync` and `aio` do these things and
nothing else.

Which command may follow which is asked of the session, never known here.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Final

from fsm_smtp.client.content import Content
from fsm_smtp.client.options import Options
from fsm_smtp.client.requests import GLANCE, HANDSHAKE, Answer, Flow, Request, Wait
from fsm_smtp.client.result import Fates, SendResult
from fsm_smtp.client.sasl import MECHANISMS, Mechanism, choose
from fsm_smtp.errors import (
    ConnectionLost,
    HandshakeFailed,
    InvalidCommand,
    InvalidContent,
    ProtocolError,
    Rejected,
    RemoteProtocolError,
    ReplyTimeout,
)
from fsm_smtp.machine import shared_machine
from fsm_smtp.session import Session
from fsm_smtp.wire import Command, Reply, commands

__all__ = ["GLANCE", "HANDSHAKE", "Answer", "Dialogue", "Flow", "Request", "Wait"]

#: How long to look for what a server said before it broke the connection, in seconds.
LAST_WORDS: Final = 1.0

#: Octets of content that are worth a write; smaller pieces wait for each other.
ENOUGH: Final = 16 * 1024


Parameters = Mapping[str, str | None]


class Dialogue:
    """The dialogues of one client over one session."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.session = Session(shared_machine(options.policies()), observer=options.observer)
        self.ehlo_name = options.ehlo_name or "[127.0.0.1]"
        self._refusal: Reply | None = None  # that came unasked, and ended the session

    # -- opening and ending ----------------------------------------------------------------------

    def open(self) -> Flow[Reply]:
        """From the open connection to a session that is ready for mail; gives EHLO's reply.

        Raises:
            Rejected: the server refuses the connection, EHLO, or the credentials.
            HandshakeFailed: TLS is required and cannot be had (RFC 3207 §6).
        """
        self.session.connect(tls=self.options.security == "tls")
        try:
            return (yield from self._open())
        except ProtocolError:
            # A server that refused the session still waits for QUIT (RFC 5321 §3.1).
            yield from self.quit()
            raise

    def _open(self) -> Flow[Reply]:
        options = self.options
        greeting = yield from self.reply()
        if not self.session.may("send_ehlo"):
            raise Rejected(None, greeting.code, str(greeting))
        reply = yield from self.hello()
        if options.security in ("starttls", "opportunistic"):
            reply = (yield from self._secure()) or reply
        if options.user is not None:
            yield from self.login(options.user, options.password or "")
        return reply

    def hello(self) -> Flow[Reply]:
        """EHLO, and HELO where EHLO is not recognised (RFC 5321 §3.2).

        Raises:
            Rejected: the server refuses both.
        """
        command = commands.ehlo(self.ehlo_name)
        reply = yield from self.command(command)
        if reply.code in (500, 502):
            command = commands.helo(self.ehlo_name)
            reply = yield from self.command(command)
        if reply.first_digit != 2:
            raise Rejected(command.redacted, reply.code, str(reply))
        return reply

    def start_tls(self) -> Flow[Reply]:
        """STARTTLS and the handshake, then EHLO anew (RFC 3207 §4.2); gives EHLO's reply.

        Raises:
            Rejected: the server refuses STARTTLS.
            HandshakeFailed: the handshake failed; the session is over.
        """
        command = commands.starttls()
        reply = yield from self.command(command)
        if not self.session.may("tls_up"):
            raise Rejected(command.redacted, reply.code, str(reply))
        state = self.session.configuration.state
        error = yield HANDSHAKE
        if isinstance(error, bytes):
            self.session.receive(error)  # raises: nothing may come before the handshake
        if isinstance(error, Exception):
            self.session.tls_failed()
            what = f"the TLS handshake failed: {error}"
            raise HandshakeFailed(what, state=state, rfc="3207 §4.1") from error
        self.session.tls_up()
        return (yield from self.hello())

    def quit(self) -> Flow[Reply | None]:
        """QUIT; gives its reply, or ``None`` when there is none that counts.

        Does not raise what the server does wrong here: every message already has its fate, and an
        error at this point would make callers send accepted mail again. The observer is told.
        """
        if not self.session.may("send_quit"):
            return None
        try:
            return (yield from self.reply(self.session.send(commands.quit_())))
        except (RemoteProtocolError, ConnectionLost, ReplyTimeout):
            return None

    # -- single commands -------------------------------------------------------------------------

    def command(self, command: Command) -> Flow[Reply]:
        """One command and its reply.

        Raises:
            CommandRefused: the machine does not allow it now; nothing was written.
            Rejected: the server has shut the session down before; nothing was written.
        """
        data = yield (wait := self._ask(command))
        return self._answer(data) or (yield from self._rest(wait, data))

    def reply(self, octets: bytes = b"") -> Flow[Reply]:
        """The next reply, after *octets* have been written.

        Raises:
            RemoteProtocolError: the server broke the protocol.
            ConnectionLost: the connection ended.
            ReplyTimeout: the reply did not come in time.
        """
        data = yield (wait := self._wait(octets))
        return self._answer(data) or (yield from self._rest(wait, data))

    # A generator inside a generator costs as much as a system call. So what mostly happens, one
    # read that is one reply, is written out where time counts:
    #     data = yield (wait := ask(command))
    #     reply = answer(data) or (yield from self._rest(wait, data))

    def _ask(self, command: Command) -> Wait:
        """What `command` asks for first."""
        if self.session.unread:
            self._hear()
        return self._wait(self.session.send(command))

    def _wait(self, octets: bytes) -> Wait:
        return Wait(self.options.timeout or self.session.wait_for()[0], octets)

    def _answer(self, data: Answer) -> Reply | None:
        """The reply, if it is complete with *data*."""
        return self.session.answer(data) if data and isinstance(data, bytes) else None

    def _rest(self, wait: Wait, data: Answer) -> Flow[Reply]:
        """The reply that is not complete with *data*, if ever it comes."""
        while True:
            if data is None:
                raise self.session.timeout(wait.seconds)
            if data is False:
                yield from self._last_words()
            if not data:
                raise self._lost()
            data = yield wait
            reply = self._answer(data)
            if reply is not None:
                return reply

    # -- authentication --------------------------------------------------------------------------

    def login(self, user: str, password: str) -> Flow[Reply]:
        """AUTH with the best mechanism that both sides know.

        Raises:
            InvalidCommand: a password would be sent in clear, against the options.
            Rejected: no common mechanism, or the server refuses the credentials.
        """
        session = self.session
        if session.configuration["tls"] == "no" and not self.options.clear_auth:
            raise InvalidCommand("a password over a connection in clear", "4954 §4")
        names = choose(session.offers.get("AUTH", ()))
        if not names:
            offered = " ".join(session.offers.get("AUTH", ())) or "nothing"
            raise InvalidCommand(f"AUTH, as the server offers {offered}", "4954 §3")
        reply: Reply | None = None
        for name in names:
            if reply is None or session.may("send_auth"):
                reply = yield from self._authenticate(name, MECHANISMS[name](user, password))
                if reply.code == 235:
                    return reply
        assert reply is not None
        raise Rejected("AUTH", reply.code, str(reply))

    def _authenticate(self, name: str, mechanism: Mechanism) -> Flow[Reply]:
        try:
            command = commands.auth(name, mechanism.initial())
        except InvalidCommand:  # too long a line: the response goes without AUTH (RFC 4954 §4)
            command = commands.auth(name)
        reply = yield from self.command(command)
        while self.session.may("send_response"):
            try:
                challenge = base64.b64decode(reply.lines[0], validate=True)
            except binascii.Error:
                return (yield from self.command(commands.sasl_cancel()))
            response = commands.sasl_response(mechanism.respond(challenge))
            reply = yield from self.command(response)
        return reply

    # -- mail ------------------------------------------------------------------------------------

    def send(
        self,
        sender: str,
        recipients: Sequence[str],
        content: Content,
        parameters: Parameters | None = None,
    ) -> Flow[SendResult]:
        """One mail transaction; gives a fate for each recipient, whatever happens.

        Raises:
            LocalProtocolError: the message cannot be sent, or not now; nothing was written.
        """
        utf8 = not (sender.isascii() and all(map(str.isascii, recipients)))
        wanted = self._parameters(content, utf8=utf8)
        if parameters:
            wanted.update(parameters)
        mail = commands.mail(sender, wanted)
        rcpts = [commands.rcpt(recipient, utf8=utf8) for recipient in recipients]
        if not rcpts:
            raise InvalidCommand("a message without recipients", "5321 §3.3")
        fates = Fates(sender, recipients)
        self._refusal = None
        try:
            if self.session.may("send_mail"):  # else the machine says why not
                if self.session.unread:
                    self._hear()
                data = yield GLANCE
                if data is not None:
                    self._seen(data)
        except ProtocolError as error:
            return self._cut_short(fates, error)
        wait = self._wait(self.session.send(mail))
        try:
            yield from self._transaction(wait, rcpts, content, fates)
        except ProtocolError as error:
            return self._cut_short(fates, error)
        return fates.result()

    def _cut_short(self, fates: Fates, error: ProtocolError) -> SendResult:
        if self._refusal is not None:
            fates.decide(self._refusal)
        return fates.result(error)

    def _transaction(
        self, wait: Wait, rcpts: list[Command], content: Content, fates: Fates
    ) -> Flow[None]:
        """From MAIL, which the machine has accepted, to the end of the transaction."""
        may, ask, answer = self.session.may, self._ask, self._answer
        data = yield wait
        reply = answer(data) or (yield from self._rest(wait, data))
        for number, rcpt in enumerate(rcpts):
            if not may("send_rcpt"):
                break
            data = yield (wait := ask(rcpt))
            reply = answer(data) or (yield from self._rest(wait, data))
            if reply.code >= 300:
                fates.refuse(number, reply)
        if may("send_data"):
            data = yield (wait := ask(commands.data()))
            reply = answer(data) or (yield from self._rest(wait, data))
            if may("send_content"):
                if content.size is not None and content.size < ENOUGH:
                    end = self._all_at_once(content)
                else:
                    end = yield from self._content(content)
                fates.ended = True
                data = yield (wait := self._wait(end))
                reply = answer(data) or (yield from self._rest(wait, data))
        fates.decide(reply)
        if may("send_rset") and not may("send_mail"):
            yield from self.command(commands.rset())

    def _all_at_once(self, content: Content) -> bytes:
        """Short content with its end."""
        pieces = [*map(self.session.send_content, content.pieces)]
        if self.session.unread:
            self._hear()
        return b"".join([*pieces, self.session.end_content()])

    def _content(self, content: Content) -> Flow[bytes]:
        """Long content, and such as may take its time: all but its end is written."""
        send_content = self.session.send_content
        seven_bit = content.eight_bit is None and "8BITMIME" not in self.session.offers
        waiting: list[bytes] = []
        size = 0
        for piece in content.pieces:
            if size >= ENOUGH:
                yield from self._glance()
                yield from self._write(b"".join(waiting))
                waiting.clear()
                size = 0
            octets = send_content(piece)
            waiting.append(octets)
            size += len(octets)
            if seven_bit and not octets.isascii():
                raise _eight_bit_refused()
        # An answer that came before the end of data is none to it.
        yield from self._glance()
        waiting.append(self.session.end_content())
        return b"".join(waiting)

    def _parameters(self, content: Content, *, utf8: bool) -> dict[str, str | None]:
        """The parameters of MAIL that the content calls for and the server offers."""
        offers = self.session.offers.keywords
        parameters: dict[str, str | None] = {}
        if content.size is not None and "SIZE" in offers:
            self._check_size(content.size)
            parameters["SIZE"] = str(content.size)
        if content.eight_bit is not False and "8BITMIME" in offers:
            parameters["BODY"] = "8BITMIME"
        elif content.eight_bit:
            raise _eight_bit_refused()
        if utf8:
            if "SMTPUTF8" not in offers:
                what = "an address with UTF-8, as the server does not offer SMTPUTF8"
                raise InvalidCommand(what, "6531 §3.2")
            parameters["SMTPUTF8"] = None
        return parameters

    def _check_size(self, size: int) -> None:
        limit = next(iter(self.session.offers["SIZE"]), "0")
        if limit.isdecimal() and 0 < int(limit) < size:
            what = f"content of {size} octets, more than the {limit} that the server takes"
            raise InvalidContent(what, "1870 §6.1")

    # -- inside ----------------------------------------------------------------------------------

    def _secure(self) -> Flow[Reply | None]:
        required = self.options.security == "starttls"
        if not self.session.may("send_starttls"):
            if not required:
                return None
            what = "TLS is required, and the server does not offer STARTTLS"
            raise HandshakeFailed(what, state=self.session.configuration.state, rfc="3207 §6")
        try:
            return (yield from self.start_tls())
        except Rejected as error:
            if self.session.configuration["tls"] == "yes":
                raise  # what was refused is EHLO
            if not required:
                return None
            state = self.session.configuration.state
            raise HandshakeFailed(str(error), state=state, rfc="3207 §6") from error

    def _hear(self) -> None:
        """Judge what has been read and answers nothing, before anything else is sent.

        Raises:
            RemoteProtocolError: a reply that nobody asked for.
            Rejected: 421, the one reply that needs no command.
        """
        if not self.session.unread:
            return
        reply = self.session.next_reply()
        if reply is not None:
            self._refusal = reply
            raise Rejected(None, reply.code, str(reply))

    def _glance(self) -> Flow[None]:
        """Judge what is here already, read or not."""
        self._hear()
        data = yield GLANCE
        if data is not None:
            self._seen(data)

    def _seen(self, data: Answer) -> None:
        """Judge what a glance has shown."""
        if not data:
            raise self._lost()
        assert isinstance(data, bytes)
        self.session.receive(data)
        self._hear()

    def _write(self, octets: bytes) -> Flow[None]:
        answer = yield octets
        if answer is None:
            raise self.session.timeout(self.options.timeout or self.session.wait_for()[0])
        if not answer:
            yield from self._last_words()

    def _last_words(self) -> Flow[None]:
        """The connection broke while writing: hear what the server said, then give up."""
        wait = Wait(LAST_WORDS)
        said: Reply | None = None
        while isinstance(data := (yield wait), bytes) and data:
            self.session.receive(data)
            while (reply := self.session.next_reply()) is not None:
                said = reply
        if said is not None and said.first_digit > 3:
            self._refusal = said
        raise self._lost(said)

    def _lost(self, said: Reply | None = None) -> ConnectionLost:
        state, command = self.session.configuration.state, self.session.last_command
        if not self.session.may("eof"):
            return ConnectionLost("closed", state=state, command=command, who="client")
        error = self.session.eof()
        if error is not None and said is None:
            return error
        what = f"closed by the server, which said {said}" if said else "closed by the server"
        return ConnectionLost(what, state=state, command=command, who="server")


def _eight_bit_refused() -> InvalidContent:
    what = "content with octets above 127, and the server does not offer 8BITMIME"
    return InvalidContent(what, "6152 §3")
