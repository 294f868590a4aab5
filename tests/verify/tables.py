"""What the tests of the verifier share: the shipped tables, and tables broken by an edit."""

from functools import cache
from itertools import combinations
from pathlib import Path

from fsm_smtp.specs import spec_path
from fsm_smtp.table import Table, load_table
from fsm_smtp.verify import Check, Verification, verify

BASE = spec_path("transitions.yaml")
OVERLAYS = sorted(file.stem for file in spec_path("overlays").glob("*.yaml"))
# LMTP is another protocol: each policy more would double the time, and one of them needs HELO.
POLICIES = [name for name in OVERLAYS if name != "lmtp"]
COMBINATIONS = [
    *(names for size in range(len(POLICIES) + 1) for names in combinations(POLICIES, size)),
    ("lmtp",),
    ("lmtp", "no_auth_retry", "require_tls"),
]


@cache
def shipped(*overlays: str) -> Table:
    """The shipped table with these overlays."""
    return load_table(overlays=overlays)


@cache
def verified(*overlays: str) -> Verification:
    """Its verification."""
    return verify(shipped(*overlays))


def edited(folder: Path, *edits: tuple[str, str]) -> Path:
    """A copy of the shipped table in *folder*, each text replaced by the other.

    It says nothing of servers, which the loader would hold against the edited rows.
    """
    text = BASE.read_text(encoding="utf-8").partition("\nserver:")[0] + "\n"
    for old, new in edits:
        assert text.count(old) == 1, f"found {text.count(old)} times: {old}"
        text = text.replace(old, new)
    path = folder / "edited.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def failed(verification: Verification) -> dict[str, Check]:
    """The checks that do not pass, by id."""
    return {check.id: check for check in verification.checks if not check.passed}
