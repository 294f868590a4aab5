"""The client's state beside each line, worked out by the project's own machine."""

from hypothesis import given
from hypothesis import strategies as st

from fsm_smtp.check.cases.case import Action
from fsm_smtp.check.cases.suite import Suite
from fsm_smtp.check.engine.transcript import Transcript
from fsm_smtp.check.reports.trace import Trace, trace
from fsm_smtp.session import Event as GateEvent
from fsm_smtp.session import Session
from fsm_smtp.table import load_table
from fsm_smtp.wire import commands
from tests.check.playing import SUITE, play_strict

OPENING = "S: 220 mx ready\nC: EHLO me\nS: 250-mx\nS: 250 PIPELINING"


def traced(text: str) -> Trace:
    """The trace of lines without their times."""
    return trace(f"   0.001 {line}" for line in text.splitlines())


def states(found: Trace) -> list[str]:
    return [line.state.removeprefix("SMTP_") for line in found.lines]


def test_a_message() -> None:
    found = traced(
        f"{OPENING}\nC: MAIL FROM:<a@b.example>\nS: 250 ok\nC: RCPT TO:<c@d.example>\nS: 250 ok\n"
        "C: DATA\nS: 354 go\nC: Subject: x\nC: \nC: QUIT\nC: .\nS: 250 taken\nC: QUIT\nS: 221 bye"
    )
    assert states(found) == [
        "BANNER", "EHLO", "EHLO", "CONNECTED", "MAIL", "MAIL", "RCPT", "RCPT", "DATA", "DATA",
        "SEND_STREAM", "SEND_STREAM", "SEND_STREAM", "DOT", "SEND_MESSAGE", "QUIT", "QUIT",
    ]  # fmt: skip
    assert found.end == "SMTP_QUIT"
    assert ("SMTP_DOT", "SMTP_SEND_MESSAGE") in found.steps
    assert not any(line.refused or line.blame or line.ahead for line in found.lines)


def test_it_is_what_the_gate_says() -> None:
    """The same session through the gate that a client uses: the same states."""
    seen: list[GateEvent] = []
    session = Session(observer=seen.append)
    session.connect()
    lines: list[str] = []
    for command, reply in (
        (None, b"220 mx\r\n"),
        (commands.ehlo("me.example"), b"250-mx\r\n250 AUTH PLAIN\r\n"),
        (commands.auth("PLAIN"), b"334 \r\n"),
        (commands.sasl_cancel(), b"501 cancelled\r\n"),
        (commands.mail("a@b.example"), b"451 later\r\n"),
        (commands.rset(), b"250 ok\r\n"),
        (commands.quit_(), b"221 bye\r\n"),
    ):
        if command is not None:
            session.send(command)
            lines.append(f"C: {command.redacted}")
        session.receive(reply)
        session.next_reply()
        lines += [f"S: {line.decode()}" for line in reply.splitlines()]
    found = traced("\n".join(lines))
    # A reply of several lines is one event of the gate: the state after its last line.
    mine = [line.state for line in found.lines if not line.text.startswith("250-")]
    assert mine == [event.after for event in seen if event.who in "CS"]


def test_what_the_table_refuses_is_marked_and_changes_nothing() -> None:
    found = traced(f"{OPENING}\nC: DATA\nS: 503 no\nC: NOOP\nS: 250 ok")
    refused = found.lines[4]
    assert refused.refused == "no mail transaction is open (RFC 5321 §3.3)"
    assert states(found)[4:] == ["CONNECTED", "CONNECTED", "CUSTOM", "CONNECTED"]
    assert found.refused == {"SMTP_CONNECTED"}
    assert [line.refused for line in found.lines if line is not refused] == [""] * 7


def test_a_server_that_accepts_what_is_refused_moves_nothing() -> None:
    found = traced(f"{OPENING}\nC: RCPT TO:<c@d.example>\nS: 250 fine")
    assert found.end == "SMTP_CONNECTED"
    assert not found.lines[-1].blame


def test_octets_that_are_no_command() -> None:
    found = traced(f"{OPENING}\nC: MAIL FROM:<a\\x07@b.example>\nS: 501 no")
    assert "control octet 07" in found.lines[4].refused


def test_an_unfinished_line_is_no_command() -> None:
    """What a server answers it is a reply that nobody asked for."""
    found = traced(f"{OPENING}\nC: NOOP\\n (no CRLF)\nS: 250 ok")
    assert "every command is answered once" in found.lines[-1].blame


def test_a_command_in_pieces_is_one() -> None:
    found = traced(f"{OPENING}\nC: NO (no CRLF)\nC: OP\\r (no CRLF)\nC: \\n (no CRLF)\nS: 250 ok")
    assert states(found)[4:] == ["CUSTOM", "CUSTOM", "CUSTOM", "CONNECTED"]
    assert not any(line.blame or line.refused for line in found.lines)


def test_commands_in_one_write_take_their_turns() -> None:
    found = traced(
        f"{OPENING}\nC: MAIL FROM:<a@b.example>\nC: RCPT TO:<c@d.example>\nC: DATA\n"
        "S: 250 ok\nS: 250 ok\nS: 354 go"
    )
    assert states(found)[4:] == ["MAIL", "RCPT", "DATA", "MAIL", "RCPT", "DATA"]
    assert [line.ahead for line in found.lines[4:7]] == [False, True, True]
    assert found.end == "SMTP_DATA"


def test_the_end_of_the_connection() -> None:
    found = traced(f"{OPENING}\n-- the server closed the connection\nC: NOOP")
    assert "without 421" in found.lines[4].blame
    assert found.lines[5].refused == "there is no connection (RFC 5321 §4.1.1.9)"
    assert found.end == "SMTP_NONE"


def test_two_sessions_do_not_mix() -> None:
    found = traced("a S: 220 mx\nb S: 220 mx\na C: EHLO me\nb C: HELO me\na S: 250 mx\nb S: 250 mx")
    assert states(found) == ["BANNER", "BANNER", "EHLO", "HELO", "CONNECTED", "CONNECTED"]
    assert [line.session for line in found.lines] == ["a", "b"] * 3


def test_a_session_that_we_close_begins_anew() -> None:
    found = traced("S: 220 mx\n-- we close the connection\nS: 220 mx\nC: EHLO me\nS: 250 mx")
    assert states(found) == ["BANNER", "NONE", "BANNER", "EHLO", "CONNECTED"]


def test_a_chunk_is_no_command() -> None:
    found = traced(
        "S: 220 mx\nC: EHLO me\nS: 250-mx\nS: 250 CHUNKING\nC: MAIL FROM:<>\nS: 250 ok\n"
        "C: RCPT TO:<a@b.example>\nS: 250 ok\nC: BDAT 12 LAST\nC: DATA\nC: QUIT (no CRLF)\n"
        "C: NO (no CRLF)\n"
        "S: 250 ok\nC: QUIT\nS: 221 bye"
    )
    assert states(found)[8:] == ["CUSTOM"] * 4 + ["SEND_MESSAGE", "QUIT", "QUIT"]
    assert not any(line.refused or line.blame for line in found.lines)


def test_lines_that_were_dropped_end_what_is_known() -> None:
    found = trace(["   0.001 S: 220 mx", "… 700 more lines", "   0.002 S: 250 ok"])
    assert [line.state for line in found.lines] == ["SMTP_BANNER", "", ""]
    assert found.end == ""
    assert found.timed


def test_a_traceback_is_no_session() -> None:
    lines = ["Traceback (most recent call last):", "ValueError: x"]
    found = trace(lines)
    assert not found.timed
    assert [line.text for line in found.lines] == [
        "Traceback (most recent call last):",
        "ValueError: x",
    ]


def test_a_server_that_keeps_the_rules_is_blamed_for_nothing() -> None:
    """Every case of the suite against the strict server: the machine agrees with each reply."""
    # Where we drop the connection ourselves, the blame is ours.
    polite = Suite(
        tuple(
            case
            for case in SUITE.cases
            if not any(step.action is Action.DROP for step in case.steps)
        )
    )
    results = play_strict(polite)
    known = set(load_table().states)
    for result in results.values():
        found = trace(result.transcript)
        assert not [line for line in found.lines if line.blame], result.case.id
        assert {line.state for line in found.lines} <= {*known, ""}
        if result.transcript and "more lines" not in "".join(result.transcript):
            assert found.end, result.case.id


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["C", "S", "-", "T"]),
            st.one_of(
                st.binary(max_size=20),
                st.sampled_from([
                    b"220 x", b"250 x", b"354 x", b"250-x", b"250 STARTTLS", b"250 AUTH PLAIN",
                    b"334 ", b"421 x", b"EHLO x", b"MAIL FROM:<>", b"RCPT TO:<a@b>", b"DATA", b".",
                    b"BDAT 9", b"BDAT x", b"AUTH PLAIN", b"*", b"STARTTLS", b"QUIT", b"x" * 400,
                ]),
            ),
        ),
        max_size=30,
    )
)  # fmt: skip
def test_any_transcript_has_a_trace(said: list[tuple[str, bytes]]) -> None:
    """Whatever a server says, and whatever is sent: no error, a line for each, known states."""
    transcript = Transcript(lambda: 0.0)
    for who, octets in said:
        if who == "C":
            transcript.client(octets + b"\r\n" if octets[:1] != b"\x00" else octets)
        elif who == "S":
            transcript.server(octets + b"\r\n")
        else:
            transcript.note("the server closed the connection" if who == "-" else "TLS is up")
    found = trace(transcript.lines)
    assert [line.text for line in found.lines] == [
        line[10:].split(":", 1)[-1].removeprefix(" ").removeprefix("- ") if ":" in line[9:13]
        else line.split("-- ", 1)[-1]
        for line in transcript.lines
    ]  # fmt: skip
    assert {line.state for line in found.lines} <= set(load_table().states)
