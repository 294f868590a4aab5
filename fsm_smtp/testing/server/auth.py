"""AUTH with PLAIN, LOGIN and CRAM-MD5 (RFC 4954)."""

import base64
import hmac
import re
from collections.abc import Awaitable, Callable

from fsm_smtp.testing.server.chunking import Chunking
from fsm_smtp.testing.server.conversation import Refused
from fsm_smtp.testing.server.options import NAME

_BASE64 = re.compile(
    rb"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?\Z",
)


class Auth(Chunking):
    """Who the client is."""

    async def do_auth(self, argument: bytes) -> None:
        """One exchange, from the mechanism to 235 or a refusal."""
        self.auth_in_order()
        mechanism, *responses = argument.split() or [b""]
        if not mechanism or len(responses) > 1:
            raise Refused(501, "5.5.4", "a mechanism, and one initial response at most")
        exchange = self.exchange(mechanism)
        await exchange(responses[0] if responses else None)
        self.say(235, "2.7.0", "welcome")

    def auth_in_order(self) -> None:
        """Behind EHLO, once, and outside a transaction (RFC 4954 §4)."""
        if not self.implements("AUTH") or not self.options.users:
            raise Refused(502, "5.5.1", "AUTH is not implemented")
        self.in_order("auth")

    def exchange(self, mechanism: bytes) -> Callable[[bytes | None], Awaitable[None]]:
        """What the mechanism does; it gets the initial response as it came."""
        known = {b"PLAIN": self.plain, b"LOGIN": self.login, b"CRAM-MD5": self.cram_md5}
        name = mechanism.upper()
        exchange = known.get(name) if name.decode("latin-1") in self.options.mechanisms else None
        if exchange is None or not self.auth_is_safe():
            self.refuse_mechanism()
        return exchange or self.plain

    def refuse_mechanism(self) -> None:
        """Not supported, or not without TLS (RFC 4954 §4)."""
        raise Refused(504, "5.5.4", "not this mechanism, or not without TLS")

    async def plain(self, initial: bytes | None) -> None:
        """RFC 4616."""
        message = await self.challenge("") if initial is None else self.decoded_initial(initial)
        identity, _, rest = message.partition(b"\0")
        user, separator, password = rest.partition(b"\0")
        if not separator or b"\0" in password or identity not in (b"", user):
            self.refuse_credentials()
        self.check_password(user, password)

    async def login(self, initial: bytes | None) -> None:
        """User name and password, each asked for; the server speaks first."""
        if initial is not None:
            self.refuse_initial_response()
        user = await self.challenge("VXNlcm5hbWU6")
        self.check_password(user, await self.challenge("UGFzc3dvcmQ6"))

    async def cram_md5(self, initial: bytes | None) -> None:
        """RFC 2195: the server speaks first, and the password does not travel."""
        if initial is not None:
            self.refuse_initial_response()
        nonce = f"<{id(self)}.{len(self.record.lines)}@{NAME}>".encode()
        answer = await self.challenge(base64.b64encode(nonce).decode())
        user, _, digest = answer.rpartition(b" ")
        name = user.decode("utf-8", "replace")
        known = hmac.digest(self.options.users.get(name, "").encode(), nonce, "md5")
        if name not in self.options.users or known.hex().encode() != digest:
            self.refuse_credentials()
        self.user = self.record.user = name

    def refuse_initial_response(self) -> None:
        """In front of a server that speaks first there is none (RFC 4954 §4)."""
        raise Refused(501, "5.7.0", "this mechanism has no initial response")

    async def challenge(self, encoded: str) -> bytes:
        """334, and the decoded response (RFC 4954 §4)."""
        self.say(334, "", encoded)
        line = await self.line(self.AUTH_LINE)
        if self.watch is not None:
            self.watch.heard_response(line)
        if len(line) + len("\r\n") > self.AUTH_LINE:
            raise Refused(500, "5.5.6", "the line is too long")
        if line == b"*":
            self.refuse_cancelled()
        return self.decoded(line)

    def refuse_cancelled(self) -> None:
        """RFC 4954 §4."""
        raise Refused(501, "5.7.0", "cancelled")

    def decoded_initial(self, initial: bytes) -> bytes:
        """``=`` is a response of no octets (RFC 4954 §4)."""
        return b"" if initial == b"=" else self.decoded(initial)

    def decoded(self, encoded: bytes) -> bytes:
        """Base64 and nothing but that; a pad only at its end (RFC 4954 §4)."""
        if not _BASE64.match(encoded):
            raise Refused(501, "5.5.2", "this is no base64")
        return base64.b64decode(encoded)

    def check_password(self, user: bytes, password: bytes) -> None:
        """The user is known from here on."""
        name = user.decode("utf-8", "replace")
        if self.options.users.get(name) != password.decode("utf-8", "replace"):
            self.refuse_credentials()
        self.user = self.record.user = name

    def refuse_credentials(self) -> None:
        """RFC 4954 §6."""
        raise Refused(535, "5.7.8", "not with these credentials")
