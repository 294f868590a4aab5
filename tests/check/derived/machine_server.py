"""A server that is a Mealy machine and nothing else: what it does is known exactly."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fsm_smtp.automata.mealy import Mealy
from fsm_smtp.check.derived.playing import Site
from fsm_smtp.check.derived.reference import Reference
from fsm_smtp.check.derived.sending import Sender
from fsm_smtp.check.engine.connection import Connection, Target
from fsm_smtp.check.engine.session import Settings
from fsm_smtp.owed import NONE, UNSENT, ServerModel
from fsm_smtp.table import load_table
from tests.listening import listening

HOST = "127.0.0.1"
QUIET = 0.1
CORE: frozenset[str] = frozenset()
MODEL = ServerModel.of(load_table())
#: A server that chooses the first answer everywhere: the exacting one.
STRICT = Reference.of(MODEL, MODEL.instantiate({}, CORE), CORE)

#: The machine's outputs as replies; what closes is decided by the state that follows.
REPLIES = {"2yz": "250 fine", "354": "354 go on", "4yz": "450 later", "5yz": "503 no"}
QUIT_REPLY = "221 bye"


def changed(
    state: int, name: str, *, output: str | None = None, following: int | None = None
) -> Mealy[str, str]:
    """The strict machine with one transition changed."""
    machine = STRICT.machine
    outputs, successors = [list(row) for row in machine.outputs], [*map(list, machine.successors)]
    number = machine.inputs.index(name)
    outputs[state][number] = output or outputs[state][number]
    successors[state][number] = following if following is not None else successors[state][number]
    return Mealy(machine.inputs, tuple(map(tuple, outputs)), tuple(map(tuple, successors)))


def with_hidden_state(count: int) -> Mealy[str, str]:
    """The strict machine, whose NOOP behind the greeting counts, and at *count* takes MAIL: so
    many states more than it should have."""
    machine = STRICT.machine
    noop, mail = machine.inputs.index("noop"), machine.inputs.index("mail")
    outputs, successors = [list(row) for row in machine.outputs], [*map(list, machine.successors)]
    for number in range(count):
        outputs.append(list(machine.outputs[0]))
        successors.append(list(machine.successors[0]))
        successors[0 if number == 0 else machine.size + number - 1][noop] = machine.size + number
    outputs[-1][mail] = "2yz"
    return Mealy(machine.inputs, tuple(map(tuple, outputs)), tuple(map(tuple, successors)))


def with_another_ready(name: str, output: str, *, behind_rset: bool) -> Mealy[str, str]:
    """The strict machine with a second state behind EHLO, to which every RSET leads from there on.

    *name* is answered by *output* in one of the two: in the one *behind_rset*, or in the first.
    """
    machine = STRICT.machine
    ready = machine.after(("ehlo",))
    outputs, successors = [list(row) for row in machine.outputs], [*map(list, machine.successors)]
    outputs.append(list(machine.outputs[ready]))
    successors.append(list(machine.successors[ready]))
    rset = machine.inputs.index("rset")
    for row in successors:
        if row[rset] == ready:
            row[rset] = machine.size
    number = machine.inputs.index(name)
    outputs[machine.size if behind_rset else ready][number] = output
    return Mealy(machine.inputs, tuple(map(tuple, outputs)), tuple(map(tuple, successors)))


def is_closed(machine: Mealy[str, str], state: int) -> bool:
    return set(machine.outputs[state]) == {"closed"}


@asynccontextmanager
async def machine_server(
    machine: Mealy[str, str], settings: Settings, *, bears: int | None = None
) -> AsyncGenerator[Site]:
    """The machine as a server, and the strict machine to compare it with.

    A session *bears* so many inputs: to the next one it says 554, and hangs up.
    """
    sender = Sender(Connection(Target(HOST, 0), 1.0), settings)
    octets = {sender.octets(STRICT.inputs[name]): name for name in machine.inputs}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _session(machine, octets, reader, writer, bears)

    async with listening(serve) as door:
        yield Site(Target(HOST, door.port), settings, STRICT, QUIET)


async def _session(
    machine: Mealy[str, str],
    octets: dict[bytes, str],
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    bears: int | None,
) -> None:
    writer.write(b"220 mx.example.test ready\r\n")
    state, received, count = 0, b"", 0
    while data := await reader.read(65536):
        received += data
        while name := next((octets[each] for each in octets if received.startswith(each)), None):
            received = received[len(next(each for each in octets if octets[each] == name)) :]
            count += 1
            if bears is not None and count > bears and name != "quit":
                writer.write(b"554 too many commands\r\n")
                return
            number = machine.inputs.index(name)
            output, state = machine.outputs[state][number], machine.successors[state][number]
            if output not in (NONE, UNSENT):
                reply = QUIT_REPLY if name == "quit" else REPLIES[output]
                writer.write(f"{reply}\r\n".encode())
            if is_closed(machine, state):
                return
