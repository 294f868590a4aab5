"""The history of events in Promela: flags, the outstanding command, where its exchange began.

What they mean says `fsm_smtp.table.properties`; here each trigger gets the assignments that it
makes to them, before its row changes the state. All read what was true before the event.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from fsm_smtp.export.names import Names
from fsm_smtp.table import Table, Trigger
from fsm_smtp.table.properties import ALWAYS, NOTHING, OUTSTANDING, Atom, Condition, Flag, Property

#: The condition that always holds.
TRUE = "true"


class HistoryWriter:
    """Names the flags and writes conditions and changes.

    Args:
        table: whose flags.
        names: what everything is called.
        properties: only the flags are written that these depend on; all when ``None``.
    """

    def __init__(self, table: Table, names: Names, properties: Collection[Property] | None) -> None:
        self.table = table
        self.names = names
        needed = table.flags if properties is None else _asked(properties, table.flags)
        self.flags = {name: flag for name, flag in table.flags.items() if name in needed}
        for name in self.flags:
            names.give("flag", name, f"is_{name}")
        for name in self.flags:
            names.give("flag before", name, f"was_{name}")

    # -- conditions ------------------------------------------------------------------------------

    def condition(self, condition: Condition, copied: Collection[str] = ()) -> str:
        """The condition, on the history as it is.

        Args:
            condition: what must hold.
            copied: flags of which the copies are read.
        """
        terms = [self._holds(name, copied) for name in condition.held]
        terms += [self._holds(name, copied, no="!") for name in condition.absent]
        return " && ".join(terms) or TRUE

    def _holds(self, name: str, copied: Collection[str], no: str = "") -> str:
        if name == OUTSTANDING:
            return f"outstanding {'==' if no else '!='} nothing"
        return f"{no}{self.names.of('flag before' if name in copied else 'flag', name)}"

    def grouped(self, atoms: Sequence[Atom], when: Condition = ALWAYS) -> dict[str, list[str]]:
        """The triggers that *atoms* speak of, by what must hold before them, *when* included."""
        groups: dict[str, list[str]] = {}
        for trigger in self.table.triggers:
            before = self.before(atoms, trigger, when)
            if before is not None:
                groups.setdefault(before, []).append(trigger)
        return groups

    def before(
        self,
        atoms: Iterable[Atom],
        trigger: str,
        when: Condition = ALWAYS,
        copied: Collection[str] = (),
    ) -> str | None:
        """What must hold before *trigger* for an atom to match it; ``None`` when none can."""
        cases: list[str] = []
        for atom in atoms:
            condition = atom.when & when
            if trigger not in atom.triggers or set(condition.held) & set(condition.absent):
                continue
            terms = [self.condition(condition, copied)] if condition != ALWAYS else []
            if atom.answering:
                commands = [
                    f"outstanding == {'nothing' if name == NOTHING else self._trigger(name)}"
                    for name in atom.answering
                ]
                terms.append(commands[0] if len(commands) == 1 else f"({' || '.join(commands)})")
            case = " && ".join(terms) or TRUE
            if case not in cases:
                cases.append(case)
        if TRUE in cases:
            return TRUE
        if len(cases) > 1:
            return f"({' || '.join(f'({case})' for case in cases)})"
        return cases[0] if cases else None

    def _trigger(self, name: str) -> str:
        return self.names.of("trigger", name)

    # -- declarations and changes ----------------------------------------------------------------

    def declarations(self) -> Iterator[str]:
        """The variables of the history."""
        for flag in self.flags.values():
            start = " = true" if flag.initially else ""
            says = " ".join(flag.says.split()).replace("*/", "* /")
            yield f"bool {self.names.of('flag', flag.name)}{start};  /* {says} */"
        for name in self.copied():
            yield f"hidden byte {self.names.of('flag before', name)};"
        yield "mtype:trigger outstanding = nothing;  /* the command that waits for its reply */"
        yield "mtype:config sent_from = nowhere;  /* the state in which the exchange began */"

    def copied(self) -> list[str]:
        """The flags that an event changes while others still ask what they were before it."""
        found = {name for trigger in self.table.triggers for name in self._copied_on(trigger)}
        return [name for name in self.flags if name in found]

    def _copied_on(self, trigger: str) -> list[str]:
        changed = [flag for flag in self.flags.values() if self._changes(flag, trigger)]
        read = {
            name
            for flag in changed
            for atom in (*flag.begins, *flag.ends)
            if trigger in atom.triggers
            for name in (*atom.when.held, *atom.when.absent)
        }
        return [flag.name for flag in changed if flag.name in read]

    @staticmethod
    def _changes(flag: Flag, trigger: str) -> bool:
        return any(trigger in atom.triggers for atom in (*flag.begins, *flag.ends))

    def changes(self, trigger: Trigger) -> list[str]:
        """The assignments that the event makes."""
        of = self.names.of
        copied = self._copied_on(trigger.name)
        steps = [f"{of('flag before', name)} = {of('flag', name)}" for name in copied]
        for flag in self.flags.values():
            begins = self.before(flag.begins, trigger.name, copied=copied)
            ends = self.before(flag.ends, trigger.name, copied=copied)
            name = of("flag", flag.name)
            if begins == TRUE:
                steps.append(f"{name} = true")
            elif ends == TRUE:
                steps.append(f"{name} = {begins or 'false'}")
            elif begins is not None or ends is not None:
                stays = f"({name} && !({ends}))" if ends else name
                steps.append(f"{name} = {f'(({begins}) || {stays})' if begins else stays}")
        if trigger.by == "client" and trigger.replies:
            steps.append("sent_from = (sent_from == nowhere -> state : sent_from)")
            steps.append(f"outstanding = {of('trigger', trigger.name)}")
        elif _is_intermediate(trigger):
            steps.append("sent_from = (outstanding == nothing -> nowhere : sent_from)")
            steps.append("outstanding = nothing")
        else:
            steps += ["sent_from = nowhere", "outstanding = nothing"]
        return steps


def _asked(properties: Iterable[Property], flags: Mapping[str, Flag]) -> set[str]:
    """The flags on which the properties depend, those on which these flags depend included."""
    todo: list[Condition] = []
    for one in properties:
        atoms = (*one.of, *one.among, *one.follows, *one.before)
        todo += [one.when, one.needs, *(atom.when for atom in atoms)]
    found: set[str] = set()
    for condition in todo:  # grows while it is walked
        for name in (*condition.held, *condition.absent):
            if name in flags and name not in found:
                found.add(name)
                todo += [atom.when for atom in (*flags[name].begins, *flags[name].ends)]
    return found


def _is_intermediate(trigger: Trigger) -> bool:
    """Whether this is a reply 3yz: what is outstanding goes on (RFC 5321 §4.2.1)."""
    if trigger.by != "server":
        return False
    return trigger.digit == 3 or bool(trigger.codes and all(c // 100 == 3 for c in trigger.codes))
