"""A claim about a table and its verdict."""

from dataclasses import dataclass

from fsm_smtp.verify.interpreter import Edge


@dataclass(frozen=True, slots=True)
class Check:
    """A claim and its verdict.

    Attributes:
        id: stable name.
        pattern: the kind of claim.
        says: the claim, in one sentence.
        rfc: the section behind it, or ``None`` for a claim about the table's own form.
        holds: the verdict.
        problem: what was found when it does not hold, or is vacuous.
        counterexample: the shortest run that shows it; empty when there is none to show.
        requirements: ids of the requirements in ``specs/register/`` that it covers.
        vacuous: it holds, but would also hold with its consequent replaced by false.
    """

    id: str
    pattern: str
    says: str
    rfc: str | None
    holds: bool
    problem: str | None = None
    counterexample: tuple[Edge, ...] = ()
    requirements: tuple[str, ...] = ()
    vacuous: bool = False

    @property
    def passed(self) -> bool:
        """Whether it holds, and not vacuously."""
        return self.holds and not self.vacuous
