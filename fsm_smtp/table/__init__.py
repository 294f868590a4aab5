"""The table: ``specs/transitions.yaml`` as frozen dataclasses. Decides nothing by itself."""

from fsm_smtp.table.loader import load_table
from fsm_smtp.table.model import Always, Codes, Goal, Move, Row, State, Table, Trigger, Variable

__all__ = [
    "Always",
    "Codes",
    "Goal",
    "Move",
    "Row",
    "State",
    "Table",
    "Trigger",
    "Variable",
    "load_table",
]
