"""One observer of the session for all that want to be told."""

from collections.abc import Callable

from fsm_smtp.client.callbacks import Response, Status
from fsm_smtp.client.options import Options
from fsm_smtp.command import SMTPCommand
from fsm_smtp.configuration import Configuration
from fsm_smtp.event import Event, Observer

#: The states that say more than that there is a session.
_BY_STATE = {SMTPCommand.NONE: Status.CONNECTING, SMTPCommand.AUTH: Status.AUTHORIZING}


def status_of(configuration: Configuration) -> Status:
    """Where the connection stands in this configuration."""
    link = configuration["link"]
    if link == "down":
        return Status.DISCONNECTED
    if link != "up":
        return Status.DISCONNECTING
    if configuration["awaiting"] == "handshake":
        return Status.SECURING
    in_session = Status.AUTHORIZED if configuration["authenticated"] == "yes" else Status.CONNECTED
    return _BY_STATE.get(configuration.command, in_session)


def observing(options: Options, now: Callable[[], Configuration]) -> Observer | None:
    """The observer that *options* ask for; ``None`` if nobody wants to be told.

    Args:
        options: the client's.
        now: gives the session's configuration.
    """
    wanted = [options.observer, *_callbacks(options, now)]
    observers = [observer for observer in wanted if observer is not None]
    if len(observers) < 2:
        return observers[0] if observers else None

    def told(event: Event) -> None:
        for observer in observers:
            observer(event)

    return told


def _callbacks(options: Options, now: Callable[[], Configuration]) -> list[Observer | None]:
    on_command, on_response = options.on_command, options.on_response
    on_state, on_status = options.on_state, options.on_status
    command: list[str | None] = [None]
    status = [Status.DISCONNECTED]

    def commands(event: Event) -> None:
        if event.who == "C" and on_command is not None:
            on_command(event.text)

    def responses(event: Event) -> None:
        if event.reply is None:
            command[0] = event.text if event.who == "C" else None
        elif on_response is not None:
            state = SMTPCommand.from_spec_name(event.after)
            on_response(Response(event.reply, state, command[0]))

    def states(event: Event) -> None:
        if event.before != event.after and on_state is not None:
            before, after = map(SMTPCommand.from_spec_name, (event.before, event.after))
            on_state(before, after)

    def statuses(_: Event) -> None:
        is_now = status_of(now())
        if is_now is not status[0] and on_status is not None:
            status[0] = is_now
            on_status(is_now)

    return [
        commands if on_command is not None else None,
        responses if on_response is not None else None,
        states if on_state is not None else None,
        statuses if on_status is not None else None,
    ]
