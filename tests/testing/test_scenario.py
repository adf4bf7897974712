"""A scenario that is written wrongly says where; one whose world goes otherwise says what was found instead."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from leadflow.db import make_engine
from leadflow.errors import PlaybookError
from leadflow.playbook.load import load_playbook
from leadflow.testing import ScenarioError, play, read_scenario

WORKSPACE = Path(__file__).parents[2]

GOOD = """title: One night
begin: 2026-03-02 12:00
people:
  lea: {language: fr}
story:
  - at: 2026-03-03 06:00
    expect:
      lea: {mails: welcome planned 2026-03-03}
"""


@pytest.fixture
def engine(sqlite_url: str) -> Iterator[Engine]:
    """What is read and compared does not depend on the kind of database: one is enough."""
    engine = make_engine(sqlite_url)
    yield engine
    engine.dispose()


def written(folder: Path, text: str) -> Path:
    """A scenario's file."""
    path = folder / "night.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("good", "bad", "place", "words"),
    [
        ("story:", "storry:", "5:1", "Did you mean story?"),
        ("    expect:", "    expects:", "7:5", "Did you mean expect?"),
        ("mails: welcome", "mail: welcome", "8:13", "Did you mean mails?"),
        ("      lea:", "      leo:", "8:7", "Did you mean lea?"),
        ("welcome planned 2026", "welcome plannd 2026", "8:20", "not how mails is written: welcome sent"),
        ("- at: 2026-03-03 06:00", "- at: tomorrow", "6:9", "an instant such as 2026-03-03 04:15"),
        ("at: 2026-03-03 06:00\n", "at: 2026-03-03 06:00\n  - at: 2026-03-01 06:00\n", "7:5", "earlier than the step"),
    ],
)
def test_what_is_written_wrongly_has_its_place_and_the_right_word(
    tmp_path: Path, good: str, bad: str, place: str, words: str
) -> None:
    assert good in GOOD
    with pytest.raises(ScenarioError) as caught:
        read_scenario(written(tmp_path, GOOD.replace(good, bad)))
    told = [str(fault) for fault in caught.value.faults]
    assert any(line.startswith(f"night.yaml:{place} ") and words in line for line in told), told


@pytest.mark.parametrize(
    ("doing", "words"),
    [
        ("lea: quote_requestd", "Did you mean quote_requested?"),
        ("lea: {changes: {country: Atlantis}}", "country"),
        ("sales: {accept: lea}", "lea has no open hand-over"),
        ("lea: unsubscribes", "lea has got no mail"),
    ],
)
def test_what_nobody_can_do_is_refused_where_it_is_written(
    engine: Engine, tmp_path: Path, doing: str, words: str
) -> None:
    scenario = read_scenario(written(tmp_path, GOOD.replace("    expect:", f"    {doing}\n    expect:")))
    with pytest.raises(ScenarioError, match=words) as caught:
        play(scenario, engine, WORKSPACE, tmp_path / "copy")
    assert [(fault.file, fault.line) for fault in caught.value.faults] == [("night.yaml", 7)]


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        ("mails: welcome sent 2026-03-03", "welcome planned in fr 2026-03-03"),
        ("mails: welcome planned 2026-03-04", "welcome planned in fr 2026-03-03"),
        ("mails: welcome planned 2026-03-03 07:00-08:00", "welcome planned in fr 2026-03-03"),
        ("mails: nothing", "welcome planned in fr 2026-03-03"),
        ("mails: [welcome planned, welcome planned]", "welcome planned in fr 2026-03-03"),
        ("stage: evaluation", "discovery"),
        ("standing: discovery/wait-1", "discovery/welcome"),
        ("tonight: pressure", "mail"),
        ("with_sales: Marc", "no"),
        ("decided: skip discovery/welcome (expired)", "enrol discovery; plan discovery/welcome"),
        ("segment: online-shops", "nothing"),
    ],
)
def test_what_went_otherwise_is_told_with_its_place(engine: Engine, tmp_path: Path, expected: str, found: str) -> None:
    scenario = read_scenario(written(tmp_path, GOOD.replace("mails: welcome planned 2026-03-03", expected)))
    (fault,) = play(scenario, engine, WORKSPACE, tmp_path / "copy", load_playbook(WORKSPACE))
    assert (fault.line, fault.file) == (8, "night.yaml")
    assert f"but was: {found}" in fault.message


def test_changed_files_are_checked_like_any_others(engine: Engine, tmp_path: Path) -> None:
    changes = "workspace: {config/sequences/discovery.yaml: {enter: {field: stag, is: discovery}}}\npeople:"
    scenario = read_scenario(written(tmp_path, GOOD.replace("people:", changes)))
    with pytest.raises(PlaybookError, match="Did you mean stage"):
        play(scenario, engine, WORKSPACE, tmp_path / "copy")


def test_the_story_of_the_how_to_goes_as_it_says(engine: Engine, tmp_path: Path) -> None:
    page = (WORKSPACE / "docs" / "how-to" / "rehearse-a-story.md").read_text()
    story = page.partition("## Scenarios")[2].partition("```yaml\n")[2].partition("```")[0]
    assert play(read_scenario(written(tmp_path, story)), engine, WORKSPACE, tmp_path / "copy") == []
