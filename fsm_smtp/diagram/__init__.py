"""Pictures of the table: one small model, drawn as DOT, Mermaid, SVG or PNG."""

from fsm_smtp.diagram.closeup import closeup
from fsm_smtp.diagram.dot import to_dot
from fsm_smtp.diagram.mermaid import to_mermaid
from fsm_smtp.diagram.model import Diagram, Step
from fsm_smtp.diagram.overview import overview

__all__ = ["Diagram", "Step", "closeup", "overview", "to_dot", "to_mermaid"]
