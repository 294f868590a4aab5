"""The history of a run as one number: flags, the outstanding command, where the exchange began.

The meaning of each is in `fsm_smtp.table.properties`. From low to high the number holds one bit
for each flag in the table's order, one bit that says whether a command is outstanding, the number
of that command (from 1), and the number of the state in which the exchange began (from 1).
"""

from collections.abc import Iterable, Mapping, Sequence

from fsm_smtp.table import Table, Trigger
from fsm_smtp.table.properties import NOTHING, OUTSTANDING, Atom, Condition

#: ``history & mask == value``: a condition.
Test = tuple[int, int]
#: A condition and the outstanding commands it asks for (``None``: any, or none).
Match = tuple[int, int, frozenset[int] | None]


class History:
    """How each event changes the history, and how atoms and conditions read it."""

    def __init__(self, table: Table) -> None:
        self.flags = tuple(table.flags)
        self.triggers = tuple(table.triggers)
        self.states: Mapping[str, int] = {name: n for n, name in enumerate(table.states)}
        self.number: Mapping[str, int] = {name: n for n, name in enumerate(self.triggers)}
        written = table.triggers.values()
        commands = [t.name for t in written if t.by == "client" and t.replies]
        self._command: Mapping[str, int] = {name: n for n, name in enumerate(commands, start=1)}
        self._bit = {name: 1 << n for n, name in enumerate((*self.flags, OUTSTANDING))}
        self._command_shift = len(self.flags) + 1
        width = len(commands).bit_length()
        self._state_shift = self._command_shift + width
        #: The bits that hold the outstanding command.
        self.command_mask = ((1 << width) - 1) << self._command_shift
        self._flag_mask = (1 << len(self.flags)) - 1
        #: The history in which nothing has happened.
        self.start = sum(self._bit[name] for name, flag in table.flags.items() if flag.initially)
        self._reads: list[int] = []
        self._rules: list[list[tuple[Match, int, int]]] = []
        for trigger in self.triggers:
            rules = [*self._rules_for(table, trigger)]
            self._rules.append(rules)
            self._reads.append(self.relevant(match for match, _, _ in rules))
        self._changes: list[dict[int, tuple[int, int]]] = [{} for _ in self.triggers]
        self._sends = [self._command.get(name, 0) for name in self.triggers]
        self._goes_on = [is_intermediate(trigger) for trigger in written]

    def _rules_for(self, table: Table, trigger: str) -> Iterable[tuple[Match, int, int]]:
        for name, flag in table.flags.items():
            bit = self._bit[name]
            for match in self.matches(flag.ends, trigger):
                yield match, 0, bit
            for match in self.matches(flag.begins, trigger):
                yield match, bit, 0

    def test(self, condition: Condition) -> Test:
        """The condition as a mask and a value."""
        held = sum(self._bit[name] for name in condition.held)
        return held | sum(self._bit[name] for name in condition.absent), held

    def matches(
        self, atoms: Sequence[Atom], trigger: str, when: Condition | None = None
    ) -> list[Match]:
        """Those atoms, as matches, that speak of *trigger*, *when* added to each."""
        found: list[Match] = []
        for atom in atoms:
            if trigger in atom.triggers:
                condition = atom.when if when is None else atom.when & when
                if set(condition.held) & set(condition.absent):
                    continue  # can never hold
                mask, value = self.test(condition)
                answering = frozenset(
                    0 if name == NOTHING else self._command[name] for name in atom.answering
                )
                found.append((mask, value, answering or None))
        return found

    def relevant(self, matches: Iterable[Match]) -> int:
        """The bits of a history that decide these matches."""
        mask = 0
        for one, _, answering in matches:
            mask |= one | (0 if answering is None else self.command_mask)
        return mask

    def holds(self, match: Match, history: int) -> bool:
        """Whether *match* holds before an event, its trigger apart."""
        mask, value, answering = match
        return history & mask == value and (
            answering is None or self.outstanding(history) in answering
        )

    def outstanding(self, history: int) -> int:
        """The number of the outstanding command; 0 when there is none."""
        return (history & self.command_mask) >> self._command_shift

    def sent_from(self, history: int) -> int:
        """The number of the state in which the exchange began; -1 when there is none."""
        return (history >> self._state_shift) - 1

    def after(self, history: int, trigger: int, state: int) -> int:
        """The history after *trigger* fires in *state*, both by number."""
        key = history & self._reads[trigger]
        change = self._changes[trigger].get(key)
        if change is None:
            change = self._changes[trigger][key] = self._change(key, trigger)
        begun, ended = change
        flags = (history & self._flag_mask & ~ended) | begun
        command = self._sends[trigger]
        if command:
            exchange = history >> self._state_shift or state + 1
            flags |= self._bit[OUTSTANDING] | command << self._command_shift
            return flags | exchange << self._state_shift
        if self._goes_on[trigger] and history & self._bit[OUTSTANDING]:
            return flags | history >> self._state_shift << self._state_shift
        return flags

    def _change(self, history: int, trigger: int) -> tuple[int, int]:
        begun = ended = 0
        for match, begins, ends in self._rules[trigger]:
            if self.holds(match, history):
                begun |= begins
                ended |= ends
        return begun, ended

    def described(self, history: int) -> str:
        """The flags that are true."""
        held = [name for name in self.flags if history & self._bit[name]]
        number = self.outstanding(history)
        if number:
            command = next(name for name, n in self._command.items() if n == number)
            held.append(f"{command} {OUTSTANDING}")
        return ", ".join(held) or "nothing"


def is_intermediate(trigger: Trigger) -> bool:
    """Whether this is a reply of the class 3yz: the exchange goes on."""
    if trigger.by != "server":
        return False
    return trigger.digit == 3 or bool(trigger.codes and all(c // 100 == 3 for c in trigger.codes))
