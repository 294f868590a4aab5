"""The guard: the machine in the observer's role, between somebody's client and its connection.

No I/O and no clock. Tell it what the client is about to send and what the server has sent; it says
what may be written, and raises before an octet moves.

    guard = Guard()
    guard.connected()
    guard.received(b"220 mx.example.test\\r\\n")
    sock.sendall(guard.sending(b"EHLO client.example.test\\r\\n"))

How it works. The client's octets are taken apart into lines, content and chunks (which of them
they are, the configuration says); each is a trigger, and the machine's verdict decides. Replies
are judged in the same way, one for each command that awaits one. The quick paths at the top of
`sending` and `answer` are what nearly every octet of a client in lock-step takes. The two sides
are in `outgoing` and `incoming`, what both know in `watching`.

Whatever is found becomes a `Finding`. What breaks the protocol is raised in the mode ``enforce``,
and in the mode ``record`` let go: as long as the server refuses what is illegal, recording goes on;
once it has accepted it, or has broken the protocol itself, what follows would be guesswork, and the
guard watches that connection no longer (`Guard.lost`).
"""

from typing import Final

from fsm_smtp.errors import CommandRefused
from fsm_smtp.guard.findings import Finding, Kind
from fsm_smtp.guard.outgoing import Outgoing
from fsm_smtp.wire import ReplyParser

_UNVERIFIED: Final = "TLS with a certificate that was not verified"


class Guard(Outgoing):
    """Watches one connection of a client at a time.

    Args:
        options: what to do with what is found.
        machine: the protocol; the shared machine of the shipped table when ``None``.
        errors: makes the error to raise from a finding; adapters make their host's kinds.
        lockstep: whether the client sends one command at a time and a content in one piece, so that
            nothing may stand behind either; else PIPELINING (RFC 2920) is allowed as it is offered.
        lmtp: whether it speaks LMTP (RFC 2033).
    """

    __slots__ = ()

    def connected(self, *, tls: bool = False, verified: bool = True) -> None:
        """A new connection is open.

        Args:
            tls: a handshake came first (RFC 8314 §3.3).
            verified: the certificate was verified in it.
        """
        self._start()
        said = self._recogniser.greeting(tls=tls)
        self._here = said.event.step(self._here).target
        self._asked = said
        if not verified:
            self._exposed(_UNVERIFIED, "3207 §4.1")

    def handshake_begins(self) -> None:
        """The client is about to start the TLS handshake.

        Raises:
            GuardError: the server has not accepted STARTTLS, or octets stand behind its 220.
        """
        if self._unread:
            self._judge_unasked()
        if self.lost or self.handshaking:
            return
        refused = self._machine.refusal(self._here, "tls_up")
        assert isinstance(refused, CommandRefused)
        legal = refused.legal
        self._find(Kind.ORDER, refused.why, refused.rfc, trigger="tls_up", legal=legal)
        self.lost = True

    def tls_up(self, *, verified: bool = True) -> None:
        """The handshake after STARTTLS succeeded: nothing learned before it survives (RFC 3207).

        Args:
            verified: the certificate was verified in it.
        """
        self._parser = ReplyParser(tolerant=self.options.replies == "tolerant")
        self._link("tls_up", "TLS is up")
        if not verified:
            self._exposed(_UNVERIFIED, "3207 §4.1")

    def tls_failed(self) -> None:
        """The handshake after STARTTLS failed; only closing is left."""
        self._link("tls_failed", "the TLS handshake failed")

    def eof(self) -> None:
        """The server has closed the connection. Reported when it should not have; never raised."""
        self._link("eof", "closed by the server")

    def timeout(self) -> None:
        """No reply came in time. Only closing is left."""
        self._link("timeout", "no reply in time")

    def closed(self) -> None:
        """The client has closed the connection. Reported when QUIT was missing; never raised."""
        self._link("close", "closed by the client")

    def _link(self, trigger: str, text: str) -> None:
        step = self._recogniser.event(trigger).step(self._here)
        if self.lost or step.row is None:
            return
        before, self._here = self._here, step.target
        self._flight, self._queue, self._asked = None, (), None
        row = step.row
        if row.violation:
            self._report(
                Finding(
                    Kind.CLOSE,
                    True,
                    row.violation,
                    before.state,
                    None,
                    trigger,
                    (),
                    row.note or row.id,
                    row.rfc,
                    None,
                    self.transcript,
                )
            )
        self._tail.append(f"-- {text}")
        self._look_again()
