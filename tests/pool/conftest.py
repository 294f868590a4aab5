"""Both pools."""

import pytest

from tests.client.driver import ADAPTERS


@pytest.fixture(params=ADAPTERS)
def adapter(request: pytest.FixtureRequest) -> str:
    """Each test is one of both pools."""
    return str(request.param)
