"""What one trigger costs: the stock machine, the memo, and a look-up in a dict as the floor."""

import time
from collections.abc import Callable
from functools import partial

from bench.measure import in_turns, median, ratio_noise
from bench.report import Goal, Section
from fsm_smtp.machine import ProtocolMachine, shared_machine, stock_machine
from fsm_smtp.table import load_table

_TARGET = 0.4  # µs

OPENING = ("connect", "reply_220", "send_ehlo", "reply_2yz", "offers_end")
#: One lock-step message to one recipient; it ends where it began.
MESSAGE = (
    *("send_mail", "reply_2yz", "send_rcpt", "reply_2yz", "send_data", "reply_354"),
    *("send_content", "send_dot", "reply_2yz"),
)


def triggers(*, quick: bool) -> Section:
    """Measure the cost of a trigger, over the triggers of whole messages."""
    memo, stock = shared_machine(), stock_machine(load_table())
    times = 200 if quick else 1000
    competitors: dict[str, Callable[[], float]] = {
        "dict look-up": partial(_dictionary, memo, times),
        "memo, events[name].trigger(model)": partial(_events, memo, times),
        "memo, again": partial(_events, memo, times),
        "memo, ProtocolMachine.fire": partial(_fire, memo, times),
        "stock transitions": partial(_events, stock, max(1, times // 40)),
    }
    samples = in_turns(competitors, 9 if quick else 25)
    figures = {name: median(taken) for name, taken in samples.items()}
    floor = figures["dict look-up"]
    memoised = figures["memo, events[name].trigger(model)"]
    section = Section("One trigger", ("through", "µs", "× dict look-up"))
    section.rows += [
        (name, f"{figure:.3f}", f"{figure / floor:.1f}") for name, figure in figures.items()
    ]
    noise = ratio_noise(samples["memo, events[name].trigger(model)"], samples["memo, again"])
    section.notes.append(
        f"noise (the memo against itself): {noise:.1%}; the loop around the trigger is in all rows"
    )
    section.goals.append(
        Goal("memoised trigger", f"≤ {_TARGET} µs", f"{memoised:.3f} µs", memoised <= _TARGET)
    )
    return section


def _events(machine: ProtocolMachine, times: int) -> float:
    events, model = machine.events, machine.new_model()
    for name in OPENING:
        events[name].trigger(model)
    began = time.perf_counter()
    for _ in range(times):
        for name in MESSAGE:
            events[name].trigger(model)
    return _each(began, times)


def _fire(machine: ProtocolMachine, times: int) -> float:
    fire, model = machine.fire, machine.new_model()
    for name in OPENING:
        fire(model, name)
    began = time.perf_counter()
    for _ in range(times):
        for name in MESSAGE:
            fire(model, name)
    return _each(began, times)


def _dictionary(machine: ProtocolMachine, times: int) -> float:
    """Nothing but (configuration, trigger) → configuration, the least that a machine can do."""
    model = machine.new_model()
    for name in OPENING:
        machine.fire(model, name)
    here = model.configuration
    table = {}
    for _ in range(2):  # the first message leaves another configuration behind than it found
        for name in MESSAGE:
            before = model.configuration
            table[before, name] = machine.fire(model, name).target
    began = time.perf_counter()
    for _ in range(times):
        for name in MESSAGE:
            here = table[here, name]
    return _each(began, times)


def _each(began: float, times: int) -> float:
    return (time.perf_counter() - began) / (times * len(MESSAGE)) * 1e6
