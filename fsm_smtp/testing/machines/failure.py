"""What a machine says when it has found something: the requirement and a transcript."""

from fsm_smtp.testing.machines.replies import Order
from fsm_smtp.testing.machines.scene import Scene
from fsm_smtp.testing.machines.step import Step


class ServerViolation(AssertionError):
    """A server has answered what it does not owe.

    Attributes:
        says: what is required, in a sentence.
        rfc: the section.
        level: MUST, SHOULD or MAY.
        said: what came instead, in a sentence.
        got: the outcome itself, where an outcome was wrong.
        steps: the inputs up to there, as the table names them.
        transcript: the session's lines, redacted.
        played: the steps of the session in which it was found.
        sessions: how many sessions had been opened by then.
    """

    sessions: int = 0

    played: tuple[Step, ...] = ()

    def __init__(
        self,
        *,
        says: str,
        rfc: str,
        level: str,
        said: str,
        got: str = "",
        steps: tuple[str, ...],
        transcript: tuple[str, ...],
    ) -> None:
        self.says, self.rfc, self.level, self.said = says, rfc, level, said
        self.got = got
        self.steps, self.transcript = steps, transcript
        lines = "\n".join(f"    {line}" for line in transcript)
        what = f": {said}" if said else ""
        super().__init__(f"RFC {rfc} ({level}): {says}{what}\n{lines}")


class ClientViolation(AssertionError):
    """A client has broken a rule, or has failed.

    Attributes:
        says: what is wrong, in a sentence.
        rfc: the section; empty where no RFC says it.
        orders: the replies that have shown it; all others were a faithful server's.
        transcript: the session's lines, redacted.
        scene: what the client has met.
        sessions: how many sessions there had been by then.
    """

    sessions: int = 0

    scene: Scene | None = None

    def __init__(
        self, says: str, rfc: str, orders: tuple[Order, ...], transcript: tuple[str, ...]
    ) -> None:
        self.says, self.rfc, self.orders, self.transcript = says, rfc, orders, transcript
        where = f"RFC {rfc}: " if rfc and rfc not in says else ""
        super().__init__("\n".join([f"{where}{says}", *(f"    {line}" for line in transcript)]))
