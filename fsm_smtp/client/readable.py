"""Whether a read would give something at once: one system call, and nothing is taken."""

import select


def readable(descriptor: int) -> bool:
    """Whether octets, or the end of the stream, are there."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))
