"""A keyword of EHLO that takes no parameters (RFC 3207 §3, RFC 3461 §2, RFC 6531 §3.1)."""

from collections.abc import Callable, Sequence

from fsm_smtp.check.forms.grammar import Form, show
from fsm_smtp.wire.replies import Reply


def _bare(keyword: str) -> Form:
    wanted = keyword.encode("ascii")

    def form(reply: Reply, raw: Sequence[bytes]) -> str | None:
        listed = [line for line in reply.lines[1:] if line.upper().split()[:1] == [wanted]]
        if not listed:
            return f"{keyword} is not listed"
        strange = [line for line in listed if line.upper() != wanted]
        return f"{show(strange[0])} has a parameter" if strange else None

    return form


#: ``bare KEYWORD``: it is listed, and nothing stands behind it.
WITH_OFFER: dict[str, Callable[[str], Form]] = {"bare": _bare}
