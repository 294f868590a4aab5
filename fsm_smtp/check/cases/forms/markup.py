"""Whether a reply hands a browser's request back to it (cross-protocol requests)."""

import re
from collections.abc import Sequence

from fsm_smtp.check.cases.forms.grammar import Form, show
from fsm_smtp.wire.replies import Reply

# What a browser would read as the beginning of an element.
_TAG = re.compile(rb"<[A-Za-z/!]")


def _no_tag(reply: Reply, raw: Sequence[bytes]) -> str | None:
    for line in reply.lines:
        if _TAG.search(line):
            return f"{show(line)} has markup of the request in it, unescaped"
    return None


FORMS: dict[str, Form] = {"no tag": _no_tag}
