"""What a change of the files would do: both playbooks over the same rows, and nothing of it stays."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from leadflow.app import against
from leadflow.ask.change_words import heading, lines_of
from leadflow.ask.compare import Change
from leadflow.db import make_engine
from leadflow.playbook.load import load_playbook
from leadflow.playbook.model import Playbook
from leadflow.testing import Changes, World, lay_over, open_world
from tests.busy_night import rows_of

#: Sunday evening; the first night is that before Monday, 2 March.
BEGIN = datetime(2026, 3, 1, 18, tzinfo=UTC)
ROOT = Path(__file__).parents[2]
MAKER = {"industry": "manufacturing", "employees": "80", "language": "fr", "country": "FR", "role": "decides"}

Edits = Callable[[Changes], Change]


@pytest.fixture(scope="module")
def example() -> Playbook:
    """The shipped rules."""
    return load_playbook(ROOT)


def lived(engine: Engine, example: Playbook) -> World:
    """Twelve manufacturers on the eve of their second night, who looked at a page; somebody else came on that day."""
    world = open_world(engine, example, BEGIN)
    for number in range(12):
        world.arrive(f"p{number}", MAKER)
    world.live_until(BEGIN + timedelta(hours=23))
    for number in range(12):
        world.act(f"p{number}", "page_viewed", path="/blog")
    world.arrive("late", {"language": "fr", "country": "FR"})
    world.sweep_one("late")
    world.now += timedelta(hours=10)
    return world


@pytest.fixture(scope="module")
def world(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, example: Playbook) -> Iterator[World]:
    """One world for this file: asking changes nothing in it."""
    path = tmp_path_factory.mktemp("against") / "leadflow.db"
    shutil.copyfile(sqlite_template, path)
    engine = make_engine(f"sqlite:///{path}")
    yield lived(engine, example)
    engine.dispose()


@pytest.fixture
def edits(world: World, example: Playbook, tmp_path: Path) -> Edits:
    """What would the example with some changes do that the example itself would not?"""
    return lambda changes: edited(world, example, changes, tmp_path / "branch")


def edited(world: World, example: Playbook, changes: Changes, folder: Path) -> Change:
    return against(replace(world.app, playbook=lay_over(ROOT, changes, folder)), example, world.now)


def said(change: Change) -> str:
    return "\n".join(line.text for line in lines_of(change))


VISIT = {"name": "visit", "when": {"event": "page_viewed", "at_least": 1, "within": "24 hours"}}
HOT: Changes = {"config/sales.yaml": {"hot": [VISIT | {"answer_within": "1 business_day"}], "again": {"unless": None}}}


@pytest.fixture(params=["sqlite", "postgres"])
def either(request: pytest.FixtureRequest, example: Playbook) -> Iterator[World]:
    """The world of this file, and one like it on PostgreSQL."""
    if request.param == "sqlite":
        yield request.getfixturevalue("world")
        return
    engine = make_engine(request.getfixturevalue("postgres_url"))
    yield lived(engine, example)
    engine.dispose()


def test_a_hot_rule_for_everybody_overflows_a_salesperson_and_leaves_no_row_behind(
    either: World, example: Playbook, tmp_path: Path
) -> None:
    before = rows_of(either.app.engine)
    change = edited(either, example, HOT, tmp_path / "branch")
    assert rows_of(either.app.engine) == before
    assert (change.handovers, change.newly_hot) == ((0, 12), 12)
    (over,) = change.worse_overflows
    assert (over.rep, over.wanted, over.room, dict(over.to)) == ("Marc", 6, 4, {"Inès": 1, "Sofia": 1})
    assert change.look
    assert "Marc would get 6 and has room for 4: 1 goes to Inès, 1 goes to Sofia" in said(change)


def test_the_same_files_change_nothing(edits: Edits) -> None:
    change = edits({})
    assert not change.look
    assert (change.mails[0], change.bands, change.files) == (change.mails[1], {}, ())
    assert heading(change) == "no file of the playbook differs"


def test_more_than_the_brake_lets_through_is_said_where_it_was_not_so_before(edits: Edits) -> None:
    change = edits({"config/leadflow.yaml": {"brake": {"hold_when": {"handovers_over": 11}}}, **HOT})
    assert change.look
    assert "the brake would hold the night: 12 hand-overs" in said(change)


def test_scores_segments_and_mails_are_counted(edits: Edits) -> None:
    narrower = {"when": {"field": "employees", "at_least": 100}, "examples": None}
    change = edits({"segments/manufacturers.yaml": narrower, "config/scoring.yaml": {"bands": {"fit": {"A": 60}}}})
    (segment,) = change.segments
    assert (segment.name, segment.before, segment.after, segment.came, segment.went) == ("manufacturers", 12, 0, 0, 12)
    assert sum(change.bands.values()) == sum(change.band_moves) == 12
    assert "manufacturers 12 → 0: 0 in, 12 out" in said(change)
    assert heading(change) == "2 files changed: scoring.yaml, segments/manufacturers.yaml"


def _discovery(**parts: object) -> Changes:
    steps = [{"name": "hello", "email": "welcome"}, {"name": "learn", "email": {"best_for": "discovery"}}]
    return {"config/sequences/discovery.yaml": {"steps": steps, **parts}}


@pytest.mark.parametrize(("was", "stranded"), [({}, 12), ({"was": "welcome"}, 0)])
def test_a_step_renamed_without_a_word_strands_those_who_stand_behind_it(
    world: World, example: Playbook, tmp_path: Path, was: Changes, stranded: int
) -> None:
    steps = [{"name": "hello", "email": "welcome", **was}, {"name": "wait-1", "wait": "3 business_days"}]
    book = lay_over(ROOT, {"config/sequences/discovery.yaml": {"steps": steps}}, tmp_path / "branch")
    # A night later: tonight those who got their mail today complete the step, as the files are.
    change = against(replace(world.app, playbook=book), example, world.now + timedelta(days=1), ahead=True)
    assert (change.stranded, change.look) == (stranded, bool(stranded))
    assert ("12 people would stand on a step that no file names" in said(change)) == bool(stranded)


def test_a_step_that_is_gone_with_people_on_it_is_named(edits: Edits) -> None:
    steps = [{"name": "hello", "email": "welcome"}, {"name": "learn", "email": {"best_for": "discovery"}}]
    change = edits({"config/sequences/discovery.yaml": {"steps": steps}})
    assert change.look
    assert "discovery/welcome is gone (13 people stand on it)" in said(change)
    assert "discovery/wait-1 is gone (0 people stand on it)" in said(change)


def test_an_email_under_another_name_that_reaches_the_same_people_again_is_seen(
    world: World, example: Playbook, tmp_path: Path
) -> None:
    lay_over(ROOT, {}, tmp_path / "branch")
    emails, sequences = tmp_path / "branch/templates/emails", tmp_path / "branch/config/sequences"
    (emails / "welcome").rename(emails / "hello")
    file = sequences / "discovery.yaml"
    file.write_text(file.read_text().replace("email: welcome", "email: hello").replace("100 per day", "all"))
    file.rename(sequences / "basics.yaml")
    changed = load_playbook(tmp_path / "branch")
    # Their mail of the first day is long past: the caps do not stand in the way.
    now = world.now + timedelta(days=14)
    change = against(replace(world.app, playbook=changed), example, now)
    assert change.repeated == {"hello": 12}
    assert "12 people get hello again tonight (it was welcome: add  was: welcome  to its email.yaml)" in said(change)

    email = emails / "hello/email.yaml"
    email.write_text(email.read_text() + "\nwas: welcome\n")
    settled = load_playbook(tmp_path / "branch")
    assert not against(replace(world.app, playbook=settled), example, now).repeated


def test_a_text_edited_while_its_mail_waits_is_said_with_what_else_changed(
    world: World, example: Playbook, tmp_path: Path
) -> None:
    lay_over(ROOT, {}, tmp_path / "branch")
    body = tmp_path / "branch/templates/emails/welcome/body.fr.md"
    body.write_text(body.read_text() + "\nÀ bientôt\n")
    change = against(replace(world.app, playbook=load_playbook(tmp_path / "branch")), example, world.now)
    assert "welcome: 1 mail already planned goes out with the NEW text (links and merge fields unchanged)" in said(
        change
    )
    assert not change.look


def test_nights_lived_in_thought_count_the_mails_of_each(world: World, example: Playbook) -> None:
    change = against(world.app, example, world.now, nights=4)
    assert change.ahead is not None
    assert change.ahead[0] == change.ahead[1] > change.mails[1]
    assert "next 4 nights" in said(change)
