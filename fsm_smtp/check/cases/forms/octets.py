"""Octets of a reply (RFC 6531 §3.7.4.2)."""

from collections.abc import Sequence

from fsm_smtp.check.cases.forms.grammar import Form, show
from fsm_smtp.wire.replies import Reply


def _ascii(reply: Reply, raw: Sequence[bytes]) -> str | None:
    for line in raw:
        if not line.isascii():
            return f"{show(line)} has octets above 127"
    return None


FORMS: dict[str, Form] = {"ascii": _ascii}
