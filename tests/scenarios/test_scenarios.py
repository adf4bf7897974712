"""Each scenario of this folder marches its days on both databases and finds what it expects."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from leadflow.playbook.model import Playbook
from leadflow.testing import play, read_scenario
from tests.scenarios.conftest import WORKSPACE
from tests.soak import SOAK

HERE = Path(__file__).parent
#: Weeks of nights, twenty seconds each; on PostgreSQL the same statements as the short ones: `make soak` has them all.
WEEKS = {"fall_back", "nobody_answers", "reentry_allowed", "there_and_back", "three_stages", "woke_up"}


@pytest.mark.slow
@pytest.mark.soak
@pytest.mark.no_cover  # the same lines night after night: other tests count them, and counting takes a third of a march
@pytest.mark.parametrize("name", sorted(path.stem for path in HERE.glob("*.yaml")))
def test_the_days_go_as_told(name: str, engine: Engine, shipped: Playbook, tmp_path: Path) -> None:
    if name in WEEKS and engine.dialect.name == "postgresql" and not SOAK:
        pytest.skip("weeks of nights on PostgreSQL: make soak")
    faults = play(read_scenario(HERE / f"{name}.yaml"), engine, WORKSPACE, tmp_path / "workspace", shipped)
    assert not faults, "\n" + "\n".join(map(str, faults))
