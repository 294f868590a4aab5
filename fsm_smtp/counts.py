"""What the gate counts: replies for each recipient (LMTP), and what the server takes (LIMITS).

Counts are unbounded, so they are no variables of the table, which sees only what they come to: of
the replies that one end of content gets (RFC 2033 §4.2), one stands for all.
"""

from collections.abc import Mapping
from typing import Final

from fsm_smtp.errors import LimitReached
from fsm_smtp.table import Table
from fsm_smtp.wire import Command, Reply, envelope_path

#: What RFC 9422 §4 limits: transactions on a connection, recipients and their domains in one.
MAILMAX: Final = "MAILMAX"
RCPTMAX: Final = "RCPTMAX"
RCPTDOMAINMAX: Final = "RCPTDOMAINMAX"


class RepliesDue:
    """How many replies come to the end of a content: one for each recipient that was accepted."""

    __slots__ = ("_accepted", "_begins", "_counted", "_ends", "_success", "left")

    def __init__(
        self, begins: frozenset[str], counted: frozenset[str], ends: frozenset[str]
    ) -> None:
        self._begins, self._counted, self._ends = begins, counted, ends
        self._accepted = 0
        self._success: int | None = None
        #: How many are still to come, while they come.
        self.left = 0

    @classmethod
    def of(cls, table: Table) -> "RepliesDue | None":
        """The counter that *table* asks for; ``None`` when every command gets one reply."""
        ends = {t.name for t in table.triggers.values() if t.replies_expected == "per_recipient"}
        if not ends:
            return None
        begins = {t.name for t in table.triggers.values() if t.verb == "MAIL"}
        counted = {t.name for t in table.triggers.values() if t.verb == "RCPT"}
        return cls(frozenset(begins), frozenset(counted), frozenset(ends))

    def expect(self, trigger: str) -> None:
        """A command is on its way."""
        if trigger in self._begins:
            self._accepted = 0
        self.left = self._accepted if trigger in self._ends else 0
        self._success = None

    def code(self, asked: str | None, reply: Reply) -> int | None:
        """What the replies come to once *reply* is here; ``None`` while more are due.

        The message was accepted if it was for any recipient. What is no answer for a recipient
        (3yz, 421) counts at once and ends the rest.
        """
        positive = reply.first_digit == 2
        if asked in self._counted and positive:
            self._accepted += 1
        if asked not in self._ends or reply.first_digit == 3 or reply.code == 421:
            self.left = 0
            return reply.code
        self.left -= 1
        if positive and self._success is None:
            self._success = reply.code
        if self.left > 0:
            return None
        return self._success or reply.code


class Limits:
    """The limits that the last EHLO offered, and what has been used of them (RFC 9422)."""

    __slots__ = ("_domains", "_mails", "_most", "_recipients")

    def __init__(self) -> None:
        self._most: Mapping[str, int] = {}
        self._mails = 0
        self._recipients = 0
        self._domains: set[bytes] = set()

    def offered(self, limits: Mapping[str, int]) -> None:
        """EHLO has been accepted, with these limits."""
        self._most = limits

    @property
    def mails_left(self) -> int | None:
        """How many more transactions the server takes on this connection; ``None`` for any."""
        most = self._most.get(MAILMAX)
        return None if most is None else max(0, most - self._mails)

    def sent(self, command: Command, state: str) -> None:
        """*command* is about to be sent in *state*.

        Raises:
            LimitReached: the server does not take so many; nothing is counted.
        """
        if command.verb == "MAIL":
            self._check(MAILMAX, self._mails + 1, state, command)
            self._mails += 1
            self._recipients = 0
            self._domains.clear()
        elif command.verb == "RCPT":
            domain = domain_of(envelope_path(command.argument))
            self._check(RCPTMAX, self._recipients + 1, state, command)
            self._check(RCPTDOMAINMAX, len(self._domains | {domain}), state, command)
            self._recipients += 1
            self._domains.add(domain)

    def _check(self, limit: str, count: int, state: str, command: Command) -> None:
        most = self._most.get(limit)
        if most is not None and count > most:
            raise LimitReached(limit, most, state=state, command=command.redacted)


def domain_of(address: bytes) -> bytes:
    """What stands behind the last ``@``, in lower case; the whole address if there is none."""
    return address.rpartition(b"@")[2].lower()
