"""A small client that does everything right, and clients with one mistake each, for the machine.

A mistake is the change of one method, as with the model server's faults.
"""

import base64
import contextlib
import socket
from collections.abc import Callable
from typing import ClassVar

from fsm_smtp.testing.machines.client import SMTPClientMachine
from fsm_smtp.testing.machines.mail import Mail
from fsm_smtp.testing.server.certificate import client_context
from fsm_smtp.testing.server.options import PASSWORD, USER


class NotSent(Exception):
    """The mail has not gone out."""


class Faithful:
    """Sends one mail in lock-step, without extensions."""

    name: ClassVar[str] = "client.example.test"

    def __init__(self, host: str, port: int, mail: Mail) -> None:
        self.mail = mail
        self.socket = socket.create_connection((host, port), timeout=2)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.offers: set[str] = set()
        #: The same with what stands behind each keyword.
        self.lines: list[str] = []
        self.taken: list[str] = []

    # Octets

    def write(self, octets: bytes) -> None:
        try:
            self.socket.sendall(octets)
        except OSError as error:
            raise NotSent from error

    def reply(self) -> list[str]:
        """The lines of the next reply."""
        lines: list[str] = []
        while not lines or lines[-1][3:4] == "-":
            while b"\r\n" not in self.buffer:
                self.buffer += self.received()
            line, _, self.buffer = self.buffer.partition(b"\r\n")
            lines.append(line.decode("latin-1"))
        if lines[-1][:1] not in "2345":
            raise NotSent(lines)
        if lines[-1][:3] == "421":
            return self.closing(lines)
        return lines

    def received(self) -> bytes:
        try:
            octets = self.socket.recv(4096)
        except OSError as error:
            raise NotSent from error
        if not octets:
            raise NotSent("closed")
        return octets

    def closing(self, lines: list[str]) -> list[str]:
        raise NotSent(lines)

    def say(self, line: str) -> str:
        """The code of the reply to a line."""
        self.write(line.encode() + b"\r\n")
        return self.reply()[-1][:3]

    # The session

    def run(self) -> list[str]:
        """The recipients that were accepted."""
        try:
            self.greeting()
            self.hello()
            self.mail_from()
            self.rcpt_to()
            self.message()
            self.quit()
            return self.believed()
        finally:
            self.socket.close()

    def greeting(self) -> None:
        if self.reply()[-1][:1] != "2":
            self.give_up()

    def hello(self) -> None:
        self.write(f"EHLO {self.name}\r\n".encode())
        lines = self.reply()
        if lines[-1][:1] == "2":
            self.lines = [line[4:] for line in lines[1:]]
            self.offers = {line.split()[0] for line in self.lines}
        elif self.say(f"HELO {self.name}")[0] != "2":
            self.give_up()

    def mail_line(self) -> str:
        size = f" SIZE={len(self.mail.content)}" if "SIZE" in self.offers else ""
        return f"MAIL FROM:<{self.mail.sender}>{size}"

    def mail_from(self) -> None:
        if self.say(self.mail_line())[0] != "2":
            self.give_up()

    def rcpt_line(self, recipient: str) -> str:
        return f"RCPT TO:<{recipient}>"

    def rcpt_to(self) -> None:
        for one in self.mail.recipients:
            if self.say(self.rcpt_line(one))[0] == "2":
                self.taken.append(one)
        if not self.taken:
            self.without_recipients()

    def without_recipients(self) -> None:
        self.give_up()

    def message(self) -> None:
        if not self.may_send(self.say("DATA")):
            self.give_up()
        self.write(self.content())
        self.write(b".\r\n")
        if not self.is_taken(self.reply()[-1]):
            self.give_up()

    def may_send(self, code: str) -> bool:
        if code[0] in "23" and code != "354":
            raise NotSent(code)
        return code == "354"

    def content(self) -> bytes:
        lines = self.mail.content.split(b"\r\n")
        return b"\r\n".join(b"." + line if line[:1] == b"." else line for line in lines)

    def is_taken(self, line: str) -> bool:
        return line[0] == "2"

    def believed(self) -> list[str]:
        return self.taken

    def quit(self) -> None:
        with contextlib.suppress(NotSent):  # the mail is gone, and that is what counts
            self.say("QUIT")

    def give_up(self) -> None:
        self.quit()
        raise NotSent


class Secured(Faithful):
    """Uses STARTTLS and AUTH where they are offered."""

    authenticated: bool = False

    def hello(self) -> None:
        super().hello()
        if "STARTTLS" in self.offers and self.start_tls():
            self.hello_again()
        mechanism = self.mechanism()
        if mechanism:
            self.authenticate(mechanism)

    def start_tls(self) -> bool:
        """Whether TLS is up."""
        if not self.may_shake(self.say("STARTTLS")):
            return False
        self.shake()
        self.forget()
        return True

    def may_shake(self, code: str) -> bool:
        if code[0] in "23" and code != "220":
            raise NotSent(code)
        return code == "220"

    def shake(self) -> None:
        try:
            context = client_context()
            self.socket = context.wrap_socket(self.socket, server_hostname="127.0.0.1")
        except OSError as error:
            raise NotSent from error

    def forget(self) -> None:
        self.buffer, self.offers, self.lines = b"", set(), []

    def hello_again(self) -> None:
        super().hello()

    def mechanism(self) -> str:
        """The one to use, if any."""
        offered = next((line.split() for line in self.lines if line.startswith("AUTH ")), [])
        return next((one for one in ("PLAIN", "LOGIN") if one in offered[1:]), "")

    def authenticate(self, mechanism: str) -> None:
        answers = [USER, PASSWORD] if mechanism == "LOGIN" else []
        initial = f" {_base64(chr(0) + USER + chr(0) + PASSWORD)}" if mechanism == "PLAIN" else ""
        code = self.say(f"AUTH {mechanism}{initial}")
        while code == "334":
            if not answers:
                code = self.say(self.cancel())
                break
            code = self.say(_base64(answers.pop(0)))
        if code[0] in "23" and code != "235":
            raise NotSent(code)

    def cancel(self) -> str:
        return "*"


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def send_by(client: type[Faithful]) -> Callable[[str, int, Mail], list[str]]:
    def send(host: str, port: int, mail: Mail) -> list[str]:
        return client(host, port, mail).run()

    return send


#: Name of each mistake → the client, and how many replies must be chosen to show it.
CLIENTS: dict[str, tuple[type[Faithful], int]] = {}


def mistake(
    name: str, chosen: int = 0, /, of: type[Faithful] = Faithful, **changes: object
) -> None:
    assert name not in CLIENTS
    assert all(hasattr(of, change) for change in changes)
    CLIENTS[name] = type("Faulty", (of,), changes), chosen


def machine_of(name: str) -> SMTPClientMachine:
    """The machine for a client with a mistake."""
    client, _ = CLIENTS[name]
    secured = issubclass(client, Secured)
    return SMTPClientMachine(send_by(client), errors=(NotSent,), tls=secured, auth=secured)


def _before(method: str, *lines: str) -> Callable[[Faithful], None]:
    """Says *lines* in front of a method, whatever the replies."""

    def changed(client: Faithful) -> None:
        for line in lines:
            client.say(line)
        getattr(Faithful, method)(client)

    return changed


def _nothing(client: Faithful, *_: object) -> None:
    """Leaves out what should be done."""


# Content

mistake("dots are not stuffed", content=lambda client: client.mail.content)


def _first_dot(client: Faithful) -> bytes:
    return client.mail.content.replace(b"\r\n.", b"\r\n..", 1)


def _lf(client: Faithful) -> bytes:
    return Faithful.content(client).replace(b"\r\n", b"\n") + b"\r\n"


mistake("only the first dot is stuffed", content=_first_dot)
mistake("lines end with LF", content=_lf)
mistake("the last line is lost", content=lambda c: Faithful.content(c).rpartition(b"Sub")[0])
mistake("a field is added", content=lambda c: b"X-Mailer: x\r\n" + Faithful.content(c))
mistake("lines are joined", content=lambda c: Faithful.content(c).replace(b"\r\n\r\n", b"\r\n"))
mistake(
    "a line is too long",
    content=lambda c: b"X: " + b"x" * 998 + b"\r\n" + Faithful.content(c),
)

# Order


mistake("does not wait for the greeting", greeting=_before("greeting", "EHLO a.test"))
mistake("says no EHLO", hello=_nothing)
mistake("says MAIL twice", mail_from=_before("mail_from", "MAIL FROM:<x@example.test>"))
mistake("says RCPT in front of MAIL", mail_from=_before("mail_from", "RCPT TO:<a@example.test>"))
mistake("says RSET in front of DATA", message=_before("message", "RSET"))
mistake("says DATA with no recipient", 1, without_recipients=_nothing)
mistake("says DATA twice", message=_before("message", "DATA"))
mistake("says no QUIT", quit=_nothing)
mistake("authenticates unasked", mail_from=_before("mail_from", "AUTH PLAIN AGEAYg=="))
mistake("starts TLS unasked", mail_from=_before("mail_from", "STARTTLS"))


def _group(client: Faithful) -> None:
    lines = [client.mail_line(), *map(client.rcpt_line, client.mail.recipients)]
    client.write("".join(f"{line}\r\n" for line in lines).encode())
    if client.reply()[-1][0] != "2":
        for _ in client.mail.recipients:
            client.reply()
        client.give_up()
    for one in client.mail.recipients:
        if client.reply()[-1][0] == "2":
            client.taken.append(one)
    if not client.taken:
        client.give_up()


mistake("runs ahead without leave", mail_from=_group, rcpt_to=_nothing)


def _at_once(client: Faithful) -> None:
    client.write(b"DATA\r\n" + client.content() + b".\r\n")
    for _ in range(2):
        client.reply()


mistake("sends the content together with DATA", message=_at_once)


def _anyway(client: Faithful, code: str) -> bool:
    return True


mistake("sends the content whatever is said to DATA", 1, may_send=_anyway)
mistake("goes on behind 421", 1, closing=lambda client, lines: lines)


def _half(client: Faithful) -> None:
    client.say("DATA")
    client.write(b"Subject: x\r\n")
    raise NotSent


mistake("leaves in the middle of the content", message=_half)

# Lines

mistake("an address without brackets", rcpt_line=lambda client, one: f"RCPT TO:{one}")
mistake("a space behind the colon", rcpt_line=lambda client, one: f"RCPT TO: <{one}>")
mistake("a host name with an underscore", name="client_1.test")
mistake("a parameter that no RFC knows", mail_line=lambda c: Faithful.mail_line(c) + " XFOO=1")
mistake("SIZE without an offer", mail_line=lambda c: f"MAIL FROM:<{c.mail.sender}> SIZE=1")
mistake("BODY without an offer", mail_line=lambda c: Faithful.mail_line(c) + " BODY=8BITMIME")
mistake("NOTIFY without an offer", rcpt_line=lambda c, one: f"RCPT TO:<{one}> NOTIFY=NEVER")
mistake("QUIT with an argument", quit=lambda client: client.say("QUIT now"))
mistake("a verb of its own", hello=_before("hello", "XHELLO client.example.test"))

# Chunks


def _chunks(*sizes: int) -> Callable[[Faithful], None]:
    """BDAT with the content in two chunks, announced by so many octets more than there are."""

    def message(client: Faithful) -> None:
        parts = client.mail.content[:4], client.mail.content[4:]
        for part, more, last in zip(parts, sizes, ("", " LAST"), strict=True):
            client.write(b"BDAT %d%b\r\n%b" % (len(part) + more, last.encode(), part))
            if client.reply()[-1][0] != "2" and last:
                client.give_up()

    return message


mistake("BDAT without an offer", message=_chunks(0, 0))

# Fates

mistake("takes every reply to the message for success", 1, is_taken=_anyway)
mistake("believes every recipient taken", 1, believed=lambda c: list(c.mail.recipients))
mistake("believes nobody taken", believed=lambda client: [])
mistake("knows the first recipient only", believed=lambda client: client.taken[:1])


def _crashes(client: Faithful) -> bytes:
    octets = client.socket.recv(4096)
    if not octets:
        raise IndexError("nothing there")
    return octets


mistake("fails when the connection is dropped", 1, received=_crashes)

# TLS and AUTH


def _in_clear(client: Secured) -> bool:
    client.say("STARTTLS")
    return True


def _shakes_or_crashes(client: Secured) -> None:
    client.socket = client_context().wrap_socket(client.socket, server_hostname="127.0.0.1")


def _ahead(client: Secured) -> bool:
    client.write(b"STARTTLS\r\nEHLO client.example.test\r\n")
    client.reply()
    raise NotSent


def _twice(client: Secured, mechanism: str) -> None:
    Secured.authenticate(client, mechanism)
    Secured.authenticate(client, mechanism)


def _no_response(client: Secured, mechanism: str) -> None:
    if client.say("AUTH LOGIN") == "334":
        client.say("NOOP")


mistake("keeps what was offered before TLS", of=Secured, forget=_nothing, hello_again=_nothing)
mistake("goes on in clear behind the 220 to STARTTLS", of=Secured, start_tls=_in_clear)
mistake("says EHLO together with STARTTLS", of=Secured, start_tls=_ahead)
mistake("fails when a handshake does", 1, of=Secured, shake=_shakes_or_crashes)
mistake("shakes hands whatever is said to STARTTLS", 1, of=Secured, may_shake=_anyway)
mistake("authenticates twice", of=Secured, authenticate=_twice)
mistake("answers a challenge with a command", of=Secured, authenticate=_no_response)
