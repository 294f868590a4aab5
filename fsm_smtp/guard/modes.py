"""What the octets are that may come next: read from the table, once for each configuration."""

from enum import Enum
from functools import lru_cache

from fsm_smtp.configuration import Configuration
from fsm_smtp.machine import ProtocolMachine


class Mode(Enum):
    """What is due in a configuration."""

    #: A command line (or nothing at all, while a reply is awaited).
    LINE = "line"
    #: A line that answers a SASL challenge.
    SASL = "sasl"
    #: Content, up to the end of data.
    CONTENT = "content"
    #: The offers of the EHLO that has been accepted just now are to be read.
    OFFERS = "offers"
    #: The TLS handshake.
    HANDSHAKE = "handshake"


# The trigger that is legal only in that mode.
_TELLING = {
    "send_content": Mode.CONTENT,
    "send_response": Mode.SASL,
    "offers_end": Mode.OFFERS,
    "tls_up": Mode.HANDSHAKE,
}


class Modes(dict[Configuration, Mode]):
    """The mode of each configuration of a machine, found out on first use."""

    def __init__(self, machine: ProtocolMachine) -> None:
        self._machine = machine

    def __missing__(self, configuration: Configuration) -> Mode:
        allows = self._machine.allows
        telling = (mode for name, mode in _TELLING.items() if allows(configuration, name))
        self[configuration] = found = next(telling, Mode.LINE)
        return found


@lru_cache(maxsize=64)
def modes_of(machine: ProtocolMachine) -> Modes:
    """A machine's modes, shared by all its guards."""
    return Modes(machine)
