"""STARTTLS (RFC 3207)."""

from fsm_smtp.testing.server.auth import Auth
from fsm_smtp.testing.server.conversation import Refused


class StartTls(Auth):
    """From clear to secured."""

    async def do_starttls(self, argument: bytes) -> None:
        """220, the handshake, and the state of a new session (RFC 3207 §4.2)."""
        if argument:
            self.starttls_with_argument()
        self.starttls_in_order()
        self.say(220, "2.0.0", "ready for TLS")
        self.forget_before_tls()
        assert self.options.context is not None
        await self.wire.start_tls(self.options.context)
        self.secure = self.record.secured = True
        if self.watch is not None:
            self.watch.secured()

    def starttls_with_argument(self) -> None:
        """RFC 3207 §4."""
        raise Refused(501, "5.5.4", "STARTTLS takes no argument")

    def starttls_in_order(self) -> None:
        """Not twice, and where there is a certificate (RFC 3207 §4.2)."""
        if self.options.context is None or not self.implements("STARTTLS"):
            raise Refused(502, "5.5.1", "STARTTLS is not implemented")
        self.in_order("starttls")

    def forget_before_tls(self) -> None:
        """Nothing that came in the clear is known or read any longer (RFC 3207 §4.2)."""
        self.forget_session()
        self.wire.buffer.clear()
