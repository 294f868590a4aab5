"""A session of its own for each sequence, opened up to where the model begins."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fsm_smtp.check.cases.case import Start
from fsm_smtp.check.engine.connection import Connection, Target
from fsm_smtp.check.engine.session import OpeningError, Settings, open_session
from fsm_smtp.check.engine.transcript import Transcript
from fsm_smtp.errors import TargetUnreachable

#: Attempts for one session, and seconds between them: a server that is short of processes, or
#: that has enough of our connections, turns us away for a moment.
ATTEMPTS = 4
RETRY_AFTER = 0.3


@asynccontextmanager
async def opened(target: Target, settings: Settings) -> AsyncGenerator[Connection]:
    """A connection behind the greeting, and behind STARTTLS if the run asks for that.

    Raises:
        TargetUnreachable: the server turns us away every time.
    """
    connection = _new(target, settings)
    try:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                await connection.open()
                await open_session(connection, Start.GREETING, settings)
                break
            except (TargetUnreachable, OpeningError) as error:
                if attempt == ATTEMPTS or not connection.turned_away:
                    why = error.why if isinstance(error, TargetUnreachable) else str(error)
                    raise TargetUnreachable(str(target), why) from error
            await connection.close()
            await asyncio.sleep(RETRY_AFTER * attempt)
            connection = _new(target, settings)
        yield connection
    finally:
        await connection.close()


def _new(target: Target, settings: Settings) -> Connection:
    transcript = Transcript(time.monotonic, redaction=settings.redaction())
    return Connection(target, settings.timeout, transcript)
