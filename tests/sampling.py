"""What is run in full by ``make exam`` only: the tests take a sample, the same one each time."""

import os
from collections.abc import Sequence
from typing import TypeVar

_T = TypeVar("_T")


def sampled(everything: Sequence[_T], *, one_in: int) -> list[_T]:
    """Each *one_in*-th, beginning with the first; all of them when ``FSM_SMTP_EXAM`` is set."""
    return list(everything if os.environ.get("FSM_SMTP_EXAM") else everything[::one_in])
