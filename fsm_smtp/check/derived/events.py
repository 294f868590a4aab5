"""What `run_model` emits beside `CaseFinished`, in this order."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fsm_smtp.check.engine.events import CaseFinished, CaseResult, Event


@dataclass(frozen=True, slots=True)
class ModelProgress:
    """So many sequences of a phase were played; *of* is ``None`` where nobody knows.

    Phases: ``calibration``, ``sequences``, ``diagnosis``.
    """

    phase: str
    played: int
    of: int | None


@dataclass(frozen=True, slots=True)
class Choice:
    """What the server does where the RFCs leave it open.

    Attributes:
        point: the id of the point.
        answer: the name of the answer.
        certain: whether what was seen shows it.
    """

    point: str
    answer: str
    certain: bool


@dataclass(frozen=True, slots=True)
class Machine:
    """The minimal machine that a server is compared with, as a reader wants to see it.

    Attributes:
        states: for each state what it holds; several, if no input tells them apart.
        rows: for each input, and each state, the class of the reply and the next state; ``None``
            where the input is not sent.
    """

    states: tuple[tuple[str, ...], ...]
    rows: tuple[tuple[str, tuple[tuple[str, int] | None, ...]], ...]


@dataclass(frozen=True, slots=True)
class ModelPrepared:
    """The server's choices are known, and the suite is made.

    Attributes:
        extensions: EHLO keywords whose commands are among the inputs.
        choices: what the server has chosen.
        states: n, the states of the minimal machine.
        extra: how many more a server may have: m = n + extra.
        inputs: how many inputs there are.
        sequences: how many sequences are played.
        symbols: the inputs in all of them.
        machine: the machine.
    """

    extensions: tuple[str, ...]
    choices: tuple[Choice, ...]
    states: int
    extra: int
    inputs: int
    sequences: int
    symbols: int
    machine: Machine


@dataclass(frozen=True, slots=True)
class Resetting:
    """How the server was brought back to where each sequence begins.

    Attributes:
        asked: the choice of the run: ``connection``, ``rset`` or ``auto``.
        behind_rset: sequences that began behind RSET and count.
        proof: sequences of which each, on a connection of its own, shows that RSET resets.
        doubts: why RSET was not relied upon, though it was wanted.
        cut_off: sessions of several sequences that the server has ended before their end.
        said: all that in a sentence.
    """

    asked: str
    behind_rset: int
    proof: int
    doubts: tuple[str, ...]
    cut_off: int
    said: str

    @property
    def document(self) -> dict[str, Any]:
        """What stands under ``reset`` in the JSON report's ``model``."""
        return {
            "asked": self.asked,
            "used": "rset" if self.behind_rset else "connection",
            "behind_rset": self.behind_rset,
            "proof": self.proof,
            "doubts": list(self.doubts),
            "cut_off": self.cut_off,
            "said": self.said,
        }


@dataclass(frozen=True, slots=True)
class ModelFinished:
    """Nothing more follows.

    Attributes:
        prepared: what was to be played.
        results: one for each transition at fault, and each reply worth a remark.
        failed: sequences in which the server left the machine.
        cut: sequences that policy or a lost connection cut off, also when played again, by why.
        guarantee: what is known now, in a sentence.
        duration_s: seconds in all.
        reset: how the server was reset; ``None`` if the run was broken off.
    """

    prepared: ModelPrepared
    results: tuple[CaseResult, ...]
    failed: int
    cut: Mapping[str, int]
    guarantee: str
    duration_s: float
    reset: Resetting | None = None

    @property
    def document(self) -> dict[str, Any]:
        """What stands under ``model`` in the JSON report."""
        reset = {} if self.reset is None else {"reset": self.reset.document}
        prepared = self.prepared
        return {
            "extensions": list(prepared.extensions),
            "choices": {choice.point: choice.answer for choice in prepared.choices},
            "uncertain": [choice.point for choice in prepared.choices if not choice.certain],
            "n": prepared.states,
            "m": prepared.states + prepared.extra,
            "inputs": prepared.inputs,
            "sequences": prepared.sequences,
            "symbols": prepared.symbols,
            "failed": self.failed,
            "cut": dict(self.cut),
            "guarantee": self.guarantee,
            "duration_s": round(self.duration_s, 3),
            **reset,
        }


ModelEvent = ModelProgress | ModelPrepared | CaseFinished | ModelFinished
#: Of a run that plays the cases and the derived tests.
AnyEvent = Event | ModelEvent
