"""A client process: one competitor, one scenario, one connection, on a core of its own.

Started by `sending`. It reads a count from each line of standard input, sends that many messages
and answers with a line of JSON; it ends with its input.
"""

import argparse
import gc
import json
import sys
import time
import tracemalloc
from pathlib import Path

from bench.cores import pin
from bench.guarded import EVERY
from bench.peers import Peer
from bench.workload import SCENARIOS


def main() -> None:
    """Serve the requests on standard input."""
    parser = argparse.ArgumentParser(prog="bench.worker")
    parser.add_argument("peer", choices=EVERY)
    parser.add_argument("scenario", choices=SCENARIOS)
    parser.add_argument("port", type=int)
    parser.add_argument("--core", type=int)
    parser.add_argument("--memory", action="store_true", help="measure memory once, then end")
    arguments = parser.parse_args()
    pin(arguments.core)
    peer = EVERY[arguments.peer](SCENARIOS[arguments.scenario])
    peer.open(arguments.port)
    if arguments.memory:
        _answer(_memory(peer))
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
