"""The errors: families by culprit, exact messages, and all of them survive pickling."""

import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from fsm_smtp import errors
from fsm_smtp.errors import (
    CommandRefused,
    ConnectionLost,
    HandshakeFailed,
    InvalidCommand,
    InvalidContent,
    LimitReached,
    LocalProtocolError,
    MalformedReply,
    NotConnected,
    NotOffered,
    ProtocolError,
    Rejected,
    RemoteProtocolError,
    ReplyTimeout,
    SpecError,
    TargetUnreachable,
    UnexpectedReply,
)

#: Each error, its message, and what an ``except`` clause may call it.
ERRORS: list[tuple[Exception, str, tuple[type[Exception], ...]]] = [
    (
        CommandRefused(
            "SMTP_MAIL", "send_data", legal=("send_rcpt", "close"), why="why", rfc="5321 §3.3"
        ),
        "send_data is not legal in SMTP_MAIL: why (RFC 5321 §3.3). Legal now: send_rcpt, close",
        (LocalProtocolError,),
    ),
    (
        CommandRefused(
            "SMTP_MAIL", "send_data", legal=(), why="why", rfc="5321 §3.3", command="DATA"
        ),
        "'DATA' (send_data) is not legal in SMTP_MAIL: why (RFC 5321 §3.3). Legal now: nothing",
        (LocalProtocolError,),
    ),
    (
        InvalidCommand("an address with a line end", "5321 §4.1.2"),
        "an address with a line end (RFC 5321 §4.1.2)",
        (LocalProtocolError, ValueError),
    ),
    (
        NotOffered("the parameter RET", "DSN", "3461 §4.3"),
        "the parameter RET, as the server does not offer DSN (RFC 3461 §4.3)",
        (LocalProtocolError, InvalidCommand, ValueError),
    ),
    (
        LimitReached("RCPTMAX", 2, state="SMTP_RCPT", command="RCPT TO:<c@d>"),
        "'RCPT TO:<c@d>' in SMTP_RCPT is beyond RCPTMAX=2 (RFC 9422 §4)",
        (LocalProtocolError,),
    ),
    (
        NotConnected(),
        "this client is not connected",
        (LocalProtocolError, RuntimeError),
    ),
    (
        NotConnected("server", "SMTP_MAIL", "MAIL FROM:<a@b>", "closed"),
        "this client is not connected: closed, by the server, in SMTP_MAIL after 'MAIL FROM:<a@b>'",
        (LocalProtocolError, RuntimeError),
    ),
    (
        NotConnected("network", "SMTP_NONE", None, "no connection to localhost:25"),
        "this client is not connected: no connection to localhost:25, by the network, in SMTP_NONE",
        (LocalProtocolError, RuntimeError),
    ),
    (
        InvalidContent("a bare line feed", "5321 §2.3.8"),
        "a bare line feed (RFC 5321 §2.3.8)",
        (LocalProtocolError, ValueError),
    ),
    (
        MalformedReply("no code", "5321 §4.2"),
        "no code (RFC 5321 §4.2)",
        (RemoteProtocolError,),
    ),
    (
        MalformedReply("no code", "5321 §4.2", state="SMTP_MAIL", command="MAIL FROM:<>"),
        "no code in SMTP_MAIL after 'MAIL FROM:<>' (RFC 5321 §4.2)",
        (RemoteProtocolError,),
    ),
    (
        MalformedReply("no code", "5321 §4.2", b"\x00" * 200),
        f"no code (RFC 5321 §4.2); received {bytes(80)!r}",
        (RemoteProtocolError,),
    ),
    (
        UnexpectedReply(
            "SMTP_DATA", "DATA", "250 ok", why="only 354 opens the content", rfc="5321 §3.3"
        ),
        "reply '250 ok' to 'DATA' in SMTP_DATA: only 354 opens the content (RFC 5321 §3.3)",
        (RemoteProtocolError,),
    ),
    (
        UnexpectedReply("SMTP_MAIL", None, "250 ok", why="nobody asked", rfc="5321 §4.2"),
        "reply '250 ok' in SMTP_MAIL: nobody asked (RFC 5321 §4.2)",
        (RemoteProtocolError,),
    ),
    (
        ConnectionLost("connection reset", state="SMTP_DOT", command="DATA", who="server"),
        "connection reset in SMTP_DOT after 'DATA', by the server",
        (ProtocolError, ConnectionError, OSError),
    ),
    (
        ConnectionLost("connection refused", state="SMTP_NONE", command=None, who="network"),
        "connection refused",
        (ProtocolError, ConnectionError, OSError),
    ),
    (
        ReplyTimeout("SMTP_MAIL", "MAIL FROM:<>", 300.0, "5321 §4.5.3.2"),
        "no reply to 'MAIL FROM:<>' within 300 s in SMTP_MAIL (RFC 5321 §4.5.3.2)",
        (ProtocolError, TimeoutError, OSError),
    ),
    (
        ReplyTimeout("SMTP_NONE", None, 0.5, "5321 §4.5.3.2"),
        "no reply within 0.5 s in SMTP_NONE (RFC 5321 §4.5.3.2)",
        (ProtocolError, TimeoutError, OSError),
    ),
    (
        SpecError(Path("table.yaml"), 3, 7, "dest SMTP_RCTP is no state", "SMTP_RCPT"),
        "table.yaml:3:7: dest SMTP_RCTP is no state; did you mean SMTP_RCPT?",
        (ValueError,),
    ),
    (
        SpecError("table.yaml", 1, 1, "the file is empty"),
        "table.yaml:1:1: the file is empty",
        (ValueError,),
    ),
    (
        HandshakeFailed("the handshake failed", state="SMTP_CUSTOM", rfc="3207 §4.1"),
        "the handshake failed in SMTP_CUSTOM (RFC 3207 §4.1)",
        (ConnectionError,),
    ),
    (
        Rejected("EHLO mx", 550, "550 no", state="SMTP_BANNER"),
        "the server refused 'EHLO mx': 550 no; now in SMTP_BANNER",
        (ProtocolError,),
    ),
    (
        Rejected("EHLO mx", 550, "550 no"),
        "the server refused 'EHLO mx': 550 no",
        (),
    ),
    (
        Rejected(None, 554, "554 no"),
        "the server refused the connection: 554 no",
        (),
    ),
    (
        TargetUnreachable("mx:25", "refused"),
        "mx:25: refused",
        (ConnectionError,),
    ),
]
CASES = [pytest.param(*case, id=f"{type(case[0]).__name__}{n}") for n, case in enumerate(ERRORS)]


@pytest.mark.parametrize(("error", "message", "kinds"), CASES)
def test_the_message_and_the_family(
    error: Exception, message: str, kinds: tuple[type[Exception], ...]
) -> None:
    assert str(error) == message
    for kind in kinds:
        assert isinstance(error, kind)
    assert isinstance(error, ProtocolError) == (not isinstance(error, SpecError))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(("error", "message", "kinds"), CASES)
def test_every_error_pickles(
    error: Exception, message: str, kinds: tuple[type[Exception], ...], protocol: int
) -> None:
    again = pickle.loads(pickle.dumps(error, protocol))
    assert type(again) is type(error)
    assert str(again) == message
    assert vars(again) == vars(error)
    assert again.args == error.args


def raise_refusal() -> None:
    """Raise, in a worker."""
    raise CommandRefused("SMTP_MAIL", "send_data", legal=("close",), why="why", rfc="5321 §3.3")


def test_an_error_crosses_from_a_worker_process() -> None:
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        error = pool.submit(raise_refusal).exception()
    assert isinstance(error, CommandRefused)
    assert (error.state, error.legal, error.command) == ("SMTP_MAIL", ("close",), None)


def test_no_error_is_left_out_and_bases_are_never_raised() -> None:
    public = {
        value
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, Exception) and not name.startswith("_")
    }
    bases = {ProtocolError, LocalProtocolError, RemoteProtocolError}
    assert {type(error) for error, _, _ in ERRORS} == public - bases
    for base in bases:
        assert base.__doc__ is not None
        assert "Never raised itself" in base.__doc__
