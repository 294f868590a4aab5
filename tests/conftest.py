"""What all tests share: real servers on demand, and hypothesis that is the same everywhere."""

import gc
import os
from functools import lru_cache

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.servers.fixtures"]

# One machine is slower than another, and nothing here is a test of speed.
settings.register_profile(
    "default", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
# The same examples in every run: a red run says something about the change that made it red.
settings.register_profile("ci", settings.get_profile("default"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")

# Tables by the thousand live as long as a worker: looking through them again and again for cycles
# costs a sixth of the time.
gc.set_threshold(50_000, 20, 100)


@pytest.fixture(scope="session", autouse=True)
def _parsed_once() -> None:
    """Hundreds of tests load a table with one edit: what is the same in it is parsed once."""
    from fsm_smtp import yaml_source  # not earlier: coverage has not begun when this file is read

    yaml_source.compose = lru_cache(maxsize=256)(yaml_source.compose)
