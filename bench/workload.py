"""What is sent: scenarios and their messages."""

from dataclasses import dataclass

SENDER = "sender@client.example.test"
EHLO_NAME = "client.example.test"
#: The same for every competitor that has timeouts, in seconds.
TIMEOUT = 60.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """One kind of work.

    Attributes:
        name: stable; the worker's argument.
        title: for the report.
        octets: of the message, roughly: whole lines.
        recipients: how many.
        batch: messages sent in one turn.
        base64: whether the body is an attachment, else text in which some lines begin with a dot.
        rounds: turns of each competitor, and in a quick run.
    """

    name: str
    title: str
    octets: int
    recipients: int
    batch: int
    base64: bool
    rounds: tuple[int, int]

    def message(self) -> bytes:
        """The message: CRLF line ends, lines within the RFC's length."""
        header = (
            b"From: <sender@client.example.test>\r\nTo: <rcpt@example.test>\r\n"
            b"Subject: benchmark\r\nDate: Thu, 01 Jan 2026 00:00:00 +0000\r\n"
            b"Message-ID: <1@client.example.test>\r\nMIME-Version: 1.0\r\n"
        )
        if self.base64:
            header += b"Content-Transfer-Encoding: base64\r\n"
            line = b"TG9yZW0gaXBzdW0gZG9sb3Igc2l0IGFtZXQsIGNvbnNlY3RldHVyIGFkaXBpc2NpbmcgZWxp\r\n"
            text = line
        else:
            line = b"Some text of a message, as people write it, in lines of common length.\r\n"
            text = line * 19 + b"." + line
        header += b"\r\n"
        room = self.octets - len(header)
        whole = text * (room // len(text))
        return header + whole + line * ((room - len(whole)) // len(line))

    def addresses(self) -> list[str]:
        """The recipients."""
        return [f"rcpt{number}@example.test" for number in range(self.recipients)]


_MIB = 1024 * 1024

SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario("small", "1 KiB, 1 recipient", 1024, 1, 50, False, (81, 15)),
        Scenario("many", "1 KiB, 50 recipients", 1024, 50, 5, False, (41, 7)),
        Scenario("medium", "1 MiB attachment, 1 recipient", _MIB, 1, 5, True, (11, 3)),
        Scenario("large", "25 MiB attachment, 1 recipient", 25 * _MIB, 1, 1, True, (11, 3)),
        Scenario("text", "25 MiB text with leading dots", 25 * _MIB, 1, 1, False, (5, 0)),
    )
}
