"""How many connections were guarded here: a suite that never met the guard says nothing."""

from fsm_smtp.guard import core

guarded = 0
_connected = core.Guard.connected


def _counted(self: core.Guard, *, tls: bool = False, verified: bool = True) -> None:
    global guarded  # noqa: PLW0603 - a count of the process
    guarded += 1
    _connected(self, tls=tls, verified=verified)


core.Guard.connected = _counted  # type: ignore[method-assign]
