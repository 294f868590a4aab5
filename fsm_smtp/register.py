"""The register of requirements: each in a sentence of ours, and where it is decided.

``specs/register/*.yaml``: what a client does in which order is covered by properties of the table;
what a server owes is covered by the conformance cases that name the requirement. What neither can
express says where it is decided, or why nothing can.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from fsm_smtp.specs import spec_path
from fsm_smtp.yaml_source import Node, read_yaml

_KEYS = ("id", "rfc", "level", "who", "kind", "says")
_KINDS = ("FSM", "SYN", "REP", "TERM", "LIM", "EXT", "SEC", "DATA", "POL", "LAT")


@dataclass(frozen=True, slots=True)
class Requirement:
    """A requirement of an RFC, in a sentence of our own.

    Attributes:
        id: stable name.
        rfc: such as ``5321 §4.1.4``.
        level: the RFC's word, or ``prose``.
        who: ``client``, ``server`` or ``both``.
        kind: ``FSM`` order and state, ``SYN`` syntax, ``REP`` replies, ``TERM`` ends, ``LIM``
            lengths, counts and times, ``EXT`` what EHLO promises, ``SEC`` security, ``DATA``
            content, ``POL`` needs policy or a mailbox of a kind, ``LAT`` only permits.
        says: the requirement.
        properties: ids of the table's properties that cover it.
        elsewhere: what no property can express, and where it is decided; ``None`` when nothing.
        untestable: why no conformance case can judge a server by it; ``None`` if one can.
    """

    id: str
    rfc: str
    level: str
    who: str
    kind: str
    says: str
    properties: tuple[str, ...] = ()
    elsewhere: str | None = None
    untestable: str | None = None

    @property
    def of_order(self) -> bool:
        """Whether it speaks of what a client does in which order."""
        return bool(self.properties) or self.elsewhere is not None


def load_register(paths: Iterable[Path] | None = None) -> tuple[Requirement, ...]:
    """Read the register, by default every file of ``specs/register``.

    Raises:
        SpecError: a file has a mistake; says where.
    """
    files = sorted(spec_path("register").glob("*.yaml")) if paths is None else paths
    found: dict[str, Requirement] = {}
    for path in files:
        fields = read_yaml(path).fields("a register", required=("schema", "requirements"))
        for node in fields["requirements"].sequence("requirements"):
            one = _requirement(node)
            if one.id in found:
                raise node.error(f"requirement {one.id} stands twice")
            found[one.id] = one
    return tuple(found.values())


def _requirement(node: Node) -> Requirement:
    f = node.fields(
        "a requirement", required=_KEYS, optional=("properties", "elsewhere", "untestable")
    )
    who = f["who"].choice("who", ("client", "server", "both"))
    if who == "client" and "properties" not in f and "elsewhere" not in f:
        raise node.error("a requirement on clients needs 'properties' or 'elsewhere'")
    listed = f["properties"].sequence("properties") if "properties" in f else ()
    return Requirement(
        id=f["id"].text("id"),
        rfc=f["rfc"].text("rfc"),
        level=f["level"].text("level"),
        who=who,
        kind=f["kind"].choice("kind", _KINDS),
        says=f["says"].text("says"),
        properties=tuple(item.name("a property") for item in listed),
        elsewhere=f["elsewhere"].text("elsewhere") if "elsewhere" in f else None,
        untestable=f["untestable"].text("untestable") if "untestable" in f else None,
    )
