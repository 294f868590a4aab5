"""Enhanced status codes (RFC 2034 §4, RFC 3463 §2)."""

import re
from collections.abc import Sequence

from fsm_smtp.check.cases.forms.grammar import Form, show
from fsm_smtp.wire.replies import Reply

# status-code = class "." subject "." detail; class = "2" / "4" / "5";
# subject = 1*3digit; detail = 1*3digit                                   (RFC 3463 §2)
_STATUS = re.compile(rb"([245])\.(?:0|[1-9][0-9]{0,2})\.(?:0|[1-9][0-9]{0,2})(?: |\Z)")


def _enhanced(reply: Reply, raw: Sequence[bytes]) -> str | None:
    for line in reply.lines:
        found = _STATUS.match(line)
        if found is None:
            return f"{show(line)} does not begin with an enhanced status code"
        if int(found[1]) != reply.code // 100:
            return f"the class of {show(line)} is not that of the code {reply.code}"
    return None


FORMS: dict[str, Form] = {"enhanced": _enhanced}
