"""How far one server lets a client run ahead: what is offered, what is wanted, what was learned."""

from dataclasses import dataclass
from typing import Final

from fsm_smtp.client.options import Depth
from fsm_smtp.session import Session

#: Octets of a content that goes in one chunk with its envelope; larger ones wait for the replies.
WINDOW_CONTENT: Final = 64 * 1024

#: Commands in the air at most. A reply line has at most 512 octets (RFC 5321 §4.5.3.1.5), so the
#: replies to all of them fit into what the adapters keep while they write: a server that has to
#: write them before it reads on is always read from (RFC 2920 §3.1).
MOST_OUTSTANDING: Final = 1024

#: Seconds that a server has for its first reply to what stood behind an end of data, the first
#: time, before it counts as one that throws such commands away. A server that is only slow costs
#: a new connection, and that nothing is sent behind an end of data from then on.
SWALLOWED: Final = 3.0


@dataclass(slots=True)
class Reach:
    """What has been learned about one server; kept from one connection to the next.

    Attributes:
        groups: False when it has refused a group of commands and closed the connection.
        behind_end: whether it has answered commands behind an end of data in one write as it
            should; ``None`` until tried.
        swallowed: how long to wait the first time; see `SWALLOWED`.
    """

    groups: bool = True
    behind_end: bool | None = None
    swallowed: float = SWALLOWED

    def depth(self, session: Session, wanted: Depth | None, *, many: bool) -> Depth:
        """How far to run ahead now.

        Args:
            session: on which connection.
            wanted: what the caller says; when ``None``, ``group`` for one message, and ``full``
                for *many* as long as the server has not shown that it cannot.
            many: whether more messages may follow.
        """
        offers = session.offers.keywords
        if "PIPELINING" not in offers or "LIMITS" in offers or not self.groups:
            return "lockstep"
        depth = wanted or ("full" if many else "group")
        if depth == "window" and "CHUNKING" not in offers:
            depth = "full"
        if depth == "full" and self.behind_end is False:
            return "group"
        return depth
