"""Our client with the face of the standard library's: ``from fsm_smtp.contrib import smtplib``.

`SMTP` and `SMTP_SSL` have the methods of `smtplib`'s, give the same results and raise the same
exceptions, which are the standard library's own. What is different is in docs/smtplib.md; above
all, every octet passes the gate: what the machine does not allow is not sent.

`session` holds the connection and the single commands, `smtp` whole messages.
"""

from smtplib import (
    CRLF,
    SMTP_PORT,
    SMTP_SSL_PORT,
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPDataError,
    SMTPException,
    SMTPHeloError,
    SMTPNotSupportedError,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPSenderRefused,
    SMTPServerDisconnected,
    quoteaddr,
    quotedata,
)

from fsm_smtp.contrib.smtplib.smtp import SMTP, SMTP_SSL

__all__ = [
    "CRLF",
    "SMTP",
    "SMTP_PORT",
    "SMTP_SSL",
    "SMTP_SSL_PORT",
    "SMTPAuthenticationError",
    "SMTPConnectError",
    "SMTPDataError",
    "SMTPException",
    "SMTPHeloError",
    "SMTPNotSupportedError",
    "SMTPRecipientsRefused",
    "SMTPResponseException",
    "SMTPSenderRefused",
    "SMTPServerDisconnected",
    "quoteaddr",
    "quotedata",
]
