"""One session of a client under test with a model server, and the judgement on the client."""

import socket
import threading
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from select import select

from fsm_smtp.session import Event
from fsm_smtp.testing.machines.client_coverage import ClientCoverage
from fsm_smtp.testing.machines.encounter import Encounter
from fsm_smtp.testing.machines.failure import ClientViolation
from fsm_smtp.testing.machines.mail import Send
from fsm_smtp.testing.machines.replies import Order
from fsm_smtp.testing.machines.scene import Scene
from fsm_smtp.testing.server.record import Message, SessionRecord
from fsm_smtp.testing.server.watch import Violation

#: Seconds that a client may take to go on. It has no reason to wait, but a busy machine.
PATIENCE = 15.0


@dataclass
class Meeting:
    """A session and what came of it.

    Attributes:
        scene: the mail that the client is to send, what is offered and what is answered.
        coverage: what was seen of the client.
        believed: the recipients that the client says were accepted, if it says so.
        error: what it raised instead.
        told: recipients for which the server has said that it has the message.
    """

    scene: Scene
    coverage: ClientCoverage
    believed: Collection[str] | None = None
    error: BaseException | None = None
    told: list[str] = field(default_factory=list[str])
    _lost: bool = False
    _asked: str = ""
    _accepted: list[str] = field(default_factory=list[str])
    _transcript: list[str] = field(default_factory=list[str])
    _violations: list[Violation] = field(default_factory=list[Violation])
    _messages: list[Message] = field(default_factory=list[Message])

    def hold(
        self, send: Send, listener: socket.socket, errors: tuple[type[Exception], ...]
    ) -> None:
        """Let the client meet the server.

        Args:
            send: the client.
            listener: where the server is met.
            errors: what the client may raise.

        Raises:
            ClientViolation: the client breaks a rule, loses or invents a fate, hangs, or fails in
                a way of its own.
        """
        done, ended = socket.socketpair()
        with done, ended:
            client = threading.Thread(
                target=self._client, args=(send, listener.getsockname(), ended), daemon=True
            )
            client.start()
            chosen: Sequence[Order] = self.scene.orders
            while (ready := select([done, listener], [], [], PATIENCE)[0]) and done not in ready:
                connected, _ = listener.accept()
                with connected:
                    self._serve(connected, chosen)
                chosen = ()  # the faults of one connection are enough
            client.join(PATIENCE if ready else 0)
        if client.is_alive():
            self._fail("the client ends its work when the session is over", "5321 §4.5.3.2")
        if self.error is not None and not isinstance(self.error, errors):
            self._fail(f"the client fails with {self.error!r}", "")
        self._judge()

    def _client(self, send: Send, address: tuple[str, int], ended: socket.socket) -> None:
        try:
            self.believed = send(address[0], address[1], self.scene.mail)
        except Exception as error:  # noqa: BLE001 -- it is judged by the one who waits
            self.error = error
        finally:
            with suppress(OSError):  # nobody waits any longer
                ended.send(b"x")

    def _serve(self, connected: socket.socket, chosen: Sequence[Order]) -> None:
        connected.settimeout(PATIENCE)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        encounter = Encounter(self.scene, chosen, self.coverage, self._listen)
        try:
            encounter.serve(connected)
        except TimeoutError:
            self._transcript.append("-: nothing more came from the client")
        self._lost = self._lost or encounter.is_lost

    def _listen(self, record: SessionRecord, what: Event | Violation | Message) -> None:
        if isinstance(what, Event):
            self._transcript += [f"{what.who}: {line}" for line in what.text.split("\n")]
            self._fates(what)
        elif isinstance(what, Violation):
            self._violations.append(what)
        else:
            self._messages.append(what)
            self._transcript.append("-: the server has the message")

    def _fates(self, event: Event) -> None:
        """Whom the server has told what, by the commands and replies."""
        if event.who == "C":
            self._asked = event.text.upper()
            return
        taken = event.who == "S" and event.text.startswith("2")
        asked, self._asked = self._asked, ""
        if asked.startswith("RCPT") and taken:
            self._accepted += [
                one for one in self.scene.mail.recipients if f"<{one.upper()}>" in asked
            ]
        elif asked.startswith(("MAIL", "RSET", "EHLO", "HELO")):
            self._accepted.clear()
        elif asked == "." or asked.endswith(" LAST"):
            if taken:
                self.told += self._accepted
            self._accepted.clear()

    # The judgement

    def _judge(self) -> None:
        for violation in self._violations:
            self._fail(str(violation), violation.rfc)
        for message in self._messages:
            self._judge_message(message)
        if self.believed is not None and not self._lost:
            for one in self.scene.mail.recipients:
                if one in self.believed and one not in self.told:
                    self._fail(f"the client believes {one} accepted, who is not", "5321 §4.2.5")
                if one in self.told and one not in self.believed:
                    self._fail(f"the client does not know {one} accepted, who is", "5321 §4.2.5")

    def _judge_message(self, message: Message) -> None:
        if message.content != self.scene.mail.content:
            got, sent = message.content, self.scene.mail.content
            self._fail(f"the message arrives as it was: {sent!r} became {got!r}", "5321 §4.5.2")

    def _fail(self, says: str, rfc: str) -> None:
        raise ClientViolation(says, rfc, self.scene.orders, tuple(self._transcript))
