"""Whole messages with the face of smtplib."""

import contextlib
import email.message
import smtplib
import ssl
from collections.abc import Sequence
from smtplib import (
    SMTP_SSL_PORT,
    SMTPConnectError,
    SMTPDataError,
    SMTPNotSupportedError,
    SMTPRecipientsRefused,
    SMTPSenderRefused,
    SMTPServerDisconnected,
)
from typing import cast

from fsm_smtp.contrib.smtplib.session import UNSET, Answer, Session, octets

_Refused = dict[str, Answer]


class SMTP(Session):
    """`smtplib.SMTP`, through the gate; see there for methods, results and exceptions."""

    def sendmail(
        self,
        from_addr: str,
        to_addrs: str | Sequence[str],
        msg: str | bytes,
        mail_options: Sequence[str] = (),
        rcpt_options: Sequence[str] = (),
    ) -> _Refused:
        """Send one message; gives who was refused, with code and text."""
        self.ehlo_or_helo_if_needed()
        content = octets(msg)
        options: list[str] = []
        if self.does_esmtp:
            if self.has_extn("size"):
                options.append(f"size={len(content)}")
            options += mail_options
        if not content.isascii():
            if not self.has_extn("8bitmime"):
                raise SMTPNotSupportedError("8BITMIME not supported by server")
            if not any(option.upper().startswith("BODY=") for option in options):
                options.append("BODY=8BITMIME")
        self._begin()
        code, message = self.mail(from_addr, options)
        if code != 250:
            self._give_up(code)
            raise SMTPSenderRefused(code, message, from_addr)
        recipients = [to_addrs] if isinstance(to_addrs, str) else to_addrs
        refused: _Refused = {}
        for each in recipients:
            code, message = self.rcpt(each, rcpt_options)
            if code not in (250, 251):
                refused[each] = (code, message)
            if code == 421:
                self.close()
                raise SMTPRecipientsRefused(refused)
        if len(refused) == len(recipients):
            self._give_up(code)
            raise SMTPRecipientsRefused(refused)
        code, message = self.data(content)
        if code != 250:
            self._give_up(code)
            raise SMTPDataError(code, message)
        return refused

    def send_message(
        self,
        msg: email.message.Message,
        from_addr: str | None = None,
        to_addrs: str | Sequence[str] | None = None,
        mail_options: Sequence[str] = (),
        rcpt_options: Sequence[str] = (),
    ) -> _Refused:
        """Send an `email` message; what is not given is taken from its headers."""
        # What the headers say is the standard library's to read. It asks us for nothing but
        # `ehlo_or_helo_if_needed`, `has_extn` and `sendmail`.
        us = cast(smtplib.SMTP, self)
        return smtplib.SMTP.send_message(us, msg, from_addr, to_addrs, mail_options, rcpt_options)

    def _begin(self) -> None:
        """A transaction that is still open, after a refused DATA, is in the way."""
        session = self.there.session
        if session.may("send_rset") and not session.may("send_mail"):
            self.rset()

    def _give_up(self, code: int) -> None:
        """The transaction has failed; what RSET says then is nobody's concern."""
        if code == 421:
            self.close()
            return
        with contextlib.suppress(SMTPServerDisconnected):
            self.rset()


class SMTP_SSL(SMTP):  # noqa: N801 - the standard library's name
    """`smtplib.SMTP_SSL`: TLS first; without a context the certificate is verified."""

    default_port = SMTP_SSL_PORT
    _security = "tls"

    def __init__(
        self,
        host: str = "",
        port: int = 0,
        local_hostname: str | None = None,
        *,
        timeout: float | None = UNSET,
        source_address: tuple[str, int] | None = None,
        context: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__("", 0, local_hostname, timeout, source_address)
        self._context = context
        if host:
            code, message = self.connect(host, port)
            if code != 220:
                self.close()
                raise SMTPConnectError(code, message)
