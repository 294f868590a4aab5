"""An e-mail backend for Django: ``EMAIL_BACKEND = "fsm_smtp.contrib.django.EmailBackend"``.

Django's own SMTP backend, with our session in the place of smtplib's. Its settings (``EMAIL_HOST``
and the others), ``fail_silently``, and the contract of `open` and `close` are Django's.
"""

from typing import Any, Final

from django.core.mail.backends.smtp import EmailBackend as DjangosOwn

from fsm_smtp.contrib.smtplib import SMTP, SMTP_SSL

#: Seconds to wait for the reply that proves a connection which was kept.
PROOF_SECONDS: Final = 10.0


class EmailBackend(DjangosOwn):
    """Sends by way of the gate; certificates are verified, as by Django's own.

    A connection that was opened by `open` and kept is proven by RSET before it is used again: when
    the server has given it up meanwhile, another takes its place.
    """

    # Django's own gives smtplib's classes here; it needs of them what ours have too.
    @property
    def connection_class(self) -> Any:
        """`SMTP`, or `SMTP_SSL` when EMAIL_USE_SSL is set."""
        return SMTP_SSL if self.use_ssl else SMTP

    def open(self) -> bool | None:
        """Open a connection, unless there is a good one.

        Gives True for a new one, False for one that was kept, or for what replaces it (it stays
        open until `close`), ``None`` when that failed silently.
        """
        kept: Any = self.connection
        if kept is None:
            return super().open()
        if kept.prove(PROOF_SECONDS):
            return False
        self.connection = None
        return False if super().open() else None
