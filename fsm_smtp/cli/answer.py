"""What ``explain`` has to say, as text for a terminal and as JSON."""

from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from fsm_smtp.cli.transcript import Line, run_grid
from fsm_smtp.diagram.ways import Way

#: Leads that are longer are wrapped.
_LEAD = 24


@dataclass(frozen=True, slots=True)
class Entry:
    """One way in words.

    Attributes:
        lead: what stands before the arrow: labels of triggers, or states.
        when: the conditions, each a sentence.
        way: the way itself.
        then: what has changed afterwards beside the state.
    """

    lead: str
    when: tuple[str, ...]
    way: Way
    then: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        row = self.way.row
        return {
            "row": row.id,
            "state": self.way.state,
            "triggers": [trigger.name for trigger in self.way.triggers],
            "when": list(self.when),
            "dest": list(self.way.dests),
            "violation": row.violation,
            "note": row.note,
            "rfc": row.rfc,
        }


@dataclass(slots=True)
class Section:
    """Ways under a heading."""

    heading: str
    entries: list[Entry] = field(default_factory=list[Entry])


@dataclass(slots=True)
class Answer:
    """A title, a sentence, facts, ways in sections, and perhaps a run.

    Attributes:
        name: the thing asked for, by its name in the table.
        kind: ``state``, ``trigger`` or ``pair``.
        details: the facts as data, for JSON.
        run: the shortest way to where the thing is legal.
    """

    name: str
    kind: str
    title: str
    means: str
    facts: dict[str, str] = field(default_factory=dict[str, str])
    sections: list[Section] = field(default_factory=list[Section])
    details: dict[str, Any] = field(default_factory=dict[str, Any])
    run: list[Line] = field(default_factory=list[Line])

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "name": self.name,
            "kind": self.kind,
            "means": self.means,
            **self.details,
            "sections": [
                {"heading": s.heading, "entries": [entry.as_dict() for entry in s.entries]}
                for s in self.sections
            ],
            "run": [line.as_dict() for line in self.run],
        }

    def show(self, out: Console) -> None:
        """Print it."""
        out.print(Text(self.title, "bold"))
        out.print(Padding(Text(self.means), (0, 0, 0, 2)))
        if self.facts:
            out.print()
            facts = Grid(box=None, show_header=False, padding=(0, 2, 0, 0))
            facts.add_column(no_wrap=True)
            facts.add_column(ratio=1)
            for name, text in self.facts.items():
                facts.add_row(Text(name, "bold"), Text(text))
            out.print(Padding(facts, (0, 0, 0, 2)))
        filled = [section for section in self.sections if section.entries]
        entries = [entry for section in filled for entry in section.entries]
        for section in filled:
            lead_width = min(max(len(entry.lead) for entry in entries), _LEAD)
            rfc_width = max(len(entry.way.row.rfc) for entry in entries)
            _show_section(section, lead_width, rfc_width, out)
        if self.run:
            out.print()
            out.print(Text("The shortest way to where it is legal", "bold"))
            out.print(Padding(run_grid(self.run), (0, 0, 0, 4)))


def _show_section(section: Section, lead_width: int, rfc_width: int, out: Console) -> None:
    out.print()
    out.print(Text(section.heading, "bold"))
    clusters: dict[tuple[str, ...], list[Entry]] = {}
    for entry in section.entries:
        clusters.setdefault(entry.when, []).append(entry)
    for when, entries in clusters.items():
        if when:
            out.print(Padding(_sentence(when), (0, 0, 0, 2)))
        grid = Grid(box=None, show_header=False, padding=(0, 2, 0, 0), expand=True)
        grid.add_column(width=lead_width)
        grid.add_column(ratio=1)
        grid.add_column(no_wrap=True, width=rfc_width)
        for entry in entries:
            dest = Text(f"→ {_dests(entry)}")
            if entry.then:
                dest.append(f"\n{entry.then}", "italic")
            if entry.way.row.note:
                dest.append(f"\n{entry.way.row.note}", "yellow")
            grid.add_row(Text(entry.lead, "cyan"), dest, Text(entry.way.row.rfc, "dim"))
        out.print(Padding(grid, (0, 0, 0, 4)))


def _sentence(when: tuple[str, ...]) -> Text:
    unless = [one for one in when if one.startswith("unless ")]
    plain = [one for one in when if one not in unless]
    parts = [f"when {', and '.join(plain)}"] if plain else []
    return Text("; ".join([*parts, *unless]), "italic")


def _dests(entry: Entry) -> str:
    if entry.way.dests == (entry.way.state,):
        return "the state stays"
    return ", ".join(entry.way.dests)
