"""Why a pool gives no connection."""


class PoolError(Exception):
    """A pool gives no connection. Never raised itself."""


class PoolTimeout(PoolError, TimeoutError):
    """No connection became free in time.

    Attributes:
        server: whom it was to lead to, as ``host:port``.
        seconds: how long was waited.
        state: how the connections of the pool were used at the end, in words.
    """

    def __init__(self, server: str, seconds: float, state: str) -> None:
        self.server = server
        self.seconds = seconds
        self.state = state
        super().__init__(f"no connection to {server} became free within {seconds:g} s: {state}")

    def __reduce__(self) -> tuple[type["PoolTimeout"], tuple[str, float, str]]:
        return type(self), (self.server, self.seconds, self.state)


class PoolClosed(PoolError, RuntimeError):
    """The pool was closed.

    Attributes:
        by: who closed it, in words.
    """

    def __init__(self, by: str) -> None:
        self.by = by
        super().__init__(f"this pool was closed, {by}; make another")

    def __reduce__(self) -> tuple[type["PoolClosed"], tuple[str]]:
        return type(self), (self.by,)
