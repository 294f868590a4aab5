"""`docs/servers.yaml`: why a server does what `check` does not find well."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fsm_smtp.check.suite import load_suite
from fsm_smtp.yaml_source import Node, read_yaml

PATH = Path(__file__).parents[2] / "docs" / "servers.yaml"


@dataclass(frozen=True)
class Reason:
    """One deviation, and why.

    Attributes:
        case: the case that shows it.
        servers: the ways (see `ways`) on which it shows.
        why: what the server does, and why that is as it is.
        source: the RFC section, and the server's documentation or setting.
        steady: false for what a server shows in some runs only.
    """

    case: str
    servers: tuple[str, ...]
    why: str
    source: str
    steady: bool


@dataclass(frozen=True)
class Explained:
    """The whole file: the version that each server had, and the reasons."""

    versions: Mapping[str, str]
    reasons: tuple[Reason, ...]

    def of(self, server: str) -> dict[str, Reason]:
        """The reasons of one server, by case id."""
        return {one.case: one for one in self.reasons if server in one.servers}


def load_reasons(path: Path = PATH) -> Explained:
    """Read the file.

    Raises:
        SpecError: a mistake in it, among them a case that does not exist.
    """
    fields = read_yaml(path).fields("the reasons", required=("versions", "reasons"))
    versions = {
        name: entry.value.text("a version")
        for name, entry in fields["versions"].mapping("versions").items()
    }
    known = {case.id for case in load_suite().cases}
    reasons = tuple(
        _reason(node, versions, known) for node in fields["reasons"].sequence("reasons")
    )
    return Explained(versions, reasons)


def _reason(node: Node, versions: Mapping[str, str], known: set[str]) -> Reason:
    entry = node.fields(
        "a reason", required=("case", "servers", "why", "source"), optional=("steady",)
    )
    case = entry["case"].choice("case", tuple(known))
    return Reason(
        case,
        tuple(
            item.choice("a server", tuple(versions))
            for item in entry["servers"].one_or_more("servers")
        ),
        " ".join(entry["why"].text("why").split()),
        " ".join(entry["source"].text("source").split()),
        "steady" not in entry or entry["steady"].choice("steady", ("yes", "no")) == "yes",
    )
