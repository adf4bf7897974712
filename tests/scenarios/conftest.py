"""The shipped playbook, read once for all scenarios."""

from pathlib import Path

import pytest

from leadflow.playbook.load import load_playbook
from leadflow.playbook.model import Playbook

WORKSPACE = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def shipped() -> Playbook:
    """The playbook at the repository's root."""
    return load_playbook(WORKSPACE)
