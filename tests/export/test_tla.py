"""The TLA+ module, re-parsed: its parts fit together, and it reaches the same configurations."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from fsm_smtp.export import to_tla
from fsm_smtp.table import load_table
from fsm_smtp.verify.explore import explore
from tests.export.walk import Values, reachable


@dataclass
class _Module:
    """The definitions of a module, each as its conjuncts or terms."""

    text: str
    definitions: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        lines = self.text.splitlines()
        assert lines[0].startswith("---- MODULE ")
        assert lines[-1] == "===="
        bare = [line for line in lines[1:-1] if line.strip() and not line.startswith("\\*")]
        name = ""
        for line in bare:
            head = re.match(r"(\w+) ==(.*)", line)
            if head:
                name = head[1]
                assert name not in self.definitions, f"{name} is defined twice"
                self.definitions[name] = [head[2].strip()] if head[2].strip() else []
            elif re.match(r"\s+(/\\|\\/) ", line):
                self.definitions[name].append(line.strip()[3:])
            elif name:
                parts = self.definitions[name]
                parts[-1:] = [f"{parts[-1]} {line.strip()}" if parts else line.strip()]

    def strings(self, name: str) -> list[str]:
        return _strings(" ".join(self.definitions[name]))

    def guard(self, name: str) -> list[tuple[str, set[str]]]:
        """The variables that a guard asks for, and the values they may have."""
        tests: list[tuple[str, set[str]]] = []
        for conjunct in self.definitions[name]:
            if equal := re.fullmatch(r'(\w+) = "([^"]*)"', conjunct):
                tests.append((equal[1], {equal[2]}))
                continue
            member = re.fullmatch(r"(\w+) \\in (States|\{.*\})", conjunct)
            assert member, conjunct
            states = member[2] == "States"
            tests.append(
                (member[1], set(self.strings("States") if states else _strings(member[2])))
            )
        return tests

    def action(self, name: str) -> "_Action":
        """What an action asks and does."""
        guard, quantified, *changes = self.definitions[name]
        assert guard == name.replace("Row_", "May_")
        triggers = re.fullmatch(r"\\E t \\in \{(.*)\} : last' = t", quantified)
        assert triggers, quantified
        action = _Action(self.guard(guard), _strings(triggers[1]))
        for change in changes:
            if kept := re.fullmatch(r"UNCHANGED <<(.*)>>", change):
                for variable in kept[1].split(", "):
                    assert variable not in action.copies
                    action.copies[variable] = variable
                continue
            changed = re.fullmatch(r"(\w+)' = (?:\"([^\"]*)\"|(\w+))", change)
            assert changed, change
            assert changed[1] not in action.copies
            assert changed[1] not in action.sets
            if changed[3]:
                action.copies[changed[1]] = changed[3]
            else:
                action.sets[changed[1]] = changed[2]
        return action


@dataclass
class _Action:
    tests: list[tuple[str, set[str]]]
    triggers: list[str]
    sets: Values = field(default_factory=dict)
    copies: Values = field(default_factory=dict)

    def fires(self, values: Values) -> Iterator[tuple[str, Values]]:
        """Each trigger with which it can happen, and the values after it."""
        if all(values[name] in allowed for name, allowed in self.tests):
            changed = {**self.sets, **{name: values[old] for name, old in self.copies.items()}}
            assert changed.keys() == values.keys(), "it says nothing of some variable"
            after = {name: changed[name] for name in values}
            for trigger in self.triggers:
                yield trigger, after


def _strings(text: str) -> list[str]:
    return re.findall(r'"([^"]*)"', text)


@pytest.mark.parametrize("overlays", [(), ("auth_wanted",), ("no_auth_retry",)], ids=str)
def test_a_reading_of_the_module_reaches_the_same(overlays: tuple[str, ...]) -> None:
    table = load_table(overlays=overlays)
    module = _Module(to_tla(table))
    start: Values = {}
    for conjunct in module.definitions["Init"]:
        name, _, value = conjunct.partition(" = ")
        start[name] = value.strip('"')
    assert start.pop("last") == ""
    actions = [module.action(name) for name in module.definitions["Next"]]

    def steps(values: Values) -> Iterator[tuple[str, Values]]:
        for action in actions:
            yield from action.fires(values)

    found = reachable(start, steps)
    assert {tuple(value for _, value in values) for values in found} == {
        (state, *memory) for state, memory in explore(table).places
    }


def test_one_action_for_each_row_and_one_invariant_for_each_entry() -> None:
    table = load_table()
    module = _Module(to_tla(table))
    rows = [name for name in module.definitions if name.startswith("Row_")]
    assert len(rows) == len(table.rows)
    assert module.definitions["Next"] == rows
    always = [name for name in module.definitions if name.startswith("Always_")]
    assert len(always) == len(table.always)
    for name, entry in zip(always, table.always, strict=True):
        when, *wanted = module.definitions[name]
        assert when == f"{name.replace('Always_', 'When_')} =>"
        assert len(wanted) == len(entry.triggers)
        for guards in wanted:
            assert set(guards.split(" \\/ ")) <= {row.replace("Row_", "May_") for row in rows}
    assert module.strings("States") == list(table.states)
    assert len(module.definitions["TypeOK"]) == len(table.variables) + 2
    declared = re.search(r"^VARIABLES (.*)$", module.text, re.MULTILINE)
    assert declared
    assert declared[1].split(", ") == ["state", *table.variables, "last"]
