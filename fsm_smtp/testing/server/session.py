"""One session: commands read one by one and handed to what implements them."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from fsm_smtp.testing.server.conversation import Refused
from fsm_smtp.testing.server.lmtp import Lmtp
from fsm_smtp.testing.server.options import NAME
from fsm_smtp.testing.server.wire import Ended

# CR and LF are nothing but a line's end (RFC 5321 §2.3.8); other controls stand nowhere (§4.1.2).
_BARE = re.compile(rb"[\r\n]")
_CONTROL = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")

#: Octets with CRLF of a command line, and what extensions add (RFC 5321 §4.5.3.1.4; RFC 1870 §3,
#: RFC 6152 §2, RFC 6531 §3.1, RFC 4954 §3, RFC 8689 §2, RFC 3461 §4).
COMMAND_LINE = 512
MAIL_GROWTH = {
    "SIZE": 26,
    "8BITMIME": 17,
    "SMTPUTF8": 10,
    "AUTH": 500,
    "REQUIRETLS": 11,
    "DSN": 100,
}
RCPT_GROWTH = {"DSN": 500}


class Session(Lmtp):
    """A faithful server's side of a connection."""

    COMMANDS: ClassVar[Mapping[bytes, str]] = MappingProxyType(
        {
            b"EHLO": "do_ehlo",
            b"HELO": "do_helo",
            b"LHLO": "do_lhlo",
            b"MAIL": "do_mail",
            b"RCPT": "do_rcpt",
            b"DATA": "do_data",
            b"BDAT": "do_bdat",
            b"RSET": "do_rset",
            b"NOOP": "do_noop",
            b"QUIT": "do_quit",
            b"VRFY": "do_vrfy",
            b"EXPN": "do_expn",
            b"HELP": "do_help",
            b"STARTTLS": "do_starttls",
            b"AUTH": "do_auth",
            b"ETRN": "do_etrn",
        }
    )
    #: Known by name, and not implemented (RFC 5321 §4.2.4, appendix F).
    UNIMPLEMENTED: ClassVar[frozenset[bytes]] = frozenset({b"TURN", b"SEND", b"SOML", b"SAML"})
    #: Commands that may carry UTF-8 where SMTPUTF8 is implemented (RFC 6531 §3.3, §3.7.4.2).
    IN_UTF8: ClassVar[frozenset[bytes]] = frozenset({b"MAIL", b"RCPT", b"VRFY", b"EXPN"})

    async def run(self) -> None:
        """From the greeting to the end of the connection."""
        if self.watch is not None:
            self.watch.connected(tls=self.secure)
        try:
            await self.greet()
            while True:
                await self.one_command()
        except Ended:
            if self.watch is not None and self.wire.ended:
                self.watch.gone()
            self.vanish()
        except TimeoutError:
            self.shut_down(421, "4.4.2", f"{NAME} no command for too long")
        finally:
            self.record.ended = True
            self.wire.close()

    def vanish(self) -> None:
        """A connection that is gone counts as QUIT (RFC 5321 §4.1.1.5)."""
        self.forget_session()

    def shut_down(self, code: int = 421, status: str = "4.3.2", text: str = NAME) -> None:
        """The service ends (RFC 5321 §3.8)."""
        self.say(code, status, text)
        self.vanish()

    async def one_command(self) -> None:
        """Read, handle, answer."""
        line = await self.line(self.AUTH_LINE)
        self.record.lines.append(("C", line))
        if self.watch is not None:
            self.watch.heard(line)
        try:
            await self.dispatch(line)
        except Refused as refused:
            self.refuse(refused)

    def refuse(self, refused: Refused) -> None:
        """The reply to a command that has changed nothing."""
        self.say(refused.code, refused.status, refused.text)

    async def dispatch(self, line: bytes) -> None:
        """Find what implements the command, and let it answer."""
        verb, _, argument = line.partition(b" ")
        verb = self.folded(self.without_trailing_space(verb))
        argument = self.without_trailing_space(argument)
        if len(line) + len("\r\n") > self.limit_of(verb):
            self.line_too_long()
        self.check_characters(verb, line)
        self.admit(verb)
        await self.handle(verb, argument)

    def folded(self, verb: bytes) -> bytes:
        """Verbs are the same in every case (RFC 5321 §2.4)."""
        return verb.upper()

    def without_trailing_space(self, octets: bytes) -> bytes:
        """White space in front of CRLF is borne (RFC 5321 §4.1.1)."""
        return octets.rstrip(b" \t")

    def limit_of(self, verb: bytes) -> int:
        """The longest line of a command, with CRLF."""
        growth = {b"MAIL": MAIL_GROWTH, b"RCPT": RCPT_GROWTH}.get(verb, {})
        return COMMAND_LINE + sum(
            octets for keyword, octets in growth.items() if self.takes_parameters_of(keyword)
        )

    def line_too_long(self) -> None:
        """RFC 5321 §4.5.3.1.9."""
        raise Refused(500, "5.5.2", "the line is too long")

    def check_characters(self, verb: bytes, line: bytes) -> None:
        """RFC 5321 §2.3.8, §2.4, §4.1.2."""
        if _BARE.search(line):
            raise Refused(500, "5.5.2", "a bare CR or LF")
        if verb not in self.COMMANDS:
            return
        if _CONTROL.search(line):
            raise Refused(501, "5.5.2", "a control character")
        in_utf8 = self.implements("SMTPUTF8") and verb in self.IN_UTF8
        if not line.isascii() and not in_utf8:
            raise Refused(500, "5.5.2", "a character that is not ASCII")

    def admit(self, verb: bytes) -> None:
        """Who may give this command at this point."""
        if self.options.greeting != 220 and verb != b"QUIT":
            raise Refused(503, "5.5.1", "no SMTP service here")
        if self.options.requires_tls and not self.secure:
            self.admit_without_tls(verb)
        if self.options.weak_tls and self.secure and verb != b"QUIT":
            self.admit_under_weak_tls()
        if self.options.submission and self.user is None:
            self.admit_unauthenticated(verb)

    def admit_without_tls(self, verb: bytes) -> None:
        """RFC 3207 §4."""
        if verb not in (b"NOOP", b"EHLO", b"STARTTLS", b"QUIT"):
            raise Refused(530, "5.7.0", "STARTTLS first")

    def admit_under_weak_tls(self) -> None:
        """RFC 3207 §4.1."""
        raise Refused(554, "5.7.0", "this TLS is too weak")

    def admit_unauthenticated(self, verb: bytes) -> None:
        """RFC 6409 §4.3, RFC 4954 §6."""
        if verb not in (b"AUTH", b"EHLO", b"HELO", b"NOOP", b"RSET", b"QUIT", b"STARTTLS"):
            raise Refused(530, "5.7.0", "authentication required")

    async def handle(self, verb: bytes, argument: bytes) -> None:
        """Call the command's own method."""
        name = self.COMMANDS.get(verb)
        if name is None:
            self.unknown(verb)
            return
        await getattr(self, name)(argument)

    def unknown(self, verb: bytes) -> None:
        """RFC 5321 §4.2.4."""
        if verb in self.UNIMPLEMENTED:
            raise Refused(502, "5.5.1", "not implemented")
        raise Refused(500, "5.5.2", "not recognised")
