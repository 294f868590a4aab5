"""Orders to the model server: by command and recipient, refuse, lie, drop, delay, split."""

import smtplib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fsm_smtp.errors import SpecError
from fsm_smtp.testing.server.deviations import Deviation, Deviations, load_deviations, ordered
from fsm_smtp.testing.server.listening import ModelServer, model_server_in_thread
from fsm_smtp.testing.server.options import HOST, Options
from fsm_smtp.testing.server.session import Session
from tests.testing.dialogue import Dialogue

CONTENT = b"Subject: x\r\n\r\nhello\r\n"


@contextmanager
def serving(*orders: Deviation) -> Iterator[ModelServer]:
    session = ordered(Session, Deviations(orders))
    options = Options(takes_all=True, auth_in_clear=True)
    with model_server_in_thread(options, session) as server:
        yield server


def sent(server: ModelServer, *recipients: str) -> dict[str, tuple[int, bytes]]:
    with smtplib.SMTP(HOST, server.port, timeout=5) as client:
        return client.sendmail("a@b.test", recipients, CONTENT)


def test_one_recipient_is_refused_once() -> None:
    order = Deviation("RCPT", recipient="later@d.test", reply="450 4.2.1 later", times=1)
    with serving(order) as server:
        assert sent(server, "c@d.test", "later@d.test") == {"later@d.test": (450, b"4.2.1 later")}
        assert sent(server, "later@d.test") == {}
    assert [len(one.recipients) for one in server.messages] == [1, 1]


def test_a_lie_is_told_behind_a_deed() -> None:
    with serving(Deviation(".", reply="451 4.3.0 perhaps", lie=True)) as server:
        with pytest.raises(smtplib.SMTPDataError, match="451"):
            sent(server, "c@d.test")
        assert len(server.messages) == 1


def test_without_a_lie_nothing_is_done() -> None:
    with serving(Deviation(".", reply="451 4.3.0 later")) as server:
        with pytest.raises(smtplib.SMTPDataError, match="451"):
            sent(server, "c@d.test")
        assert server.messages == []


@pytest.mark.parametrize(("lie", "delivered"), [(False, 0), (True, 1)])
def test_the_connection_is_dropped_before_or_behind_the_deed(lie: bool, delivered: int) -> None:
    with serving(Deviation(".", drop=True, lie=lie)) as server:
        with pytest.raises(smtplib.SMTPServerDisconnected):
            sent(server, "c@d.test")
        assert len(server.messages) == delivered


def test_a_drop_at_the_second_mail() -> None:
    with serving(Deviation("MAIL", drop=True, skip=1)) as server:
        assert sent(server, "c@d.test") == {}
        with pytest.raises(smtplib.SMTPException):
            sent(server, "c@d.test")


def test_a_reply_is_late_and_in_pieces_and_nothing_overtakes_it() -> None:
    with serving(Deviation("NOOP", delay=0.05, split=4)) as server, Dialogue(server.port) as client:
        began = time.monotonic()
        client.write(b"NOOP\r\nRSET\r\nQUIT\r\n")
        replies = [client.reply() for _ in range(3)]
        assert time.monotonic() - began >= 0.05
        assert client.reply() == ""
    assert replies[0] == "250 2.0.0 fine"
    assert replies[1] == "250 2.0.0 reset"
    assert replies[2].startswith("221")


def test_the_greeting_and_a_reply_of_several_lines() -> None:
    with (
        serving(Deviation("greeting", reply="554-no\n554 service")) as server,
        Dialogue(server.port) as client,
    ):
        assert client.greeting == "554-no\n554 service"
        assert client.say("QUIT").startswith("221")


@pytest.mark.parametrize("lie", [False, True])
def test_a_response_is_refused(lie: bool) -> None:
    with (
        serving(Deviation("RESPONSE", reply="454 4.7.0 later", lie=lie)) as server,
        Dialogue(server.port) as client,
    ):
        client.say("EHLO a.test")
        assert client.say("AUTH PLAIN").startswith("334")
        assert client.say("AHVzZXIAb3BlbiBzZXNhbWU=").startswith("454")
        client.say("QUIT")
    assert server.sessions[0].user == ("user" if lie else None)


def test_a_script_is_read(tmp_path: Path) -> None:
    file = tmp_path / "script.yaml"
    file.write_text(
        '- {on: RCPT, recipient: a@b, reply: "450 x", times: 2}\n- {on: ".", delay: 1}\n'
    )
    assert load_deviations(file) == [
        Deviation("RCPT", recipient="a@b", reply="450 x", times=2),
        Deviation(".", delay=1.0),
    ]


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        ("- {on: RCPT, replay: x}", "1:14", "did you mean reply"),
        ("- {on: RCPT}", "1:3", "orders nothing"),
        ("- {on: RCPT, reply: later}", "1:3", "no code"),
        ("- {on: RCPT, delay: long}", "1:21", "number"),
        ("- {on: RCPT, drop: maybe}", "1:20", "true or false"),
    ],
)
def test_a_script_with_a_mistake_is_refused(
    tmp_path: Path, text: str, place: str, what: str
) -> None:
    file = tmp_path / "script.yaml"
    file.write_text(text)
    with pytest.raises(SpecError, match=what) as caught:
        load_deviations(file)
    assert f"{file}:{place}" in str(caught.value)
