"""A second reading of the properties: slow, plain, and independent of `fsm_smtp.verify`.

It follows the text of `fsm_smtp.table.properties` word by word, on sets of names, and resolves the
rows by the moves that the machine is built from. It decides every pattern but response.
"""

from dataclasses import dataclass

from fsm_smtp.table import Move, Table, Trigger
from fsm_smtp.table.properties import (
    NOTHING,
    OUTSTANDING,
    SAME,
    SENT_FROM,
    Atom,
    Condition,
    Property,
)


@dataclass(frozen=True)
class Moment:
    """A configuration and what has happened."""

    state: str
    memory: tuple[tuple[str, str], ...]
    flags: frozenset[str]
    outstanding: str | None
    sent_from: str | None


def first_failures(table: Table) -> dict[str, int | None]:
    """The ids of the properties that fail, with the length of the shortest run that shows it.

    ``None`` stands for a property that no single run refutes, and for a vacuous one.
    """
    return _Walk(table).failures()


class _Walk:
    def __init__(self, table: Table) -> None:
        self.table = table
        self.properties = [one for one in table.properties if one.pattern != "response"]
        self.speaking = {
            name: [p for p in self.properties if any(name in atom.triggers for atom in p.of)]
            for name in table.triggers
        }
        self.failed: dict[str, int | None] = {}
        self.happened: set[str] = set()

    def failures(self) -> dict[str, int | None]:
        memory = tuple((v.name, v.start) for v in self.table.variables.values())
        flags = frozenset(flag.name for flag in self.table.flags.values() if flag.initially)
        layer = [Moment(self.table.start_state, memory, flags, None, None)]
        known = set(layer)
        depth = 0
        while layer:
            following: list[Moment] = []
            for now in layer:
                written = self.table.moves_by_source[now.state].values()
                moves = [move for same in written for move in same if self._fires(move, now)]
                self._judge_place(now, {move.trigger for move in moves}, depth)
                for move in moves:
                    after = self._after(now, move)
                    self._judge_event(now, move, after, depth + 1)
                    if after not in known:
                        known.add(after)
                        following.append(after)
            layer, depth = following, depth + 1
        for one in self.properties:
            if one.id not in self.happened:
                self.failed.setdefault(one.id, None)
        return self.failed

    def _fires(self, move: Move, now: Moment) -> bool:
        memory = dict(now.memory)
        return all(memory[name] in values for name, values in move.when)

    def _after(self, now: Moment, move: Move) -> Moment:
        memory = {**dict(now.memory), **dict(move.effect)}
        flags = set(now.flags)
        for flag in self.table.flags.values():
            if self._any(flag.ends, now, move.trigger):
                flags.discard(flag.name)
            if self._any(flag.begins, now, move.trigger):
                flags.add(flag.name)
        trigger = self.table.triggers[move.trigger]
        outstanding = sent_from = None
        if trigger.by == "client" and trigger.replies:
            outstanding, sent_from = trigger.name, now.sent_from or now.state
        elif now.outstanding and _first_digit(trigger) == "3":
            sent_from = now.sent_from
        return Moment(move.dest, tuple(memory.items()), frozenset(flags), outstanding, sent_from)

    def _any(self, atoms: tuple[Atom, ...], now: Moment, trigger: str) -> bool:
        return any(
            trigger in atom.triggers
            and (not atom.answering or (now.outstanding or NOTHING) in atom.answering)
            and _holds(atom.when, now)
            for atom in atoms
        )

    def _judge_place(self, now: Moment, enabled: set[str], depth: int) -> None:
        for one in self.properties:
            if one.pattern in ("absence", "permission") and _holds(one.when, now):
                self.happened.add(one.id)
                wanted = {name for atom in one.of for name in atom.triggers}
                if one.pattern == "permission" and not wanted <= enabled:
                    self.failed.setdefault(one.id, depth)

    def _judge_event(self, now: Moment, move: Move, after: Moment, depth: int) -> None:
        for one in self.speaking[move.trigger]:
            if (
                one.pattern != "permission"
                and _holds(one.when, now)
                and self._any(one.of, now, move.trigger)
            ):
                self.happened.add(one.id)
                if self._breaks(one, now, move, after):
                    self.failed.setdefault(one.id, depth)

    def _breaks(self, one: Property, now: Moment, move: Move, after: Moment) -> bool:
        if one.pattern == "absence":
            return True
        if one.pattern == "precedence":
            return not _holds(one.needs, now)
        if one.among and not self._any(one.among, now, move.trigger):
            return True
        if one.culprit and (move.row.violation or "nobody") != one.culprit:
            return True
        allowed = {{SAME: now.state, SENT_FROM: now.sent_from}.get(s, s) for s in one.leads_to}
        return bool(one.leads_to) and after.state not in allowed


def _holds(condition: Condition, now: Moment) -> bool:
    held = now.flags | ({OUTSTANDING} if now.outstanding else set())
    return held.issuperset(condition.held) and held.isdisjoint(condition.absent)


def _first_digit(trigger: Trigger) -> str:
    return str(trigger.digit or (trigger.codes[0] if trigger.codes else ""))[:1]
