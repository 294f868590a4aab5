"""A run of a server's machine: rounds that go where none has been, and the shortest failure.

A run is several rounds. Each begins at transitions of the table that no round before has taken,
so that the whole table is visited. Inside a round nothing depends on what was visited, only on
Hypothesis' choices: that is what lets it repeat a session.
"""

import unittest
from collections.abc import Sequence
from typing import ClassVar

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from fsm_smtp.owed import UNSENT, Instance
from fsm_smtp.testing.machines.coverage import Coverage, Word
from fsm_smtp.testing.machines.failure import ServerViolation
from fsm_smtp.testing.machines.rules import ServerRules
from fsm_smtp.testing.machines.shortest import shortest

EXAMPLES = 200
#: Examples of a round: so few that most of them go where none has been.
ROUND = 10
#: Most steps behind the way to a transition.
STEPS = 6
#: Inputs that are tried on one way at a standing that they do not change.
ON_THE_WAY = 8
#: A server answers in its own time, and a way may be long.
_SLOW_IS_FINE = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)


def explore(
    machine: type[ServerRules], *, examples: int = EXAMPLES, random_seed: int | None = None
) -> Coverage:
    """Explore the server; what was visited.

    Args:
        machine: what `SMTPServerMachine` has made, or a subclass.
        examples: sessions in all, beside those that shorten a failure.
        random_seed: makes the run the same every time.

    Raises:
        ServerViolation: the shortest session that was found in which the server breaks a rule.
        AssertionError: fewer transitions than `floor` were taken.
    """
    subject = machine.subject
    coverage = subject.coverage
    try:
        _look(machine)
        for number, first in enumerate(range(0, examples, ROUND)):
            one = _round(machine)
            if random_seed is not None:
                one = seed(random_seed * examples + number)(one)
            _run(one, min(ROUND, examples - first))
    except ServerViolation as error:
        sessions = coverage.sessions
        found = shortest(subject.open, error.played, error, subject.known)
        found.sessions = sessions
        raise found from None
    if coverage.share < machine.subject.floor:
        floor = f"the floor is {machine.subject.floor:.0%} of the transitions"
        raise AssertionError("\n".join([floor, *coverage.lines()]))
    return coverage


def _round(machine: type[ServerRules]) -> type[ServerRules]:
    coverage = machine.subject.coverage
    instance = coverage.model.instantiate({}, coverage.extensions)
    ways = _tours(coverage, instance)
    return type(machine.__name__, (machine,), {"names": instance.inputs, "ways": ways})


def _run(machine: type[ServerRules], examples: int) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=STEPS,
            phases=(Phase.generate, Phase.target),
            deadline=None,
            database=None,
            derandomize=False,
            print_blob=False,
            suppress_health_check=_SLOW_IS_FINE,
        ),
    )


def _look(machine: type[ServerRules]) -> None:
    """What is offered, in the clear and under TLS."""
    examiner = machine.subject.open()
    try:
        examiner.say("ehlo")
        if "STARTTLS" in machine.subject.coverage.extensions:
            examiner.say("starttls")
            if examiner.secured:
                examiner.say("ehlo")
        examiner.finish()
    except ServerViolation as error:
        if error.rfc not in machine.subject.known:
            raise
    finally:
        examiner.close()


def _tours(coverage: Coverage, instance: Instance) -> Sequence[Word]:
    """Ways that take transitions that were not taken; without any, ways to everywhere.

    Inputs that should change nothing are tried one behind the other at one standing.
    """
    ways = _cover(instance)
    tours: list[Word] = []
    for state, way in ways.items():
        standing = instance.standings[state]
        new = [
            name
            for name in instance.inputs
            if instance.outputs[state, name] != UNSENT and not coverage.is_visited(standing, name)
        ]
        if standing[0] == "closed" or not new:
            continue
        loops = [name for name in new if instance.next[state, name] == state]
        leaving = [name for name in new if instance.next[state, name] != state]
        chunks = [tuple(loops[at : at + ON_THE_WAY]) for at in range(0, len(loops), ON_THE_WAY)]
        for number in range(max(len(chunks), len(leaving))):
            here = chunks[number % len(chunks)] if chunks else ()
            tours.append((*way, *here, *leaving[number : number + 1]))
    tours += coverage.unvisited()
    everywhere = [*ways.values(), *coverage.ways.values()]
    return sorted(dict.fromkeys(tours or everywhere), key=len)


def _cover(instance: Instance) -> dict[int, Word]:
    """A shortest way to each state of the machine of an exacting server."""
    ways: dict[int, Word] = {instance.initial: ()}
    order = [instance.initial]
    for state in order:  # grows while it is walked
        for name in instance.inputs:
            following = instance.next[state, name]
            if following not in ways:
                ways[following] = (*ways[state], name)
                order.append(following)
    return ways


class ServerTest(unittest.TestCase):
    """A test of unittest, which pytest finds too, that explores a server.

    Attributes:
        machine: the server's machine.
        examples: sessions in all.
        random_seed: makes the run the same every time.
    """

    machine: ClassVar[type[ServerRules]]
    examples: ClassVar[int] = EXAMPLES
    random_seed: ClassVar[int | None] = None

    @classmethod
    def smtp_coverage(cls) -> list[str]:
        """What was visited so far, for the summary."""
        return cls.machine.subject.coverage.lines(most=3)

    def runTest(self) -> None:  # noqa: N802 -- unittest's name
        """Explore."""
        explore(self.machine, examples=self.examples, random_seed=self.random_seed)


def server_test(machine: type[ServerRules]) -> type[ServerTest]:
    """The test of a machine."""
    return type(f"{machine.__name__}Test", (ServerTest,), {"machine": machine})
