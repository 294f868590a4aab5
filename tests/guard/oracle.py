"""What a client may send, worked out from the YAML without the package: the guard's examiner.

It knows what was sent, and what the server answered as the client read it; `Reading` says where
the table is then. No code of the guard, the machine or the wire is used.
"""

from dataclasses import dataclass

from tests.core.yaml_interpreter import SPECS, Reading, read

#: Parameters and the EHLO keyword that each needs (RFC 1870 §3, RFC 6152 §2, RFC 6531 §3.1,
#: RFC 3461 §4).
NEEDS = {"SIZE": "SIZE", "BODY": "8BITMIME", "SMTPUTF8": "SMTPUTF8", "RET": "DSN", "NOTIFY": "DSN"}


@dataclass(frozen=True)
class Action:
    """Something a client may try: the trigger that it is, and its octets.

    Attributes:
        trigger: the table's name for it.
        octets: for the wire.
        unfit: whether it must never be sent, wherever it stands.
    """

    trigger: str
    octets: bytes
    unfit: bool = False


class Oracle:
    """Where the table is after what has been said."""

    def __init__(self) -> None:
        self._reading = _READING
        self._place = self._reading.start
        self._offers: set[str] = set()
        self._asked = ""

    def legal(self, action: Action) -> bool:
        """Whether *action* may be sent now."""
        words = action.octets.decode("latin-1").upper().split()[1:]
        needed = {NEEDS[name] for word in words if (name := word.partition("=")[0]) in NEEDS}
        if action.trigger in ("send_content", "send_dot"):
            needed = set()
        return bool(
            not action.unfit
            and needed <= self._offers
            and self._reading.after(self._place, action.trigger)
        )

    def happens(self, trigger: str) -> None:
        """Something happens: a command is sent, or the link changes."""
        ((_, self._place),) = self._reading.after(self._place, trigger)
        self._asked = trigger

    def breaks(self, code: int) -> bool:
        """Whether a server that answers with *code* now breaks the protocol."""
        found = self._reading.after(self._place, _trigger(code))
        return not found or any(row in _VIOLATIONS for row, _ in found)

    def answered(self, code: int, text: str) -> None:
        """The server answers."""
        asked = self._asked
        self.happens(_trigger(code))
        if asked == "send_ehlo" and code == 250:
            lines = text.split("\n")[1:]
            self._offers = {line.split(" ")[0].upper() for line in lines}
            for keyword, name in _KEYWORDS.items():
                if keyword in self._offers:
                    self.happens(name)
            self.happens("offers_end")
        elif asked == "send_helo" and code // 100 == 2:
            self._offers = set()

    @property
    def open(self) -> bool:
        """Whether anything but leaving is left."""
        return bool(self._reading.after(self._place, "send_noop")) or self.content

    @property
    def content(self) -> bool:
        """Whether content is due."""
        return bool(self._reading.after(self._place, "send_dot"))

    @property
    def challenged(self) -> bool:
        """Whether a SASL challenge waits."""
        return bool(self._reading.after(self._place, "send_response"))


def _trigger(code: int) -> str:
    """The trigger that a reply with *code* is."""
    by_code = {c: name for name, codes in _CODES.items() for c in codes}
    return str(by_code.get(code) or _DIGITS[code // 100])


_READING = Reading()
_TABLE = read(SPECS / "transitions.yaml")
_TRIGGERS = _TABLE["triggers"]
_ROWS = [row for group in _TABLE["transitions"] for row in group["rows"]]
_VIOLATIONS = {row["id"] for row in _ROWS if "violation" in row}
_CODES = {name: list(map(int, t["codes"])) for name, t in _TRIGGERS.items() if "codes" in t}
_DIGITS = {int(t["digit"]): name for name, t in _TRIGGERS.items() if "digit" in t}
_KEYWORDS = {t["keyword"]: name for name, t in _TRIGGERS.items() if "keyword" in t}
