"""How a session ends: QUIT (RFC 5321 §4.1.1.10)."""

from fsm_smtp.client.dialogue.exchange import Exchange
from fsm_smtp.client.requests import Flow
from fsm_smtp.errors import ConnectionLost, RemoteProtocolError, ReplyTimeout
from fsm_smtp.wire import Reply, commands


def quit_(on: Exchange, seconds: float | None = None) -> Flow[Reply | None]:
    """QUIT; gives its reply, or ``None`` when there is none that counts.

    Args:
        on: the session.
        seconds: to wait for the reply; as long as for any other when ``None``.

    Does not raise what the server does wrong here: every message already has its fate, and an
    error at this point would make callers send accepted mail again. The observer is told.
    """
    if not on.session.may("send_quit"):
        return None
    try:
        wait = on.wait(on.session.send(commands.quit_()))
        if seconds is not None:
            wait.seconds = seconds
        data = yield wait
        return on.answer(data) or (yield from on.rest(wait, data))
    except (RemoteProtocolError, ConnectionLost, ReplyTimeout):
        return None
