"""How a session opens: greeting, EHLO, TLS, authentication."""

from fsm_smtp.client.dialogue.ending import quit_
from fsm_smtp.client.dialogue.exchange import Exchange
from fsm_smtp.client.dialogue.login import logged_on
from fsm_smtp.client.requests import HANDSHAKE, Flow
from fsm_smtp.errors import HandshakeFailed, ProtocolError, Rejected
from fsm_smtp.wire import Reply, commands


def opened(on: Exchange) -> Flow[Reply]:
    """From the open connection to a session that is ready for mail; gives EHLO's reply.

    Raises:
        Rejected: the server refuses the connection, EHLO, or the credentials.
        HandshakeFailed: TLS is required and cannot be had (RFC 3207 §6).
    """
    on.lost = on.in_clear = None
    on.session.connect(tls=on.options.security == "tls")
    try:
        return (yield from _opened(on))
    except ProtocolError:
        # A server that refused the session still waits for QUIT (RFC 5321 §3.1).
        yield from quit_(on)
        raise


def _opened(on: Exchange) -> Flow[Reply]:
    options = on.options
    greeting = yield from on.reply()
    if not on.session.may("send_ehlo"):
        raise on.rejected(None, greeting)
    reply = yield from hello(on)
    if options.security in ("starttls", "opportunistic"):
        reply = (yield from _secured(on)) or reply
    if options.authenticates:
        yield from logged_on(on)
    return reply


def hello(on: Exchange) -> Flow[Reply]:
    """EHLO, and HELO where EHLO is not recognised (RFC 5321 §3.2).

    Raises:
        Rejected: the server refuses both.
    """
    command = on.ehlo()
    reply = yield from on.command(command)
    if reply.code in (500, 502) and on.session.may("send_helo"):
        command = commands.helo(on.ehlo_name)
        reply = yield from on.command(command)
    if reply.first_digit != 2:
        raise on.rejected(command, reply)
    return reply


def start_tls(on: Exchange) -> Flow[Reply]:
    """STARTTLS and the handshake, then EHLO anew (RFC 3207 §4.2); gives EHLO's reply.

    Raises:
        Rejected: the server refuses STARTTLS.
        HandshakeFailed: the handshake failed; the session is over.
    """
    reply = yield from secure(on)
    if on.session.configuration["tls"] == "no":
        raise on.rejected(commands.starttls(), reply)
    return (yield from hello(on))


def secure(on: Exchange) -> Flow[Reply]:
    """STARTTLS, and the handshake if it is accepted; gives its reply, a refusal too.

    Raises:
        HandshakeFailed: the handshake failed; the session is over.
    """
    session = on.session
    in_clear = session.offers
    reply = yield from on.command(commands.starttls())
    if not session.may("tls_up"):
        return reply
    state = session.configuration.state
    error = yield HANDSHAKE
    if isinstance(error, bytes):
        session.receive(error)  # raises: nothing may come before the handshake
    if isinstance(error, Exception):
        session.tls_failed()
        what = f"the TLS handshake failed: {error}"
        raise HandshakeFailed(what, state=state, rfc="3207 §4.1") from error
    session.tls_up()
    on.in_clear = in_clear
    return reply


def _secured(on: Exchange) -> Flow[Reply | None]:
    session, required = on.session, on.options.security == "starttls"
    if not session.may("send_starttls"):
        if not required:
            return None
        what = "TLS is required, and the server does not offer STARTTLS"
        raise HandshakeFailed(what, state=session.configuration.state, rfc="3207 §6")
    try:
        return (yield from start_tls(on))
    except Rejected as error:
        if session.configuration["tls"] == "yes":
            raise  # what was refused is EHLO
        if not required:
            return None
        state = session.configuration.state
        raise HandshakeFailed(str(error), state=state, rfc="3207 §6") from error
