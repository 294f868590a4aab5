"""How a session ends: QUIT (RFC 5321 §4.1.1.10)."""

from fsm_smtp.client.dialogue.exchange import Exchange
from fsm_smtp.client.requests import Flow
from fsm_smtp.errors import ConnectionLost, RemoteProtocolError, ReplyTimeout
from fsm_smtp.wire import Reply, commands


def quit_(on: Exchange) -> Flow[Reply | None]:
    """QUIT; gives its reply, or ``None`` when there is none that counts.

    Does not raise what the server does wrong here: every message already has its fate, and an
    error at this point would make callers send accepted mail again. The observer is told.
    """
    if not on.session.may("send_quit"):
        return None
    try:
        return (yield from on.reply(on.session.send(commands.quit_())))
    except (RemoteProtocolError, ConnectionLost, ReplyTimeout):
        return None
