"""SMTPCommand: the fifteen documented client states, under their documented values."""

from enum import IntEnum


class SMTPCommand(IntEnum):
    """The states of an SMTP client, as Microsoft's Imnxport.h numbers them (SMTPCOMMAND).

    The documentation closes the typedef with the name ACCESSTYPE, a slip of that page. Members
    carry no prefix here and the prefix ``SMTP_`` in the table. What each state means exactly,
    and which moves between them are legal, is said in ``specs/transitions.yaml`` alone.
    """

    #: No command yet, the greeting refused, or no connection.
    NONE = 0
    #: The greeting is here, or TLS has just come up.
    BANNER = 1
    #: Ready for a mail transaction.
    CONNECTED = 2
    #: The message was accepted.
    SEND_MESSAGE = 3
    #: AUTH is in flight, or a challenge waits for its response.
    AUTH = 4
    #: EHLO is in flight.
    EHLO = 5
    #: HELO is in flight.
    HELO = 6
    #: MAIL is in flight, or was accepted.
    MAIL = 7
    #: RCPT is in flight, or was answered.
    RCPT = 8
    #: RSET is in flight, or was answered.
    RSET = 9
    #: QUIT was sent.
    QUIT = 10
    #: DATA is in flight, or 354 has opened the content.
    DATA = 11
    #: The end of data is in flight.
    DOT = 12
    #: The content is being sent, or has been sent.
    SEND_STREAM = 13
    #: Any other command is in flight: NOOP, VRFY, STARTTLS, BDAT, …
    CUSTOM = 14

    @property
    def spec_name(self) -> str:
        """The name in the table and in Microsoft's documentation: ``SMTP_`` + the member's name."""
        return f"SMTP_{self.name}"

    @classmethod
    def from_spec_name(cls, name: str) -> "SMTPCommand":
        """The member called *name* in the table, with or without ``SMTP_``.

        Raises:
            KeyError: no state has that name.
        """
        return cls[name.removeprefix("SMTP_")]
