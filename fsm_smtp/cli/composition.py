"""The part of ``fsm-smtp verify`` that is about running ahead: client and server together."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.text import Text

from fsm_smtp.ahead import Pipeline
from fsm_smtp.composition import Bounds, Composition, compose, load_deviations
from fsm_smtp.machine import ProtocolMachine
from fsm_smtp.table import Table


@dataclass(frozen=True, slots=True)
class Composed:
    """A composition, and how long it took."""

    composition: Composition
    seconds: float

    @property
    def with_whom(self) -> str:
        """The server in a few words."""
        deviation = self.composition.deviation
        return "a server that owes what the table says" if deviation is None else deviation.says

    def as_dict(self) -> dict[str, Any]:
        """The outcome as JSON."""
        composition = self.composition
        broken = composition.broken
        return {
            "server": composition.deviation.id if composition.deviation else "honest",
            "says": self.with_whom,
            "outstanding": composition.bounds.outstanding,
            "departing": composition.bounds.departing,
            "configurations": composition.nodes,
            "steps": composition.edges,
            "duration_s": round(self.seconds, 3),
            "holds": composition.holds,
            "broken": broken.id if broken else None,
            "problem": broken.problem if broken else None,
            "counterexample": [f"{who} {text}" for who, text in composition.run] or None,
        }


def compositions(table: Table, outstanding: int) -> Iterator[Composed]:
    """Our client with each kind of server, up to *outstanding* commands ahead.

    What departs from RFC 3030 §2 is played with the server alone that keeps to what it owes: with
    others nobody can vouch for it.
    """
    pipeline = Pipeline(ProtocolMachine(table))
    deviations = load_deviations(table)
    for deviation in (None, *deviations.values()):
        began = time.perf_counter()
        bounds = Bounds(outstanding, departing=deviation is None)
        yield Composed(compose(pipeline, bounds, deviation), time.perf_counter() - began)


def show(composed: Composed, out: Console) -> None:
    """A line, and the run that breaks a claim."""
    composition = composed.composition
    size = f"{composition.nodes:,} configurations, {composition.edges:,} steps"
    verdict = Text("holds", "green") if composition.holds else Text("FAILS", "bold red")
    about = f"{composed.with_whom}: {size}, {composed.seconds:.1f} s"
    out.print(verdict, Text(about), soft_wrap=True)
    if composition.broken is not None:
        out.print(Text(f"  {composition.broken.id}: {composition.broken.problem}"))
        for who, text in composition.run:
            out.print(Text(f"    {who}: {text}"))
