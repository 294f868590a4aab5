"""The parameters of MAIL and RCPT, each checked by its RFC."""

import re
from collections.abc import Callable

from fsm_smtp.testing.server.conversation import Refused
from fsm_smtp.testing.server.grammar import is_utf8, read_mailbox, read_parameters
from fsm_smtp.testing.server.hello import Hello

Parameters = dict[bytes, bytes | None]
#: Raises `Refused` for a value that is not right.
Check = Callable[[bytes | None], None]

# xtext = *( xchar / hexchar )                                               (RFC 3461 §4)
_XTEXT = re.compile(rb"(?:[\x21-\x2a\x2c-\x3c\x3e-\x7e]|\+[0-9A-F]{2})*\Z")
# addr-type = atom; an address of type utf-8 is not xtext                (RFC 3461 §4.2, RFC 6533)
_ORCPT = re.compile(rb"([A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+);(.+)\Z", re.DOTALL)
_SIZE = re.compile(rb"[0-9]{1,20}\Z")
_NOTIFY = frozenset({b"SUCCESS", b"FAILURE", b"DELAY"})

MAX_ENVID, MAX_ORCPT = 100, 500


class ParametersOf(Hello):
    """What may stand behind a path."""

    def mail_parameters(self, octets: bytes) -> Parameters:
        """Those of MAIL, each known, well formed and given once."""
        return self.parameters(octets, self.mail_checks())

    def rcpt_parameters(self, octets: bytes) -> Parameters:
        """Those of RCPT."""
        return self.parameters(octets, self.rcpt_checks())

    def mail_checks(self) -> dict[bytes, tuple[bool, Check]]:
        """By keyword: whether it is known here, and what its value must be."""
        knows = self.takes_parameters_of
        return {
            b"SIZE": (knows("SIZE"), self.check_size),
            b"BODY": (knows("8BITMIME") or knows("BINARYMIME"), self.check_body),
            b"RET": (knows("DSN"), self.check_ret),
            b"ENVID": (knows("DSN"), self.check_envid),
            b"AUTH": (knows("AUTH"), self.check_auth),
            b"SMTPUTF8": (knows("SMTPUTF8"), self.check_no_value),
            b"REQUIRETLS": (knows("REQUIRETLS"), self.check_no_value),
        }

    def rcpt_checks(self) -> dict[bytes, tuple[bool, Check]]:
        """The same for RCPT."""
        knows = self.takes_parameters_of
        return {
            b"NOTIFY": (knows("DSN"), self.check_notify),
            b"ORCPT": (knows("DSN"), self.check_orcpt),
        }

    def parameters(self, octets: bytes, checks: dict[bytes, tuple[bool, Check]]) -> Parameters:
        """Read and checked (RFC 5321 §4.1.1.11)."""
        listed = read_parameters(octets)
        if listed is None:
            raise Refused(501, "5.5.4", "this is no parameter")
        found: Parameters = {}
        for keyword, value in listed:
            known, check = checks.get(keyword, (False, self.check_no_value))
            if not known:
                self.unknown_parameter()
                continue
            if keyword in found:
                self.repeated_parameter()
            check(value)
            found[keyword] = value
        return found

    def unknown_parameter(self) -> None:
        """RFC 5321 §4.1.1.11."""
        raise Refused(555, "5.5.4", "a parameter that is not known here")

    def repeated_parameter(self) -> None:
        """RFC 3461 §4, RFC 1870 §6, RFC 6152 §3: once each."""
        raise Refused(501, "5.5.4", "a parameter stands twice")

    def check_no_value(self, value: bytes | None) -> None:
        """RFC 6531 §3.4, RFC 8689 §2."""
        if value is not None:
            raise Refused(501, "5.5.4", "this parameter takes no value")

    def check_size(self, value: bytes | None) -> None:
        """RFC 1870 §6.1."""
        if value is None or not _SIZE.match(value):
            raise Refused(501, "5.5.4", "SIZE is a number of at most 20 digits")
        if self.too_big(int(value)):
            raise Refused(552, "5.3.4", "a message of this size is not taken")

    def too_big(self, octets: int) -> bool:
        """Whether a message of so many octets is above the limit."""
        return bool(self.options.size) and octets > self.options.size

    def check_body(self, value: bytes | None) -> None:
        """RFC 6152 §2, RFC 3030 §3."""
        known = {b"7BIT": "8BITMIME", b"8BITMIME": "8BITMIME", b"BINARYMIME": "BINARYMIME"}
        keyword = known.get((value or b"").upper())
        if keyword is None or not self.takes_parameters_of(keyword):
            raise Refused(501, "5.5.4", "a BODY that is not known here")

    def check_ret(self, value: bytes | None) -> None:
        """RFC 3461 §4.3."""
        if (value or b"").upper() not in (b"FULL", b"HDRS"):
            raise Refused(501, "5.5.4", "RET is FULL or HDRS")

    def check_envid(self, value: bytes | None) -> None:
        """RFC 3461 §4.4."""
        if value is None or not _XTEXT.match(value) or len(value) > MAX_ENVID:
            raise Refused(501, "5.5.4", "ENVID is xtext of at most 100 characters")

    def check_notify(self, value: bytes | None) -> None:
        """RFC 3461 §4.1."""
        words = (value or b"").upper().split(b",")
        if words != [b"NEVER"] and not _NOTIFY.issuperset(words):
            raise Refused(501, "5.5.4", "NOTIFY is NEVER, or a list of SUCCESS, FAILURE, DELAY")

    def check_orcpt(self, value: bytes | None) -> None:
        """RFC 3461 §4.2."""
        found = _ORCPT.match(value or b"")
        if found is None or len(found[0]) > MAX_ORCPT:
            raise Refused(501, "5.5.4", "ORCPT is a type and an address")
        if found[1].lower() != b"utf-8" and not _XTEXT.match(found[2]):
            raise Refused(501, "5.5.4", "the address of ORCPT is xtext")

    def check_auth(self, value: bytes | None) -> None:
        """RFC 4954 §5: an address as xtext, or ``<>``."""
        if value == b"<>":
            return
        if value is None or not _XTEXT.match(value):
            raise Refused(501, "5.5.4", "AUTH is an address as xtext, or <>")
        decoded = re.sub(rb"\+([0-9A-F]{2})", lambda hexchar: bytes([int(hexchar[1], 16)]), value)
        if not is_utf8(decoded) or read_mailbox(decoded) is None:
            raise Refused(501, "5.5.4", "AUTH is an address as xtext, or <>")
