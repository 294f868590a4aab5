"""Fair comparison on a machine that is not quiet: turns, medians, and the noise beside them.

Competitors take turns in one run (A B C A B C …), so that whatever slows the machine down meets
all of them. One competitor runs twice under two names: the ratio of the two is the noise, and no
difference smaller than it means anything.
"""

import gc
import statistics
from collections.abc import Callable, Mapping
from typing import TypeVar

Key = TypeVar("Key")
Sample = TypeVar("Sample")


def in_turns(
    competitors: Mapping[Key, Callable[[], Sample]], rounds: int, *, unmeasured: int = 1
) -> dict[Key, list[Sample]]:
    """What each competitor gives, *rounds* times, taking turns; the first turns do not count.

    Every other round goes in reverse, so that nobody always follows the same neighbour.
    """
    samples: dict[Key, list[Sample]] = {name: [] for name in competitors}
    order = list(competitors)
    for number in range(-unmeasured, rounds):
        gc.collect()
        for name in order if number % 2 else reversed(order):
            sample = competitors[name]()
            if number >= 0:
                samples[name].append(sample)
    return samples


def median(samples: list[float]) -> float:
    """The median."""
    return statistics.median(samples)


def spread(samples: list[float]) -> float:
    """Half the distance between the quartiles, as a share of the median."""
    if len(samples) < 2:
        return 0.0
    low, middle, high = statistics.quantiles(samples, n=4)
    return (high - low) / 2 / middle


def ratio_noise(first: list[float], second: list[float]) -> float:
    """How far the medians of two runs of the same thing lie apart, as a share."""
    return abs(median(first) / median(second) - 1)
