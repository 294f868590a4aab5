"""The table in other languages: Promela, TLA+, SCXML and JSON. Makes text; reads no file."""

from fsm_smtp.export.json import to_json
from fsm_smtp.export.promela import promela_claims, to_promela
from fsm_smtp.export.scxml import to_scxml
from fsm_smtp.export.tla import to_tla

__all__ = ["promela_claims", "to_json", "to_promela", "to_scxml", "to_tla"]
