"""Looks up the names that a table uses; a wrong one is an error at its place."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from fsm_smtp.table.model import State, Trigger
from fsm_smtp.yaml_source import Node, nearest

_RFC = re.compile(r"(\d{3,5}) §(\d+(?:\.\d+)*)")


@dataclass(frozen=True, slots=True)
class Names:
    """What the claims about a table may name."""

    rfcs: Mapping[str, str]
    states: Mapping[str, State]
    triggers: Mapping[str, Trigger]
    state_sets: Mapping[str, tuple[str, ...]]
    trigger_sets: Mapping[str, tuple[str, ...]]

    def members(
        self, node: Node, kind: str, known: Collection[str], sets: Mapping[str, tuple[str, ...]]
    ) -> tuple[str, ...]:
        """The members that *node* names, sets resolved."""
        return members(node, kind, known, sets)

    def rfc(self, node: Node) -> str:
        """The reference to a section of a listed RFC."""
        rfc = node.text("rfc")
        check_rfc(node, rfc, self.rfcs)
        return rfc


def members(
    node: Node, kind: str, known: Collection[str], sets: Mapping[str, tuple[str, ...]]
) -> tuple[str, ...]:
    """The names of *known*, or members of *sets*, that *node* names.

    Raises:
        SpecError: a name is unknown, stands twice, or there is none.
    """
    found: list[str] = []
    for item in node.one_or_more(f"a {kind}"):
        name = item.name(f"a {kind}")
        if name not in known and name not in sets:
            raise item.error(f"{name} is no {kind}", nearest(name, (*known, *sets)))
        for member in sets.get(name, (name,)):
            if member in found:
                raise item.error(f"{kind} {member} stands twice")
            found.append(member)
    if not found:
        raise node.error(f"at least one {kind} is needed")
    return tuple(found)


def check_rfc(node: Node, rfc: str, rfcs: Mapping[str, str]) -> None:
    """Refuse what is no reference to a section of a listed RFC.

    Raises:
        SpecError: it does not look like ``5321 §4.1.4``, or the RFC is not listed.
    """
    match = _RFC.fullmatch(rfc)
    if not match:
        raise node.error(f"{rfc!r} is no RFC reference; write it like 5321 §4.1.4")
    if match[1] not in rfcs:
        what = f"RFC {match[1]} is not among the table's rfcs"
        raise node.error(what, nearest(match[1], rfcs))
