"""The test kit's sink as a process of its own: it prints its port, and ends with its input."""

import argparse
import sys
import threading

from bench.cores import pin
from fsm_smtp.testing.sink import Sink


def main() -> None:
    """Listen on loopback, print the port, and end with the standard input."""
    parser = argparse.ArgumentParser(prog="bench.sink")
    parser.add_argument("--core", type=int)
    pin(parser.parse_args().core)
    sink = Sink()
    print(sink.port, flush=True)
    serving = threading.Thread(target=sink.run, daemon=True)
    serving.start()
    sys.stdin.read()
    sink.stop()
    serving.join(5)


if __name__ == "__main__":
    main()
