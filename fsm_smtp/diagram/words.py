"""The table's rows in few words: labels of triggers, guards in words, and lines of a transcript."""

from collections.abc import Collection, Iterable, Iterator, Mapping

from fsm_smtp.table import Row, Table, Trigger
from fsm_smtp.table.guard import Guard

#: Commands that are complete without an argument; the others are shown with an ellipsis.
_BARE_VERBS = frozenset({"DATA", "HELP", "NOOP", "QUIT", "RSET", "STARTTLS"})

#: More codes than this are shown as a class (``2yz``).
_MOST_CODES = 2


def label(trigger: Trigger) -> str:
    """The shortest name that the field has for it: ``MAIL``, ``BDAT LAST``, ``354``, ``4yz``."""
    if trigger.verb and trigger.verb != "*":
        return " ".join(filter(None, (trigger.verb, trigger.argument, trigger.parameter)))
    if trigger.codes:
        return " ".join(map(str, trigger.codes))
    if trigger.digit is not None:
        return f"{trigger.digit}yz"
    if trigger.keyword:
        return f"offers {trigger.keyword}"
    return trigger.name.removeprefix("send_").replace("_", " ")


def wire_line(trigger: Trigger, code: int | None = None) -> str:
    """The trigger as a line of a transcript: ``C: MAIL …``, ``S: 354``, ``--- …``.

    Args:
        trigger: what happened.
        code: the reply code that a trigger for a class of replies stands for here.
    """
    if trigger.by == "link" or (trigger.by == "client" and not trigger.name.startswith("send_")):
        return f"--- {trigger.means}"
    if trigger.by == "client":
        if trigger.verb is None or trigger.verb == "*":
            return f"C: ({trigger.means})"
        rest = () if trigger.verb in _BARE_VERBS else ("…",)
        extras = (part for part in (trigger.argument, trigger.parameter) if part)
        return f"C: {' '.join((trigger.verb, *rest, *extras))}"
    if trigger.keyword:
        return f"S: 250-{trigger.keyword}"
    if code is not None:
        return f"S: {code}"
    return f"S: {label(trigger)}" if trigger.codes or trigger.digit else f"S: ({trigger.means})"


def guard_words(
    table: Table, guard: Guard, domains: Mapping[str, Collection[str]] | None = None
) -> list[str]:
    """Each condition of a guard as a sentence of the table.

    Args:
        table: where the sentences stand.
        guard: the conditions.
        domains: the values that a variable can have here, when that is known.
    """
    return [_condition(table, name, values, domains or {}) for name, values in guard]


def _condition(
    table: Table, name: str, values: tuple[str, ...], domains: Mapping[str, Collection[str]]
) -> str:
    domain = table.variables[name].domain
    possible = [value for value in domain if value in domains.get(name, domain)]
    excluded = [value for value in possible if value not in values]
    wanted = [value for value in possible if value in values]
    if excluded and len(excluded) < len(wanted):
        return f"unless {_either(table, name, excluded)}"
    return _either(table, name, wanted)


def _either(table: Table, name: str, values: Iterable[str]) -> str:
    """The values' sentences; what follows a colon there is a consequence, and no condition."""
    return ", or ".join(table.describe(name, value).partition(": ")[0] for value in values)


# -- reply codes ---------------------------------------------------------------------------------


def stands_for(table: Table, code: int) -> Trigger | None:
    """The server trigger that *code* is: the one that names it, or its first digit's."""
    by_code = (trigger for trigger in table.triggers.values() if code in trigger.codes)
    by_digit = (t for t in table.triggers.values() if t.digit == code // 100)
    return next(by_code, None) or next(by_digit, None)


def listed_codes(table: Table, command: Trigger, reply: Trigger) -> tuple[int, ...]:
    """The codes listed for *command* that *reply* stands for."""
    listed = table.replies.get(command.replies or "", ())
    codes = dict.fromkeys(code for entry in listed for code in entry.codes)
    return tuple(sorted(code for code in codes if stands_for(table, code) == reply))


def row_labels(table: Table, row: Row, state: str) -> list[str]:
    """Labels for what *row* fires on in *state*.

    For a success: the few codes that are listed for the command it answers, or the class. A code
    that is not listed is handled by its first digit, so that ``250`` includes what an odd server
    says in its place. A refusal is always shown as its class, and what answers no command too.
    """
    triggers = [table.triggers[name] for name in row.triggers]
    commands = [] if row.violation else list(answered(table, row, state))
    if not commands:
        return _class_labels(table, triggers)
    labels: dict[str, None] = {}
    for trigger in triggers:
        codes = sorted({c for command in commands for c in listed_codes(table, command, trigger)})
        if trigger.digit in (2, 3) and 0 < len(codes) <= _MOST_CODES:
            labels.update(dict.fromkeys(map(str, codes)))
        elif codes or len(triggers) == 1 or trigger.digit in (4, 5):
            labels[label(trigger)] = None
    return list(labels) or _class_labels(table, triggers)


def _class_labels(table: Table, triggers: list[Trigger]) -> list[str]:
    """Labels in which a class that is there as a whole stands for its members."""
    replies = {t.name: t for t in table.triggers.values() if t.codes or t.digit is not None}
    missing = [trigger for trigger in replies.values() if trigger not in triggers]
    others = [label(trigger) for trigger in triggers if trigger.name not in replies]
    if len(missing) <= 1:
        return [", ".join([" but ".join(["any reply", *map(label, missing)]), *others])]
    labels: dict[str, None] = {}
    for trigger in triggers:
        digit = _digit(trigger)
        whole = digit is not None and not any(_digit(other) == digit for other in missing)
        labels[f"{digit}yz" if whole else label(trigger)] = None
    return list(labels)


def _digit(reply: Trigger) -> int | None:
    return reply.codes[0] // 100 if reply.codes else reply.digit


def answered(table: Table, row: Row, state: str) -> Iterator[Trigger]:
    """The client triggers that a reply on *row* in *state* can answer.

    They are those that lead to *state*, and leave the variables as the row's guard wants them.
    """
    guard = dict(row.when)
    for move in table.moves:
        trigger = table.triggers[move.trigger]
        if move.dest == state and trigger.by == "client" and trigger.replies:
            known = {**{n: v[0] for n, v in move.when if len(v) == 1}, **dict(move.effect)}
            if all(name not in guard or value in guard[name] for name, value in known.items()):
                yield trigger
