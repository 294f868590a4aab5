"""The answers of ``explain``: put together from the table and the ways it leaves open."""

from collections.abc import Iterable
from typing import Any

from fsm_smtp.cli.answer import Answer, Entry, Section
from fsm_smtp.cli.transcript import transcript
from fsm_smtp.diagram.ways import Way, Ways
from fsm_smtp.diagram.words import label, row_labels, wire_line
from fsm_smtp.table import State, Table, Trigger

#: Where a trigger may stand in a command group (RFC 2920 §3.1).
_GROUPS = {
    "anywhere": "may stand anywhere in a command group (2920 §3.1)",
    "last": "must be the last of a command group (2920 §3.1)",
    "first": "no command itself; a command group may begin right behind it (2920 §3.1)",
}


def about_state(ways: Ways, state: State) -> Answer:
    """What a state means, and what may happen in it."""
    table = ways.table
    out = list(ways.out_of(state.name))
    entered = [
        f"{label(table.triggers[trigger])} from {', '.join(sources)}"
        for trigger, sources in _client_ways_in(table, state.name).items()
    ]
    answer = Answer(
        name=state.name,
        kind="state",
        title=f"{state.name}, documented number {state.value}",
        means=state.means,
        facts={"entered by": "; ".join(entered)} if entered else {},
        sections=_by_party(ways, out),
        details={"value": state.value},
    )
    asked = {
        t.replies: t
        for name in _client_ways_in(table, state.name)
        if (t := table.triggers[name]).replies
    }
    for trigger in asked.values():
        prefix = f"{trigger.verb or label(trigger)}: " if len(asked) > 1 else ""
        answer.facts.update(_facts(table, trigger, prefix=prefix))
    return answer


def about_triggers(ways: Ways, triggers: list[Trigger]) -> Answer:
    """What a trigger means, where it leads, and what the server may answer."""
    table = ways.table
    first = triggers[0]
    answer = Answer(
        name=first.name,
        kind="trigger",
        title=" and ".join(_titled(trigger) for trigger in triggers),
        means="; ".join(dict.fromkeys(trigger.means for trigger in triggers)),
        details={"triggers": [_trigger_dict(table, trigger) for trigger in triggers]},
    )
    for trigger in triggers:
        prefix = f"{label(trigger)}: " if len(triggers) > 1 else ""
        answer.facts.update(_facts(table, trigger, prefix=prefix))
        named = label(trigger) if len(triggers) > 1 else "it"
        found = list(ways.on(trigger.name))
        legal = [_from(ways, way) for way in found if not way.row.violation]
        wrong = [_from(ways, way) for way in found if way.row.violation]
        what = "may be sent" if trigger.by == "client" else "may come"
        answer.sections.append(Section(f"Where {named} {what}", _merged(legal)))
        answer.sections.append(Section(f"Where {named} is a violation", _merged(wrong)))
        if trigger.by == "client":
            replies = [way for group in ways.after(trigger.name) for way in group]
            entries = [_named(ways, way) for way in replies if not way.row.violation]
            answer.sections.append(Section(f"What may follow {named}", entries))
    return answer


def about_pair(ways: Ways, state: State, triggers: list[Trigger]) -> Answer:
    """Where a trigger leads from a state, or why it is refused there and what is legal instead."""
    table = ways.table
    names = {trigger.name for trigger in triggers}
    out = list(ways.out_of(state.name))
    found = [way for way in out if names & {trigger.name for trigger in way.triggers}]
    what = " or ".join(label(trigger) for trigger in triggers)
    answer = Answer(
        name=f"{state.name} {' '.join(sorted(names))}",
        kind="pair",
        title=f"{what} in {state.name}",
        means=f"{state.name}: {state.means}",
        details={"legal": bool(found), "why": None, "elsewhere": []},
    )
    if found:
        entries = [_named(ways, way, only=names) for way in found]
        answer.sections.append(Section("Where it leads", entries))
        if triggers[0].by == "client" and all(entry.when for entry in entries):
            answer.facts["otherwise"] = "it is refused"
        return answer
    elsewhere = [way for name in sorted(names) for way in ways.on(name) if not way.row.violation]
    states = list(dict.fromkeys(way.state for way in elsewhere))
    sections = list(dict.fromkeys(way.row.rfc for way in elsewhere))
    who = "is refused" if triggers[0].by == "client" else "cannot happen"
    rule = f" (RFC {', '.join(sections)})" if sections else ""
    why = f"it is legal only in {', '.join(states)}{rule}" if states else "it is legal nowhere"
    answer.facts[who] = why
    answer.details.update(why=why, elsewhere=states)
    client = [way for way in out if way.triggers[0].by == "client" and not way.row.violation]
    answer.sections.append(Section("What may be sent instead", [_named(ways, w) for w in client]))
    answer.run = list(transcript(table, ways.shortest(state.name, names)))
    return answer


# -- pieces --------------------------------------------------------------------------------------


def _by_party(ways: Ways, out: Iterable[Way]) -> list[Section]:
    client = Section("The client may send")
    server = Section("The server may answer")
    link = Section("The connection")
    wrong = Section("Violations, and where they lead")
    for way in out:
        by = way.triggers[0].by
        section = client if by == "client" else server if by == "server" else link
        (wrong if way.row.violation else section).entries.append(_named(ways, way))
    return [client, server, link, wrong]


def _named(ways: Ways, way: Way, only: set[str] | None = None) -> Entry:
    if way.triggers[0].by == "server" and only is None:
        lead = " ".join(row_labels(ways.table, way.row, way.state))
    else:
        lead = " ".join(label(t) for t in way.triggers if only is None or t.name in only)
    then = _effects(ways.table, way) if only or way.dests == (way.state,) else ""
    return Entry(lead, tuple(ways.describe(way)), way, then)


def _from(ways: Ways, way: Way) -> Entry:
    return Entry(way.state, tuple(ways.describe(way)), way)


def _merged(entries: list[Entry]) -> list[Entry]:
    """Entries that differ only in the state they start from, as one."""
    merged: dict[tuple[object, ...], Entry] = {}
    for entry in entries:
        stays = entry.way.dests == (entry.way.state,)
        key = (entry.way.row.id, entry.when, stays or entry.way.dests)
        if key in merged:
            lead = f"{merged[key].lead} {entry.lead}"
            merged[key] = Entry(lead, entry.when, merged[key].way)
        else:
            merged[key] = entry
    return list(merged.values())


def _client_ways_in(table: Table, state: str) -> dict[str, list[str]]:
    """Client trigger → the other states from which it leads to *state*."""
    found: dict[str, list[str]] = {}
    for move in table.moves:
        if move.dest == state != move.source and table.triggers[move.trigger].by == "client":
            sources = found.setdefault(move.trigger, [])
            if move.source not in sources:
                sources.append(move.source)
    return found


def _titled(trigger: Trigger) -> str:
    return f"{label(trigger)} ({trigger.name}, {trigger.rfc})"


def _trigger_dict(table: Table, trigger: Trigger) -> dict[str, Any]:
    listed = table.replies.get(trigger.replies or "", ())
    return {
        "name": trigger.name,
        "by": trigger.by,
        "line": wire_line(trigger),
        "rfc": trigger.rfc,
        "wait_s": trigger.wait,
        "group": trigger.group,
        "replies": [{"class": c.reply_class, "codes": list(c.codes), "rfc": c.rfc} for c in listed],
    }


def _facts(table: Table, trigger: Trigger, prefix: str) -> dict[str, str]:
    facts: dict[str, str] = {}
    if trigger.replies:
        for listed in table.replies.get(trigger.replies, ()):
            name = f"{prefix}{listed.reply_class} codes"
            codes = f"{' '.join(map(str, listed.codes))} ({listed.rfc})"
            facts[name] = f"{facts[name]}, {codes}" if name in facts else codes
    if trigger.wait is not None:
        facts[f"{prefix}wait"] = f"at least {trigger.wait} s for the server (5321 §4.5.3.2)"
    if trigger.group:
        facts[f"{prefix}group"] = _GROUPS[trigger.group]
    return facts


def _effects(table: Table, way: Way) -> str:
    """What the memory holds afterwards, as far as the row sets it."""
    sentences = [
        table.describe(name, way.state if value == "$source" else value)
        for name, value in way.row.sets
    ]
    return "; ".join(sentences)
