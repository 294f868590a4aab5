"""Replies of AUTH (RFC 4954 §4)."""

import base64
import binascii
from collections.abc import Sequence

from fsm_smtp.check.cases.forms.grammar import Form, show
from fsm_smtp.wire.replies import Reply


def _challenge(reply: Reply, raw: Sequence[bytes]) -> str | None:
    """334 with base64 or nothing: continue-req = "334" SP [base64] CRLF."""
    if reply.code != 334:
        return f"{reply.code} is no challenge"
    if len(reply.lines) != 1:
        return "a challenge is one line"
    try:
        base64.b64decode(reply.lines[0], validate=True)
    except binascii.Error:
        return f"{show(reply.lines[0])} is no base64"
    return None


FORMS: dict[str, Form] = {"challenge": _challenge}
