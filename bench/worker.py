"""A client process: one competitor, one scenario, one connection, on a core of its own.

Started by `sending`. It reads a count from each line of standard input, sends that many messages
and answers with a line of JSON; it ends with its input.
"""

import argparse
import cProfile
import gc
import json
import sys
import time
import tracemalloc
from pathlib import Path

from bench.ahead_peers import AHEAD_PEERS
from bench.cores import pin
from bench.guarded import EVERY
from bench.peers import Peer
from bench.workload import SCENARIOS

_ALL = {**EVERY, **AHEAD_PEERS}

#: Messages that are profiled.
_PROFILED = 400

#: Parts of the client by what their files' paths have in them; what is not here is the rest.
_PARTS = {
    "machine": ("fsm_smtp/machine.py", "fsm_smtp/configuration.py"),
    "gate and running ahead": ("fsm_smtp/session.py", "fsm_smtp/vocabulary.py", "fsm_smtp/ahead/"),
    "octets: commands, replies, content": ("fsm_smtp/wire/",),
    "client": ("fsm_smtp/client/",),
    "sockets": ("socket", "select", "poll"),
}


def main() -> None:
    """Serve the requests on standard input."""
    parser = argparse.ArgumentParser(prog="bench.worker")
    parser.add_argument("peer", choices=_ALL)
    parser.add_argument("scenario", choices=SCENARIOS)
    parser.add_argument("port", type=int)
    parser.add_argument("--core", type=int)
    parser.add_argument("--profile", action="store_true", help="profile once, then end")
    parser.add_argument("--memory", action="store_true", help="measure memory once, then end")
    arguments = parser.parse_args()
    pin(arguments.core)
    peer = _ALL[arguments.peer](SCENARIOS[arguments.scenario])
    peer.open(arguments.port)
    if arguments.memory:
        _answer(_memory(peer))
    elif arguments.profile:
        _answer(_profile(peer))
    else:
        _answer({})
        for line in sys.stdin:
            _answer(_speed(peer, int(line)))
    peer.close()


def _answer(values: dict[str, float]) -> None:
    print(json.dumps(values), flush=True)


def _speed(peer: Peer, times: int) -> dict[str, float]:
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    peer.send(times)
    return {
        "seconds": (time.perf_counter() - wall) / times,
        "cpu": (time.process_time() - cpu) / times,
    }


def _profile(peer: Peer) -> dict[str, float]:
    """The seconds of CPU in each part, without what it calls; waiting is none."""
    peer.send(_PROFILED)
    profiler = cProfile.Profile(time.process_time)
    profiler.enable()
    peer.send(_PROFILED)
    profiler.disable()
    profiler.create_stats()
    parts: dict[str, float] = {}
    for (file, _, function), (_, _, own, _, _) in profiler.stats.items():
        # A method of a C class has no file, but a name that says whose it is.
        where = file if file != "~" else function
        part = next(
            (part for part, ends in _PARTS.items() if any(map(where.__contains__, ends))), "rest"
        )
        parts[part] = parts.get(part, 0.0) + own
    return parts


def _memory(peer: Peer) -> dict[str, float]:
    """The peak of one message beyond what was there before it, in octets.

    First as the kernel sees it (resident memory; Linux only), then as Python's allocator does.
    """
    gc.collect()
    found: dict[str, float] = {}
    if sys.platform == "linux":
        Path("/proc/self/clear_refs").write_text("5", "ascii")  # the peak starts anew
        before = _status("VmRSS")
        peer.send(1)
        found["resident"] = max(0, _status("VmHWM") - before)
    tracemalloc.start()
    peer.send(1)
    _, found["traced"] = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return found


def _status(name: str) -> int:
    for line in Path("/proc/self/status").read_text("utf-8").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"no {name} in the process status")


if __name__ == "__main__":
    main()
