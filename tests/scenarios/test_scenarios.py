"""Each scenario of this folder marches its days and finds what it expects: on one database here, on both in a soak."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from leadflow.playbook.model import Playbook
from leadflow.testing import play, read_scenario
from tests.scenarios.conftest import WORKSPACE
from tests.soak import SOAK

HERE = Path(__file__).parent
NAMES = sorted(path.stem for path in HERE.glob("*.yaml"))
#: Weeks of nights, twenty seconds each on PostgreSQL, where they live on the same statements as the short ones.
WEEKS = {"fall_back", "nobody_answers", "reentry_allowed", "there_and_back", "three_stages", "woke_up"}
#: Months that tell what shorter ones tell too, in other words.
MONTHS = {"nobody_answers", "there_and_back", "woke_up"}


def here(name: str) -> str:
    """The database a scenario marches on every day: they take turns."""
    return "postgresql" if name not in WEEKS and NAMES.index(name) % 2 else "sqlite"


@pytest.mark.slow
@pytest.mark.soak
@pytest.mark.no_cover  # the same lines night after night: other tests count them, and counting takes a third of a march
@pytest.mark.parametrize("name", NAMES)
def test_the_days_go_as_told(name: str, engine: Engine, shipped: Playbook, tmp_path: Path) -> None:
    if engine.dialect.name != here(name) and not SOAK:
        pytest.skip("marches on the other database: make soak has both")
    if name in MONTHS and not SOAK:
        pytest.skip("months of nights: make soak")
    faults = play(read_scenario(HERE / f"{name}.yaml"), engine, WORKSPACE, tmp_path / "workspace", shipped)
    assert not faults, "\n" + "\n".join(map(str, faults))
