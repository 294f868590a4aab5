"""The greeting, EHLO and HELO, and what EHLO offers (RFC 5321 §3.1, §3.2, §4.1.1.1)."""

from fsm_smtp.testing.server.conversation import Refused
from fsm_smtp.testing.server.grammar import is_host
from fsm_smtp.testing.server.options import NAME
from fsm_smtp.testing.server.order import Order
from fsm_smtp.testing.server.wire import Ended


class Hello(Order):
    """How a session opens."""

    async def greet(self) -> None:
        """The first reply; it has no enhanced status code (RFC 2034 §4)."""
        match self.options.greeting:
            case 220:
                self.say(220, "", f"{NAME} ready")
            case 521:
                self.say(521, "", f"{NAME} does not accept mail")
                raise Ended
            case code:
                self.say(code, "", f"{NAME} no SMTP service here")

    async def do_ehlo(self, argument: bytes) -> None:
        """Answered with the extensions; forgets the transaction (RFC 5321 §4.1.4)."""
        self.client_name = self.host_name(argument)
        self.greeted = "EHLO"
        self.forget_by_hello()
        self.say(250, "", NAME, *self.offer_lines())

    async def do_helo(self, argument: bytes) -> None:
        """Answered with a single line (RFC 5321 §3.2)."""
        self.client_name = self.host_name(argument)
        self.greeted = "HELO"
        self.forget_by_hello()
        self.say(250, "", NAME)

    def host_name(self, argument: bytes) -> bytes:
        """A domain or address literal in ASCII (RFC 5321 §4.1.3, RFC 6531 §3.7.1)."""
        if not is_host(argument) or not argument.isascii():
            raise Refused(501, "", "a domain name or address literal, please")
        return argument

    def forget_by_hello(self) -> None:
        """A 250 to EHLO or HELO means the initial state (RFC 5321 §4.1.1.1)."""
        self.forget_transaction()

    def offer_lines(self) -> list[str]:
        """Each keyword with its parameters."""
        return [f"{keyword} {value}".rstrip() for keyword, value in self.offers().items()]

    def offers(self) -> dict[str, str]:
        """What EHLO lists now: keywords and their parameters."""
        values = {
            "SIZE": str(self.options.size),
            "AUTH": self.mechanisms(),
            "LIMITS": self.limits(),
        }
        return {
            keyword: values.get(keyword, "")
            for keyword in sorted(self.options.extensions)
            if self.offered(keyword)
        }

    def mechanisms(self) -> str:
        """The mechanisms behind AUTH."""
        return " ".join(self.options.mechanisms)

    def limits(self) -> str:
        """The limits behind LIMITS (RFC 9422 §4)."""
        options = self.options
        return (
            f"MAILMAX={options.mails} RCPTMAX={options.recipients} "
            f"RCPTDOMAINMAX={options.recipient_domains}"
        )

    def offered(self, keyword: str) -> bool:
        """Whether EHLO lists *keyword* at this point of the session."""
        if not self.implements(keyword):
            return False
        match keyword:
            case "STARTTLS":  # RFC 3207 §4.2: not under TLS
                return self.options.context is not None and not self.secure
            case "AUTH":
                return self.auth_is_safe() and self.user is None
            case "REQUIRETLS":  # RFC 8689 §2: only under TLS
                return self.secure
            case _:
                return True

    def auth_is_safe(self) -> bool:
        """Whether passwords may travel here (RFC 4954 §4)."""
        return bool(self.options.users) and (self.secure or self.options.auth_in_clear)

    def takes_parameters_of(self, keyword: str) -> bool:
        """Whether a parameter of this extension is known; none is to a client that said HELO."""
        if keyword == "AUTH":  # also behind a successful AUTH, when it is no longer offered
            return self.greeted == "EHLO" and self.implements("AUTH") and self.auth_is_safe()
        return self.greeted == "EHLO" and self.offered(keyword)
