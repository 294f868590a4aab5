"""Whether the server is still there and wants us: shared by all cases of a run."""

from fsm_smtp.check.engine.policy import ADVICE, Policy

#: Seconds before the next attempt of a case that was turned away; each pause is twice the last.
RETRY_AFTER = 0.3
#: Attempts for one case.
ATTEMPTS = 4
#: So many failures to connect in a row, beside one for each job, and the server is gone.
GONE_AFTER = 4
#: Of those in a row that were turned away with a reply, so many times as many.
_UNWANTED_FACTOR = 3
#: A server that limits the rate is given time, but no pause is longer than this, in seconds.
_LONGEST_PAUSE = 5.0


class Presence:
    """Counts how connections end, and lowers the number of parallel sessions for a busy server.

    Attributes:
        limit: sessions at a time.
        gone: why the run cannot go on, empty as long as it can.
        notes: what happened, in sentences.
    """

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self.limit = jobs
        self.gone = ""
        self.notes: list[str] = []
        self._unreached = 0
        self._turned_away = 0

    def met(self) -> None:
        """A session went beyond its greeting."""
        self._unreached = self._turned_away = 0

    def unreached(self, why: str) -> None:
        """There was no connection, or it was closed before the greeting."""
        self._unreached += 1
        if self._unreached >= GONE_AFTER + self._jobs:
            self._give_up(f"the server is gone ({why})")

    def turned_away(self, how: str, policy: Policy | None) -> None:
        """The greeting was 421, or the like."""
        self._turned_away += 1
        if policy is Policy.CONNECTIONS or self._turned_away > 1:
            self._fewer(how)
        if self._turned_away >= _UNWANTED_FACTOR * (GONE_AFTER + self._jobs):
            self._give_up(f"the server turns us away ({how})")

    def pause(self, attempt: int) -> float:
        """Seconds to wait after that *attempt*, the first is 1."""
        doublings = max(attempt - 1, min(self._turned_away, 10) - 1)
        return float(min(RETRY_AFTER * 2**doublings, _LONGEST_PAUSE))

    def _fewer(self, how: str) -> None:
        if self.limit > 1:
            self.limit -= 1
            if self.limit == self._jobs - 1:
                what = f"fewer sessions than {self._jobs} at a time were taken ({how})"
                self.notes.append(f"{what}: {ADVICE[Policy.CONNECTIONS]}")

    def _give_up(self, why: str) -> None:
        if not self.gone:
            self.gone = why
            self.notes.append(f"{why}: the cases that were left were not played")
