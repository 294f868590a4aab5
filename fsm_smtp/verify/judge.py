"""The properties of a table, compiled: what each event and each configuration must satisfy.

Whether a property speaks of an event, and whether the event breaks it, depends on the trigger and
on a few bits of the history; each such case is worked out once and remembered. What is left for
each event is whose violation the row says it is, and where it leads.
"""

from dataclasses import dataclass

from fsm_smtp.table import Table
from fsm_smtp.table.properties import SAME, SENT_FROM, Property
from fsm_smtp.verify.history import History, Match


@dataclass(frozen=True, slots=True)
class Lead:
    """Where an event must lead, for one property."""

    number: int
    states: frozenset[int]
    same: bool
    sent_from: bool


@dataclass(frozen=True, slots=True)
class Demands:
    """What the properties say of one event.

    Attributes:
        happens: bits of the properties whose event this is.
        broken: numbers of the properties that it breaks, wherever it leads.
        culprits: numbers of properties, and whose violation the event must be.
        leads: where it must lead.
        asks: numbers of the response properties to which it wants a response.
    """

    happens: int
    broken: tuple[int, ...]
    culprits: tuple[tuple[int, str], ...]
    leads: tuple[Lead, ...]
    asks: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Rule:
    """One property's interest in one trigger."""

    number: int
    property: Property
    events: tuple[Match, ...]
    among: tuple[Match, ...]


class Judge:
    """Compiled properties; numbers are places in ``table.properties``."""

    def __init__(self, table: Table, history: History) -> None:
        self.history = history
        self.properties = table.properties
        self._rules = [self._rules_for(name) for name in history.triggers]
        self._needs = [history.test(one.needs) for one in self.properties]
        self._reads = [self._relevant(rules) for rules in self._rules]
        self._demands: list[dict[int, Demands]] = [{} for _ in history.triggers]
        self._permissions: list[tuple[int, int, int, int]] = []
        self._scopes: list[tuple[int, int, int]] = []
        for number, one in enumerate(self.properties):
            mask, value = history.test(one.when)
            if one.pattern == "permission":
                wanted = {name for atom in one.of for name in atom.triggers}
                triggers = sum(1 << history.number[name] for name in wanted)
                self._permissions.append((number, mask, value, triggers))
            if one.pattern in ("permission", "absence"):
                self._scopes.append((number, mask, value))
        self._permitted: dict[int, tuple[int, tuple[tuple[int, int], ...]]] = {}
        self._scope_reads = 0
        for _, mask, _ in self._scopes:
            self._scope_reads |= mask

    def _rules_for(self, trigger: str) -> list[_Rule]:
        rules: list[_Rule] = []
        for number, one in enumerate(self.properties):
            if one.pattern != "permission":
                events = self.history.matches(one.of, trigger, one.when)
                if events:
                    among = self.history.matches(one.among, trigger)
                    rules.append(_Rule(number, one, tuple(events), tuple(among)))
        return rules

    def _relevant(self, rules: list[_Rule]) -> int:
        mask = 0
        for rule in rules:
            mask |= self._needs[rule.number][0]
            mask |= self.history.relevant((*rule.events, *rule.among))
        return mask

    def event(self, trigger: int, history: int) -> Demands:
        """What is demanded of *trigger* (by number) when it fires after *history*."""
        key = history & self._reads[trigger]
        demands = self._demands[trigger].get(key)
        if demands is None:
            demands = self._demands[trigger][key] = self._demanded(trigger, key)
        return demands

    def _demanded(self, trigger: int, history: int) -> Demands:
        holds = self.history.holds
        happens = 0
        broken: list[int] = []
        culprits: list[tuple[int, str]] = []
        leads: list[Lead] = []
        asks: list[int] = []
        for rule in self._rules[trigger]:
            one, number = rule.property, rule.number
            if not any(holds(match, history) for match in rule.events):
                continue
            happens |= 1 << number
            mask, value = self._needs[number]
            if (
                one.pattern == "absence"
                or history & mask != value
                or (one.among and not any(holds(match, history) for match in rule.among))
            ):
                broken.append(number)
            if one.pattern == "response":
                asks.append(number)
            if one.culprit is not None:
                culprits.append((number, one.culprit))
            if one.leads_to:
                numbers = self.history.states
                states = frozenset(numbers[name] for name in one.leads_to if name in numbers)
                leads.append(Lead(number, states, SAME in one.leads_to, SENT_FROM in one.leads_to))
        return Demands(happens, tuple(broken), tuple(culprits), tuple(leads), tuple(asks))

    def place(self, history: int) -> tuple[int, tuple[tuple[int, int], ...]]:
        """What is demanded of a configuration after *history*.

        Returns:
            The bits of the permissions and absences whose scope it is in, and for each permission
            its number and the bits of the triggers that must be enabled.
        """
        key = history & self._scope_reads
        found = self._permitted.get(key)
        if found is None:
            scopes = sum(1 << n for n, mask, value in self._scopes if key & mask == value)
            wanted = tuple((n, t) for n, mask, value, t in self._permissions if key & mask == value)
            found = self._permitted[key] = (scopes, wanted)
        return found
