"""What a user calls a state or a trigger: with or without prefix, a verb, a reply code."""

from fsm_smtp.diagram.words import label, stands_for
from fsm_smtp.table import State, Table, Trigger
from fsm_smtp.yaml_source import nearest


class UnknownName(ValueError):
    """Nothing in the table has this name; the message says what was perhaps meant."""


def find_state(table: Table, name: str) -> State | None:
    """The state called *name*, with or without ``SMTP_``, in any case."""
    plain = name.upper()
    return table.states.get(plain) or table.states.get(f"SMTP_{plain}")


def find_triggers(table: Table, name: str) -> list[Trigger]:
    """The triggers called *name*: one by its name, all that share a verb, or by reply code."""
    plain = name.lower()
    for exact in (plain, f"send_{plain}", f"reply_{plain}"):
        if exact in table.triggers and not _is_verb(table, name):
            return [table.triggers[exact]]
    verbs = [t for t in table.triggers.values() if t.verb == name.upper() or label(t) == name]
    if verbs:
        return verbs
    if len(name) == 3 and name.isdecimal() and (reply := stands_for(table, int(name))):
        return [reply]
    return []


def _is_verb(table: Table, name: str) -> bool:
    return any(trigger.verb == name.upper() for trigger in table.triggers.values())


def unknown(table: Table, name: str, *, states: bool, triggers: bool) -> UnknownName:
    """The error for a name that nothing has."""
    known: dict[str, str] = {}
    if states:
        for state in table.states:
            known[state.removeprefix("SMTP_")] = known[state] = state
    if triggers:
        for trigger in table.triggers.values():
            if trigger.verb:
                known.setdefault(trigger.verb, trigger.verb)
            known[trigger.name.upper()] = trigger.name
            known.setdefault(trigger.name.upper().removeprefix("SEND_"), trigger.name)
    kinds = " or ".join([*(["state"] if states else []), *(["trigger"] if triggers else [])])
    near = nearest(name.upper(), known)
    hint = f"; did you mean {known[near]}?" if near else ""
    return UnknownName(f"{name!r} is no {kinds} of the table {table.name}{hint}")
