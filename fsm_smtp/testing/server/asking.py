"""The commands that touch no message: RSET, NOOP, QUIT, VRFY, EXPN, HELP, ETRN (§4.1.1)."""

from fsm_smtp.testing.server.conversation import Refused
from fsm_smtp.testing.server.grammar import is_utf8, read_mailbox
from fsm_smtp.testing.server.options import DOMAIN, NAME
from fsm_smtp.testing.server.tls import StartTls
from fsm_smtp.testing.server.wire import Ended


class Asking(StartTls):
    """Legal at any time (RFC 5321 §4.1.4)."""

    async def do_rset(self, argument: bytes) -> None:
        """RFC 5321 §4.1.1.5."""
        self.no_argument(argument)
        self.forget_by_rset()
        self.say(250, "2.0.0", "reset")

    def no_argument(self, argument: bytes) -> None:
        """RSET and QUIT take none (RFC 5321 §4.1.1)."""
        if argument:
            raise Refused(501, "5.5.4", "no argument, please")

    def forget_by_rset(self) -> None:
        """The buffers are cleared."""
        self.forget_transaction()

    async def do_noop(self, argument: bytes) -> None:
        """Its argument is ignored (RFC 5321 §4.1.1.9)."""
        self.say(250, "2.0.0", "fine")

    async def do_quit(self, argument: bytes) -> None:
        """221, then the connection closes (RFC 5321 §4.1.1.10)."""
        self.no_argument(argument)
        self.say(221, "2.0.0", f"{NAME} goodbye")
        raise Ended

    async def do_vrfy(self, argument: bytes) -> None:
        """A mailbox that is known, or is not (RFC 5321 §3.5)."""
        name = self.asked_for(argument)
        mailbox = read_mailbox(name)
        local, domain = (name, DOMAIN) if mailbox is None else (mailbox[0], mailbox[1].decode())
        if domain.lower() not in self.options.domains or not self.is_known(local):
            raise Refused(550, "5.1.1", "no such mailbox")
        if not local.isascii() and not self.may_answer_in_utf8(argument):
            self.refuse_utf8_answer()
        self.say(250, "2.1.5", f"<{local.decode()}@{domain}>")

    async def do_expn(self, argument: bytes) -> None:
        """The members of a list (RFC 5321 §3.5.2)."""
        if not self.implements("EXPN"):
            raise Refused(502, "5.5.1", "EXPN is not implemented")
        members = self.options.lists.get(self.asked_for(argument).lower())
        if members is None:
            raise Refused(550, "5.1.1", "no such list")
        self.say(250, "2.1.5", *(f"<{member.decode()}@{DOMAIN}>" for member in members))

    def asked_for(self, argument: bytes) -> bytes:
        """The string behind VRFY or EXPN, without the parameter SMTPUTF8."""
        name = argument
        if self.may_answer_in_utf8(argument):
            name = argument[: -len("SMTPUTF8")].rstrip()
        if not name or not is_utf8(name):
            raise Refused(501, "5.5.4", "a name, please")
        return name

    def may_answer_in_utf8(self, argument: bytes) -> bool:
        """Whether the parameter stands there (RFC 6531 §3.7.4.2)."""
        return self.implements("SMTPUTF8") and argument.upper().endswith(b" SMTPUTF8")

    def refuse_utf8_answer(self) -> None:
        """RFC 6531 §3.7.4.2."""
        raise Refused(252, "2.6.8", "the address is not ASCII; mail for it is tried")

    async def do_help(self, argument: bytes) -> None:
        """RFC 5321 §4.1.1.8."""
        if not self.implements("HELP"):
            raise Refused(502, "5.5.1", "HELP is not implemented")
        self.say(214, "2.0.0", "see RFC 5321", "and the extensions that EHLO lists")

    async def do_etrn(self, argument: bytes) -> None:
        """A queue is asked for, and there is none for anybody (RFC 1985 §5.2)."""
        if not self.implements("ETRN"):
            raise Refused(502, "5.5.1", "ETRN is not implemented")
        if not argument:
            raise Refused(501, "5.5.4", "a domain, please")
        self.say(251, "2.0.0", "no messages wait for this node")
