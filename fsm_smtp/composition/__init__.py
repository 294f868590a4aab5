"""Client and server together: what running ahead (RFC 2920) comes to, in every run there is.

The table is verified for lock-step. That a client which runs ahead loses nothing does not follow
from it: the replies come late, and what was sent meanwhile is there. So the client's rules
(`fsm_smtp.ahead`, the code itself and no model of it) are composed with a server that chooses
freely among all that it owes (the table's ``server`` section), and every run is visited in which
at most so many commands are outstanding. Envelopes carry the number of their message, so that a
message which goes out under another's sender is seen.

The client does whatever its rules allow, in every order: what any program on top of them does is
among that. The server answers a command when its reply is read: it cannot see the difference, and
half the interleavings need not be told apart. A `Deviation` lets it do more than it may, in one
way that was seen in the field.
"""

from fsm_smtp.composition.bounds import Bounds
from fsm_smtp.composition.deviations import Deviation, load_deviations
from fsm_smtp.composition.explore import Composition, compose
from fsm_smtp.composition.step import Claim, Trace

__all__ = [
    "Bounds",
    "Claim",
    "Composition",
    "Deviation",
    "Trace",
    "compose",
    "load_deviations",
]
