"""One command and its reply, and whatever may come in place of it."""

from typing import Final

from fsm_smtp.client.callbacks import Waiting
from fsm_smtp.client.observing import observing
from fsm_smtp.client.options import Options
from fsm_smtp.client.requests import GLANCE, Answer, Flow, Wait
from fsm_smtp.client.sasl.binding import Bound
from fsm_smtp.errors import ConnectionLost, Rejected
from fsm_smtp.machine import shared_machine
from fsm_smtp.pipelined import PipelinedSession
from fsm_smtp.wire import Command, Offers, Reply, commands

#: How long to look for what a server said before it broke the connection, in seconds.
LAST_WORDS: Final = 1.0


class Exchange:
    """What every dialogue of a client is made of.

    Attributes:
        options: the client's.
        session: the gate.
        ehlo_name: the name for EHLO.
        host, port: where the server is, for the mechanisms that name it.
        secured: the TLS connection, for channel binding; ``None`` in clear.
        verified: whether its certificate was verified.
        in_clear: what was offered before STARTTLS, once TLS is up.
        refusal: the reply that came unasked and ended the session, if one did.
        lost: the error by which the connection ended, if it did not end on our side.
    """

    def __init__(self, options: Options, host: str = "localhost", port: int = 25) -> None:
        self.options = options
        self.host, self.port = host, port
        machine = shared_machine(options.policies())
        observer = observing(options, lambda: self.session.configuration)
        self.session = PipelinedSession(machine, observer=observer)
        self.ehlo_name = options.ehlo_name or "[127.0.0.1]"
        self.secured: Bound | None = None
        self.verified = False
        self.in_clear: Offers | None = None
        self.refusal: Reply | None = None
        self.lost: ConnectionLost | None = None

    def ehlo(self, name: str | None = None) -> Command:
        """EHLO, or LHLO where LMTP is spoken, with *name* or the client's own."""
        say = commands.lhlo if self.options.protocol == "lmtp" else commands.ehlo
        return say(name or self.ehlo_name)

    def command(self, command: Command) -> Flow[Reply]:
        """One command and its reply.

        Raises:
            CommandRefused: the machine does not allow it now; nothing was written.
            Rejected: the server has shut the session down before; nothing was written.
        """
        data = yield (wait := self.ask(command))
        return self.answer(data) or (yield from self.rest(wait, data))

    def reply(self, octets: bytes = b"") -> Flow[Reply]:
        """The next reply, after *octets* have been written.

        Raises:
            RemoteProtocolError: the server broke the protocol.
            ConnectionLost: the connection ended.
            ReplyTimeout: the reply did not come in time.
        """
        if not octets and self.session.unread:  # replies to one command may come together
            here = self.session.next_reply()
            if here is not None:
                return here
        data = yield (wait := self.wait(octets))
        return self.answer(data) or (yield from self.rest(wait, data))

    # A generator inside a generator costs as much as a system call. So what mostly happens, one
    # read that is one reply, is written out where time counts:
    #     data = yield (wait := on.ask(command))
    #     reply = on.answer(data) or (yield from on.rest(wait, data))

    def ask(self, command: Command) -> Wait:
        """What `command` asks for first."""
        if self.session.unread:
            self.hear()
        return self.wait(self.session.send(command))

    def wait(self, octets: bytes) -> Wait:
        """The wait for a reply, after *octets* have been written."""
        return Wait(self.options.timeout or self.session.wait_for()[0], octets)

    def answer(self, data: Answer) -> Reply | None:
        """The reply, if it is complete with *data*."""
        return self.session.answer(data) if data and isinstance(data, bytes) else None

    def rest(self, wait: Wait, data: Answer) -> Flow[Reply]:
        """The reply that is not complete with *data*, if ever it comes."""
        while True:
            if data is None:
                wait = self._longer(wait)
                data = yield wait
                if (reply := self.answer(data)) is not None:
                    return reply
                continue
            if data is False:
                yield from self._last_words()
            if not data:
                raise self.broken_off()
            data = yield wait
            reply = self.answer(data)
            if reply is not None:
                return reply

    def _longer(self, wait: Wait) -> Wait:
        """A wait for some time more, if the caller is asked and wants to."""
        on_timeout, more = self.options.on_timeout, None
        if on_timeout is not None and not wait.octets:  # what is half written cannot be taken up
            command = self.session.last_command
            more = on_timeout(Waiting(self.session.state, command, wait.waited))
        if not more:
            raise self.session.timeout(wait.waited)
        longer = Wait(more)
        longer.before = wait.waited
        return longer

    def hear(self) -> None:
        """Judge what has been read and answers nothing, before anything else is sent.

        Raises:
            RemoteProtocolError: a reply that nobody asked for.
            Rejected: 421, the one reply that needs no command.
        """
        if not self.session.unread:
            return
        reply = self.session.next_reply()
        if reply is not None:
            self.refusal = reply
            raise self.rejected(None, reply)

    def rejected(self, command: Command | None, reply: Reply) -> Rejected:
        """The error that says that *reply* refuses *command*, or the session."""
        redacted = None if command is None else command.redacted
        state = self.session.configuration.state
        return Rejected(redacted, reply.code, str(reply), state=state)

    def glance(self) -> Flow[None]:
        """Judge what is here already, read or not."""
        self.hear()
        data = yield GLANCE
        if data is not None:
            self.seen(data)

    def seen(self, data: Answer) -> None:
        """Judge what a glance has shown."""
        if not data:
            raise self.broken_off()
        assert isinstance(data, bytes)
        self.session.receive(data)
        self.hear()

    def write(self, octets: bytes) -> Flow[None]:
        """Write *octets*, which get no reply of their own."""
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
            self.refusal = said
        raise self.broken_off(said)

    def broken_off(self, said: Reply | None = None) -> ConnectionLost:
        """The error for a connection that is broken; *said* is what the server said last."""
        state, command = self.session.configuration.state, self.session.last_command
        if not self.session.may("eof"):
            return ConnectionLost("closed", state=state, command=command, who="client")
        error = self.session.eof()
        if error is None or said is not None:
            what = f"closed by the server, which said {said}" if said else "closed by the server"
            error = ConnectionLost(what, state=state, command=command, who="server")
        self.lost = error
        return error
