"""The enhanced status code that an extension names for a reply (RFC 4954 §6, RFC 6531 §3.5)."""

import re
from collections.abc import Sequence

from fsm_smtp.check.cases.forms.grammar import Form, show
from fsm_smtp.wire.replies import Reply

_STATUS = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}\Z")


def is_status(text: str) -> bool:
    """Whether *text* is an enhanced status code (RFC 3463 §2)."""
    return _STATUS.match(text) is not None


def with_status(status: str) -> Form:
    """``enhanced 5.7.0``: every line begins with this one."""
    wanted = status.encode("ascii")

    def form(reply: Reply, raw: Sequence[bytes]) -> str | None:
        for line in reply.lines:
            if line.split(b" ", 1)[0] != wanted:
                return f"{show(line)} does not begin with {status}"
        return None

    return form
