"""``specs/deviations.yaml``: what servers do that no RFC allows."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fsm_smtp.specs import spec_path
from fsm_smtp.table import Table
from fsm_smtp.table.guard import Guard
from fsm_smtp.table.names import check_rfc, members
from fsm_smtp.table.server_model import Answer, Server
from fsm_smtp.yaml_source import Node, read_yaml

#: What becomes of commands that came in one write with the end of data.
BEHIND_CONTENT = ("refused", "discarded")


@dataclass(frozen=True, slots=True)
class Extra:
    """An answer beside those that are owed."""

    inputs: tuple[str, ...]
    when: Guard
    answer: Answer


@dataclass(frozen=True, slots=True)
class Deviation:
    """A way in which a server does more than it may.

    Attributes:
        id: stable name.
        says: what it does, in one sentence.
        rfc: the section that it breaks.
        extras: answers that it gives beside those that are owed.
        behind_content: what becomes of commands that came in one write with the end of data:
            ``refused`` or ``discarded``; ``None`` when they are answered like others.
    """

    id: str
    says: str
    rfc: str
    extras: tuple[Extra, ...] = ()
    behind_content: str | None = None


def load_deviations(table: Table, path: Path | None = None) -> Mapping[str, Deviation]:
    """The deviations by id; the shipped ones unless *path* names a file.

    Raises:
        SpecError: the file has a mistake; with its place.
        ValueError: the table does not say what a server owes.
    """
    if table.server is None:
        raise ValueError(f"the table {table.name} does not say what a server owes")
    root = read_yaml(path or spec_path("deviations.yaml"))
    fields = root.fields("the file", required=("schema", "deviations"))
    if fields["schema"].number("schema") != 1:
        raise fields["schema"].error("only schema 1 is known")
    found: dict[str, Deviation] = {}
    for node in fields["deviations"].sequence("deviations"):
        deviation = _deviation(node, table, table.server)
        if deviation.id in found:
            raise node.error(f"the id {deviation.id} stands twice")
        found[deviation.id] = deviation
    return found


def _deviation(node: Node, table: Table, server: Server) -> Deviation:
    optional = ("answers", "behind_content")
    f = node.fields("a deviation", required=("id", "says", "rfc"), optional=optional)
    if "answers" not in f and "behind_content" not in f:
        raise node.error("a deviation needs answers, or behind_content")
    rfc = f["rfc"].text("rfc")
    check_rfc(f["rfc"], rfc, table.rfcs)
    name = f["id"].name("id")
    answers = f["answers"].sequence("answers") if "answers" in f else ()
    return Deviation(
        id=name,
        says=f["says"].text("says"),
        rfc=rfc,
        extras=tuple(_extra(item, name, table, server) for item in answers),
        behind_content=(
            f["behind_content"].choice("behind_content", BEHIND_CONTENT)
            if "behind_content" in f
            else None
        ),
    )


def _extra(node: Node, name: str, table: Table, server: Server) -> Extra:
    f = node.fields("an answer", required=("on", "codes"), optional=("when", "then"))
    guard: list[tuple[str, tuple[str, ...]]] = []
    if "when" in f:
        for variable, at in f["when"].mapping("when").items():
            at.key.choice("variable", server.view)
            domain = table.variables[variable].domain
            guard.append((variable, members(at.value, "value", domain, {})))
    mode: str | None = None
    then: list[tuple[str, str]] = []
    if "then" in f:
        for variable, at in f["then"].mapping("then").items():
            if variable == "mode":
                mode = at.value.choice("mode", server.modes)
            else:
                at.key.choice("variable", server.view)
                value = at.value.choice("value", table.variables[variable].domain)
                then.append((variable, value))
    code = f["codes"].number("codes")
    return Extra(
        inputs=members(f["on"], "input", server.inputs, {}),
        when=tuple(guard),
        answer=Answer(name, (str(code),), mode, tuple(then), place=node.place),
    )
