"""How long exploration and verification take; nothing depends on it but patience."""

import time
from collections.abc import Callable
from typing import TypeVar

from bench.report import Section
from fsm_smtp.table import load_table
from fsm_smtp.verify import verify
from fsm_smtp.verify.explore import explore

_T = TypeVar("_T")


def verifying() -> Section:
    """Measure each once."""
    table, loading = _timed(load_table)
    graph, exploring = _timed(lambda: explore(table))
    verification, verifying_ = _timed(lambda: verify(table))
    section = Section("Verification", ("work", "seconds"))
    section.rows += [
        ("load the table", f"{loading:.2f}"),
        (
            f"explore {len(graph.places)} configurations, {graph.edge_count} steps",
            f"{exploring:.2f}",
        ),
        (f"verify {len(verification.checks)} claims, exploration included", f"{verifying_:.2f}"),
    ]
    return section


def _timed(work: Callable[[], _T]) -> tuple[_T, float]:
    began = time.perf_counter()
    result = work()
    return result, time.perf_counter() - began
