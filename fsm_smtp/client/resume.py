"""A message that is sent again, without ever sending twice what was accepted."""

from collections.abc import Sequence

from fsm_smtp.client.content import Source, rewinder
from fsm_smtp.client.extensions import Extensions, Recipient
from fsm_smtp.client.message import Message
from fsm_smtp.client.result import Fate, SendResult
from fsm_smtp.errors import InvalidContent


class Resume:
    """A message and the fates of its recipients over several attempts.

    Accepted recipients and those refused for good (5yz) are never tried again; those refused for
    now (4yz, or a connection that ended before the content did) are. Where nobody knows, the caller
    decides: trying again may deliver twice, not trying may deliver never (RFC 1047).

    Args:
        content: as for `Client.send_message`; an iterator can be sent only once.
        sender: as there.
        recipients: as there.
        extensions: as there.
        again_if_unknown: whether recipients whose fate is unknown are tried again.
    """

    def __init__(
        self,
        content: Source,
        sender: str | None = None,
        recipients: str | Sequence[str | Recipient] | None = None,
        *,
        extensions: Extensions | None = None,
        again_if_unknown: bool = False,
    ) -> None:
        self._message = Message.of(content, sender, recipients, extensions)
        self._rewind = rewinder(content)
        self._again_if_unknown = again_if_unknown
        self._fates: dict[int, Fate] = {}
        self._asked: tuple[int, ...] = ()
        self.attempts = 0

    @property
    def fates(self) -> tuple[Fate, ...]:
        """The last fate of each recipient that has one, in the order given."""
        return tuple(fate for _, fate in sorted(self._fates.items()))

    @property
    def pending(self) -> tuple[str, ...]:
        """The addresses that the next attempt is for."""
        return tuple(self._message.addresses[number] for number in self._open())

    @property
    def done(self) -> bool:
        """Whether there is nobody left to try."""
        return not self._open()

    def attempt(self) -> Message:
        """The message for those who are left, fit to be sent.

        Raises:
            ValueError: nobody is left.
            InvalidContent: the content cannot be gone through again.
        """
        self._asked = self._open()
        if not self._asked:
            raise ValueError("every recipient has a fate that stands")
        if self.attempts:
            if self._rewind is None:
                raise InvalidContent("content that can be read once, sent again", "5321 §4.5.4.1")
            self._rewind()
        self.attempts += 1
        given = self._message
        recipients = tuple(given.recipients[number] for number in self._asked)
        return Message(given.source, given.sender, recipients, given.extensions)

    def take(self, result: SendResult) -> None:
        """What came of the last attempt.

        Raises:
            ValueError: it is the result of another one.
        """
        addresses = tuple(self._message.addresses[number] for number in self._asked)
        if tuple(fate.recipient for fate in result.fates) != addresses:
            raise ValueError("this is not the result of the last attempt")
        self._fates.update(zip(self._asked, result.fates, strict=True))
        self._asked = ()

    def _open(self) -> tuple[int, ...]:
        return tuple(
            number
            for number in range(len(self._message.recipients))
            if number not in self._fates or self._may_change(self._fates[number])
        )

    def _may_change(self, fate: Fate) -> bool:
        if fate.outcome == "unknown":
            return self._again_if_unknown
        return fate.outcome == "refused" and not fate.permanent
