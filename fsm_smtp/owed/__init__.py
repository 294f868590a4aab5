"""What a server owes, as a Mealy machine: the section ``server`` of the table, made definite.

The RFCs leave a server choices that lead to different machines. `ServerModel` lists them as
points, `calibrate` finds out what a given server has chosen, and `ServerModel.instantiate` makes
the complete, deterministic machine of these choices. `Belief` follows a server without asking it
anything. Plays nothing itself and does no I/O.
"""

from fsm_smtp.owed.belief import Belief, Heard
from fsm_smtp.owed.calibrate import Calibration, Finding, Probe, calibrate, probes
from fsm_smtp.owed.instance import Instance
from fsm_smtp.owed.judgement import Judgement, judge
from fsm_smtp.owed.model import Point, ServerModel
from fsm_smtp.table.server_model import CLOSED, NONE, UNSENT, Answer, Entry, Input, word_of

__all__ = [
    "CLOSED",
    "NONE",
    "UNSENT",
    "Answer",
    "Belief",
    "Calibration",
    "Entry",
    "Finding",
    "Heard",
    "Input",
    "Instance",
    "Judgement",
    "Point",
    "Probe",
    "ServerModel",
    "calibrate",
    "judge",
    "probes",
    "word_of",
]
