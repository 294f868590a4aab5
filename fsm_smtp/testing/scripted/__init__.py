"""A server that says what is written for it, right or wrong: for clients that must bear anything.

The model server (`fsm_smtp.testing.SMTPServer`) keeps the order of the table, and its orders are
replies in place of its own. `ScriptedServer` knows no order: it takes in and gives out octets step
by step, as a script says, so it can break off inside a reply, drip, flood, or speak unasked. A
script is data: a sequence of the steps in `steps`, for which `pieces` has the usual ones.
"""

from fsm_smtp.testing.scripted.pieces import (
    DELIVERY,
    ENVELOPE,
    GOODBYE,
    GREETING,
    OPENING,
    answers,
    ehlo,
    in_turn,
)
from fsm_smtp.testing.scripted.server import ScriptedServer
from fsm_smtp.testing.scripted.steps import (
    Answer,
    Body,
    Close,
    Drip,
    Handshake,
    Hold,
    Line,
    Pause,
    Say,
    Script,
    Step,
)
from fsm_smtp.testing.scripted.taken import Taken

__all__ = [
    "DELIVERY",
    "ENVELOPE",
    "GOODBYE",
    "GREETING",
    "OPENING",
    "Answer",
    "Body",
    "Close",
    "Drip",
    "Handshake",
    "Hold",
    "Line",
    "Pause",
    "Say",
    "Script",
    "ScriptedServer",
    "Step",
    "Taken",
    "answers",
    "ehlo",
    "in_turn",
]
