"""Every reason has somebody whom it stops, and who is told so in both languages: why, until when, and what then."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from leadflow.ask.block import TELLS
from leadflow.ask.words import reason_words
from leadflow.playbook.model import Playbook
from leadflow.testing import play, read_scenario
from leadflow.testing.scenario import Expectation
from leadflow.text import set_language
from leadflow.types import Reason
from tests.emptied import empty
from tests.scenarios.conftest import WORKSPACE

HERE = Path(__file__).parent / "reasons"
SCENARIOS = sorted(path.stem for path in HERE.glob("*.yaml"))
#: A rest stops hand-overs, never a mail: it is told where sales is.
ELSEWHERE = {Reason.RESTING: "why"}


def expectations() -> list[Expectation]:
    """All that the scenarios of this folder expect."""
    scenarios = (read_scenario(HERE / f"{name}.yaml") for name in SCENARIOS)
    return [expected for scenario in scenarios for step in scenario.story for expected in step.expect]


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_reason_has_a_scenario_that_says_why_until_when_and_what_then(language: str) -> None:
    set_language(language)
    told = {(one.who, one.word): one.texts for one in expectations()}
    for reason in Reason:
        lines = told.get((reason.replace("_", "-"), f"{ELSEWHERE.get(reason, 'block')}_{language}"), ())
        assert lines, f"no scenario says {reason} in {language}"
        assert lines[0].startswith(f"✗ {reason_words(reason)}"), lines
        assert len(lines[0]) > len(f"✗ {reason_words(reason)}: "), f"{reason} has no evidence"
        assert lines[1].startswith("→ "), lines
        assert ";" in lines[1], f"{reason}: what leaves then?"


def test_every_reason_can_be_told() -> None:
    assert {*Reason} == {*TELLS}


@pytest.mark.no_cover  # tests/ask counts the lines of what is told, tests/testing those of scenarios
@pytest.mark.parametrize("name", SCENARIOS)
def test_each_is_told_as_written(name: str, sqlite_world: Engine, shipped: Playbook, tmp_path: Path) -> None:
    empty(sqlite_world)
    faults = play(read_scenario(HERE / f"{name}.yaml"), sqlite_world, WORKSPACE, tmp_path / "workspace", shipped)
    assert not faults, "\n" + "\n".join(map(str, faults))


@pytest.mark.no_cover
def test_the_same_is_told_on_postgresql(postgres_world: Engine, shipped: Playbook, tmp_path: Path) -> None:
    empty(postgres_world)
    scenario = read_scenario(HERE / "in_the_sequence.yaml")
    faults = play(scenario, postgres_world, WORKSPACE, tmp_path / "workspace", shipped)
    assert not faults, "\n" + "\n".join(map(str, faults))
