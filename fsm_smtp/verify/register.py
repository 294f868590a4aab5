"""The register of requirements: which property covers which, and what is decided elsewhere."""

from dataclasses import dataclass
from pathlib import Path

from fsm_smtp.specs import spec_path
from fsm_smtp.yaml_source import Node, read_yaml

_KEYS = ("id", "rfc", "level", "who", "kind", "says")


@dataclass(frozen=True, slots=True)
class Requirement:
    """A requirement of an RFC, in a sentence of our own.

    Attributes:
        id: stable name.
        rfc: such as ``5321 §4.1.4``.
        level: the RFC's word, or ``prose``.
        who: ``client`` or ``both``.
        kind: ``FSM``, ``SEC`` or ``TERM``.
        says: the requirement.
        properties: ids of the properties that cover it.
        elsewhere: what no property can express, and where it is decided; ``None`` when nothing.
    """

    id: str
    rfc: str
    level: str
    who: str
    kind: str
    says: str
    properties: tuple[str, ...] = ()
    elsewhere: str | None = None


def load_register(path: Path | None = None) -> tuple[Requirement, ...]:
    """Read the register, the shipped ``specs/register.yaml`` by default.

    Raises:
        SpecError: the file has a mistake; says where.
    """
    root = read_yaml(path or spec_path("register.yaml"))
    fields = root.fields("a register", required=("schema", "requirements"))
    found: dict[str, Requirement] = {}
    for node in fields["requirements"].sequence("requirements"):
        one = _requirement(node)
        if one.id in found:
            raise node.error(f"requirement {one.id} stands twice")
        found[one.id] = one
    return tuple(found.values())


def _requirement(node: Node) -> Requirement:
    f = node.fields("a requirement", required=_KEYS, optional=("properties", "elsewhere"))
    if "properties" not in f and "elsewhere" not in f:
        raise node.error("a requirement needs 'properties' or 'elsewhere'")
    listed = f["properties"].sequence("properties") if "properties" in f else ()
    return Requirement(
        id=f["id"].text("id"),
        rfc=f["rfc"].text("rfc"),
        level=f["level"].text("level"),
        who=f["who"].choice("who", ("client", "both")),
        kind=f["kind"].choice("kind", ("FSM", "SEC", "TERM")),
        says=f["says"].text("says"),
        properties=tuple(item.name("a property") for item in listed),
        elsewhere=f["elsewhere"].text("elsewhere") if "elsewhere" in f else None,
    )
