"""Templates of what a case sends: placeholders for the run's addresses, and for filling."""

import base64
import re
from collections.abc import Mapping

from fsm_smtp.check.cases.offers import LIMIT, SMALL_LIMIT

#: ``{name}`` or ``{name:number}`` in a template.
PLACEHOLDER = re.compile(r"\{([a-z_]*[a-z_0-9]*)(?::([0-9]+))?\}")
#: Placeholders that stand for an address, a name or a number of the run.
VALUES = (
    "sender",
    "recipient",
    "unknown_recipient",
    "ehlo_name",
    "domain",
    "upper_domain",
    "local_part",
    "unknown_local_part",
    "n",
    "size",
    "oversize",
    "oversized",
    "plain",
    "wrong_plain",
    "user64",
    "password64",
    "wrong_password64",
)
#: Placeholders that make filling: so many x; x up to so many octets of line, CRLF included;
#: so many octets of text in lines; so many characters of base64.
FILLINGS = ("x", "pad", "lines", "b64")

#: Values that a run or a server may not have, and what is then missing.
_NEEDS = {
    "size": LIMIT,
    "oversize": LIMIT,
    "oversized": SMALL_LIMIT,
    "plain": "credentials",
    "user64": "credentials",
    "password64": "credentials",
}
#: The largest limit that content is sent beyond.
_MOST_OVERSIZED = 1 << 20
#: A password that is nobody's.
_WRONG_PASSWORD = "fsm-smtp-wrong-password"


def credentials(user: str | None, password: str | None) -> dict[str, str]:
    """The placeholders of AUTH (RFC 4616 §2); the true ones only if there is a *user*."""
    name = user or "nobody"
    found = {
        "wrong_plain": _base64(f"\0{name}\0{_WRONG_PASSWORD}"),
        "wrong_password64": _base64(_WRONG_PASSWORD),
    }
    if user is not None:
        secret = password or ""
        found["plain"] = _base64(f"\0{user}\0{secret}")
        found["user64"] = _base64(user)
        found["password64"] = _base64(secret)
    return found


def sizes(limit: int | None) -> dict[str, str]:
    """The placeholders of SIZE (RFC 1870), if there is a *limit* in octets."""
    return {} if limit is None else {"size": str(limit), "oversize": str(limit + 1)}


def missing(template: str, values: Mapping[str, str]) -> str | None:
    """The condition without which *template* cannot be filled from *values*; see `offers`."""
    for found in PLACEHOLDER.finditer(template):
        if found[1] in _NEEDS and not _has(found[1], values):
            return _NEEDS[found[1]]
    return None


def _has(name: str, values: Mapping[str, str]) -> bool:
    if name == "oversized":
        return int(values.get("oversize", _MOST_OVERSIZED + 1)) <= _MOST_OVERSIZED
    return name in values


def render(template: str, values: Mapping[str, str], *, line_end: str = "\n") -> str:
    """*template* with its placeholders filled in.

    ``{pad:512}`` fills with x until the line, with the CRLF that will follow, has 512 octets.
    With CRLF as *line_end*, ``{lines:N}`` has exactly N octets, its last line end included.
    """
    padding = 0

    def fill(found: re.Match[str]) -> str:
        nonlocal padding
        name, number = found[1], int(found[2] or 0)
        if name == "x":
            return "x" * number
        if name == "lines":
            return _text(number, line_end)
        if name == "oversized":
            return _text(int(values["oversize"]), line_end)
        if name == "b64":
            return "QUJD" * (number // 4)
        if name == "pad":
            padding = number
            return "{pad}"
        return values[name]

    text = PLACEHOLDER.sub(fill, template)
    if padding:
        short = padding - len("\r\n") - (len(text) - len("{pad}"))
        text = text.replace("{pad}", "x" * max(short, 0))
    return text


def _text(octets: int, line_end: str) -> str:
    """*octets* octets of text in lines of 64, counting a CRLF for each line."""
    whole, rest = divmod(octets, 64)
    lines = ["x" * 62] * whole
    if rest >= 2:
        lines.append("x" * (rest - 2))
    elif rest and lines:
        lines[-1] += "x"
    return line_end.join(lines) + (line_end if line_end == "\r\n" else "")


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")
