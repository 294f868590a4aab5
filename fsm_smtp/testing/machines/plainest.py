"""The plainest of the scenes in which a client under test goes wrong."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from fsm_smtp.testing.machines.failure import ClientViolation
from fsm_smtp.testing.machines.scene import PLAIN, Scene


def plainest(
    met: Callable[[Scene], ClientViolation | None], found: ClientViolation
) -> ClientViolation:
    """The violation of the same section in the plainest scene that shows it.

    Args:
        met: plays a scene.
        found: a violation, with its scene.
    """
    best = found
    plainer = True
    while plainer and best.scene is not None:
        plainer = False
        for scene in _plainer(best.scene):
            seen = met(scene)
            if seen is not None and seen.rfc == found.rfc:
                seen.scene, best, plainer = scene, seen, True
                break
    return best


def _plainer(scene: Scene) -> Iterator[Scene]:
    """Scenes with less in them, those with much less first."""
    mail, orders = scene.mail, scene.orders
    if orders:
        yield replace(scene, orders=())
    if scene.without:
        yield replace(scene, without=frozenset())
    if scene.more:
        yield replace(scene, more=frozenset())
    if len(mail.recipients) > 1:
        yield replace(scene, mail=replace(mail, recipients=mail.recipients[:1]))
    if mail.content != PLAIN:
        yield replace(scene, mail=replace(mail, content=PLAIN))
    for number, order in enumerate(orders):
        yield replace(scene, orders=(*orders[:number], *orders[number + 1 :]))
        if order.number > 1:
            first = order._replace(number=1)
            yield replace(scene, orders=(*orders[:number], first, *orders[number + 1 :]))
    for one in sorted(scene.without):
        yield replace(scene, without=scene.without - {one})
    for one in sorted(scene.more):
        yield replace(scene, more=scene.more - {one})
    lines = mail.content.removeprefix(PLAIN).split(b"\r\n")
    for number in range(len(lines) - 1):
        rest = b"\r\n".join(lines[:number] + lines[number + 1 :])
        yield replace(scene, mail=replace(mail, content=PLAIN + rest))
