"""How long a silence must last to be one: worked out from the round trip that was measured."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

#: Seconds that count as silence on a link without delay: far more than a server on the same host
#: needs for any reply, also when several sessions share its only thread.
QUIET_FLOOR = 0.3
#: … and never more than this, unless a case says so.
QUIET_CEILING = 8.0
_STEP = 0.5
#: Seconds between two writes of one step, so that they travel, and are read, as two segments.
GAP_FLOOR = 0.02
GAP_CEILING = 0.3


@dataclass(frozen=True, slots=True)
class Pace:
    """The pace of a run, all in seconds.

    Attributes:
        rtt: the shortest round trip that was measured, 0 if none was.
        quiet: without a reply for so long is silence.
        gap: between two writes of one step.
    """

    rtt: float = 0.0
    quiet: float = QUIET_FLOOR
    gap: float = GAP_FLOOR


def pace_of(round_trips: Sequence[float], timeout: float, quiet: float | None = None) -> Pace:
    """The pace for a link with these *round_trips*; *quiet* is what the caller asks for, if at all.

    A lost segment is sent again after a round trip or more (RFC 6298 §2.4), hence the multiples.
    """
    rtt = min(round_trips, default=0.0)
    jitter = max(round_trips, default=0.0) - rtt
    if quiet is None:
        needed = 4 * rtt + 2 * jitter
        # In steps, so that two runs over the same link wait, and say, the same.
        stepped = math.ceil((QUIET_FLOOR + needed) / _STEP) * _STEP
        quiet = QUIET_FLOOR if needed <= QUIET_FLOOR / 2 else min(stepped, QUIET_CEILING)
    gap = min(GAP_FLOOR + jitter, GAP_CEILING)
    return Pace(rtt, min(quiet, timeout), gap)
