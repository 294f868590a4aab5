"""What a server has chosen where the RFCs leave it a choice, asked on connections of its own."""

from collections.abc import Callable

from fsm_smtp.check.derived.opening import opened
from fsm_smtp.check.derived.sending import Sender
from fsm_smtp.check.engine.connection import Connection, Target
from fsm_smtp.check.engine.session import Settings
from fsm_smtp.owed import CLOSED, NONE, UNSENT, Calibration, Input, ServerModel, probes

#: The modes that a reply leads to by itself; behind every other reply come commands.
_MODES = {"354": "content", "334": "sasl"}


async def calibrate(
    target: Target,
    settings: Settings,
    model: ServerModel,
    extensions: frozenset[str],
    asked: Callable[[int], None],
) -> Calibration:
    """The choices of the server at *target*. *asked* hears the number of sequences so far.

    Raises:
        TargetUnreachable: a session cannot be opened.
    """
    inputs = {one.name: one for one in model.inputs(extensions)}
    questions = probes(model, extensions)
    sequence = next(questions)
    number = 0
    while True:
        outcomes = await _ask(target, settings, tuple(inputs[name] for name in sequence))
        number += 1
        asked(number)
        try:
            sequence = questions.send(outcomes)
        except StopIteration as stop:
            found = stop.value
            assert isinstance(found, Calibration)
            return found


async def _ask(target: Target, settings: Settings, sequence: tuple[Input, ...]) -> tuple[str, ...]:
    """The outcome of each input: a code, ``none``, ``closed`` or ``unsent``."""
    async with opened(target, settings) as connection:
        return await _outcomes(connection, settings, sequence)


async def _outcomes(
    connection: Connection, settings: Settings, sequence: tuple[Input, ...]
) -> tuple[str, ...]:
    sender = Sender(connection, settings)
    outcomes: list[str] = []
    mode = "command"
    for symbol in sequence:
        if outcomes and outcomes[-1] in (CLOSED, "421"):
            outcomes.append(CLOSED)
            continue
        if symbol.modes and mode not in symbol.modes:
            outcomes.append(UNSENT)
            continue
        await sender.send(symbol)
        if mode == "content" and b"\r\n.\r\n" not in b"\r\n" + sender.octets(symbol):
            outcomes.append(NONE)
            continue
        outcome = await connection.outcome()
        if await sender.secure(symbol, outcome) is not None:
            break
        mode = _MODES.get(outcome.word, "command")
        outcomes.append(NONE if outcome.word == "silence" else outcome.word)
    return tuple(outcomes)
