"""One message on its way: which of its commands have been sent, and what the replies say."""

from typing import Final, Literal

from fsm_smtp.ahead import Shape
from fsm_smtp.client.content import Content
from fsm_smtp.client.dialogue.envelope import Prepared
from fsm_smtp.client.message import Message
from fsm_smtp.client.result import AllAccepted, Fate, Fates, SendResult
from fsm_smtp.errors import ProtocolError
from fsm_smtp.wire import Command, Encoded, Reply, commands, encoded

#: What a reply answers: RSET before the message, its MAIL, a RCPT, DATA, or the end of the content.
#: ``run``: all of them, by replies that are taken together. ``quit``: QUIT behind the last message.
Kind = Literal["rset", "mail", "rcpt", "data", "end", "run", "quit"]

_KINDS: Final[dict[str, Kind]] = {
    "send_rset": "rset",
    "send_mail": "mail",
    "send_mail_binary": "mail",
    "send_rcpt": "rcpt",
    "send_data": "data",
    "send_bdat_last": "end",
}

#: How servers refuse commands that came too early for them; none of it says no to the message.
_PROTESTS: Final = (500, 502, 503)


class Letter:
    """One message on its way.

    Attributes:
        message: the message.
        ready: the same as commands and content.
        mail: the trigger of its MAIL.
        commands: its envelope, and DATA unless the content goes in chunks.
        encoded: its content in the form that DATA wants, once that has been made.
        run: what has been sent as a run, if anything.
        sent: how many of its commands have been sent.
        outstanding: how many of its commands wait for replies.
        begun: its content has been touched; it can be gone through only once.
        behind: its envelope went in one write with the end of the message before it.
        opened: 354 has come, and the end of the content has not been sent.
        ended: the end of its content has been sent, if only in part.
        refusal: the first reply that refused the message as a whole, if one did.
        protested: a reply to its envelope said that a command came too early.
        refused_behind: such a reply to its MAIL, which stood behind an end of data.
        error: why it cannot be sent to this server at all, if it cannot.
    """

    __slots__ = (
        "_fates",
        "_recipient",
        "begun",
        "behind",
        "commands",
        "encoded",
        "ended",
        "error",
        "mail",
        "message",
        "opened",
        "outstanding",
        "protested",
        "ready",
        "refusal",
        "refused_behind",
        "run",
        "sent",
        "taken",
    )

    def __init__(self, message: Message, ready: Prepared) -> None:
        self.message = message
        self.ready = ready
        self.error: ProtocolError | None = None
        self.mail = "send_mail_binary" if ready.binary else "send_mail"
        self.commands: list[Command] = [ready.mail, *ready.rcpts]
        if not ready.by_chunks:
            self.commands.append(commands.data())
        self.encoded: Encoded | None = None
        self.begin()

    @classmethod
    def unsendable(cls, message: Message, error: ProtocolError) -> "Letter":
        """A message that cannot be sent, waiting for its turn to be told so."""
        nothing = Content(iter(()), 0, False)
        letter = cls(message, Prepared(message.addresses, commands.rset(), [], nothing))
        letter.ended, letter.error = True, error
        return letter

    def begin(self) -> None:
        """Nothing of it has been sent, or what has been sent counts for nothing."""
        self.sent = 0
        self.run: Shape | None = None
        self._fates: Fates | None = None
        self.outstanding = 0
        self.begun = self.opened = self.ended = False
        self.behind = self.protested = self.refused_behind = False
        self.refusal: Reply | None = None
        self.taken: Reply | None = None  # 2yz to the end of the content
        self._recipient = 0  # whose reply comes next

    @property
    def enveloped(self) -> bool:
        """Whether its whole envelope has been sent."""
        return self.sent == len(self.commands)

    @property
    def fates(self) -> Fates:
        """Of its recipients: made when the first is decided."""
        if self._fates is None:
            self._fates = Fates(self.message.sender, self.ready.addresses)
        return self._fates

    def next_command(self) -> tuple[Kind, str, Command]:
        """What is sent next of its envelope: what its reply answers, its trigger, and itself."""
        command = self.commands[self.sent]
        if self.sent == 0:
            return "mail", self.mail, command
        if self.sent > len(self.ready.rcpts):
            return "data", "send_data", command
        return "rcpt", "send_rcpt", command

    def kinds(self) -> list[Kind]:
        """What the replies answer to what has been sent as a run, in order."""
        return [] if self.run is None else [_KINDS[trigger] for trigger in self.run.triggers]

    def encode(self) -> None:
        """Bring its content into the form that DATA wants, if it is all here."""
        whole = self.ready.content.whole
        if self.encoded is None and whole is not None and not self.ready.by_chunks:
            self.encoded = encoded(whole)

    def answered(self, kind: Kind, reply: Reply) -> None:
        """*reply* answers a command of this kind; RCPTs are answered in their order."""
        self.outstanding -= 1
        refused = reply.code >= 400
        if kind != "end" and reply.code in _PROTESTS:
            self.protested = True
            self.refused_behind = self.refused_behind or (kind == "mail" and self.behind)
        if kind == "rcpt":
            if refused and self.refusal is None:
                self.fates.refuse(self._recipient, reply)
            self._recipient += 1
        elif kind == "end" and not refused:
            self.taken = reply
        elif kind == "data" and not refused:
            self.opened = True
        elif kind != "rset" and refused and self.refusal is None:
            self.refusal = reply

    @property
    def decided(self) -> bool:
        """Whether the last reply to it has come, and nothing of it is left to send."""
        if self.error is not None:
            return True
        over = self.taken is not None or self.refusal is not None
        return over and not self.outstanding and not self.opened

    def result(
        self, error: ProtocolError | None = None, shutdown: Reply | None = None
    ) -> SendResult:
        """The result. The server has taken the message if it says so, doomed or not.

        Args:
            error: what cut it short, if anything did.
            shutdown: the reply that ended the session, if one did.
        """
        if self.error is not None:
            return not_sent(self.message, self.error)
        deciding = self.taken or self.refusal or (None if self.ended else shutdown)
        if error is None and self.taken is not None and self._fates is None:
            return AllAccepted(self.message.sender, self.ready.addresses, self.taken)
        self.fates.ended = self.fates.ended or self.ended
        if deciding is not None:
            self.fates.decide(deciding)
        return self.fates.result(error)


def not_sent(message: Message, error: ProtocolError) -> SendResult:
    """The result of a message of which nothing was sent."""
    fates = tuple(Fate(address, "refused", None) for address in message.addresses)
    return SendResult(message.sender, fates, error)
