"""What tests of phases share: a provider that keeps what it is given."""

import pytest

from leadflow.esp.memory import MemoryProvider


@pytest.fixture
def memory() -> MemoryProvider:
    return MemoryProvider()
