"""Accidents in files that are merged all the same: what stops them, or why they do no harm."""

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from leadflow.app import against, held_nights, refresh
from leadflow.app.checks import check_people
from leadflow.errors import PlaybookError
from leadflow.models import escalation, lead_state, message
from leadflow.playbook.load import check_playbook, load_playbook
from leadflow.playbook.model import Playbook
from leadflow.settings import Settings
from leadflow.testing import World
from leadflow.types import EnrolmentState
from tests.accidents.conftest import AFTER, EVE, FRIDAY, SHOP, edit, merge
from tests.accidents.harm import brake, count, left, no_mail_went_wrong, standing, waiting

# `make soak` has them on PostgreSQL too.
pytestmark = pytest.mark.soak

_DISCOVERY = "config/sequences/discovery.yaml"


def refused(world: World) -> list[str]:
    """The errors with which `check` would have stopped the files of the world."""
    settings = Settings(database_url=world.app.engine.url.render_as_string(hide_password=False))
    faults = check_people(settings, world.app.playbook, world.now)
    return [fault.message for fault in faults if fault.severity == "error"]


def _files(folder: Path, world: World, path: str, before: str, after: str) -> None:
    edit(folder, path, before, after)
    merge(world, folder)


def test_a_segment_emptied_by_a_limit_strands_nobody(world: World, folder: Path) -> None:
    _files(folder, world, "segments/manufacturers.yaml", "at_least: 10}", "at_least: 75}")
    world.live_until(AFTER)
    with Session(world.app.engine) as session:
        main = select(func.count()).where(lead_state.c.segment_main == "manufacturers")
        assert session.scalar(main) == 0
    # They go on with what is for everybody.
    assert {mail.to for mail in world.sent} & {world.address(f"maker{n}") for n in range(7)}
    no_mail_went_wrong(world)


def test_an_entry_the_wrong_way_round_pauses_and_the_right_one_resumes_where_they_stood(
    world: World, folder: Path
) -> None:
    right = (folder / _DISCOVERY).read_text()
    wrong = "enter: {all: [{not: {field: stage, is: discovery}}"
    _files(folder, world, _DISCOVERY, "enter: {all: [{field: stage, is: discovery}", wrong)
    before, on_their_way = left(world), standing(world, EnrolmentState.ACTIVE)
    world.live_until(AFTER)
    assert standing(world, EnrolmentState.ACTIVE) < on_their_way
    assert left(world) == before
    (folder / _DISCOVERY).write_text(right)
    merge(world, folder)
    world.live_until(FRIDAY)
    assert left(world) > before
    no_mail_went_wrong(world)


def test_a_step_renamed_without_a_word_is_refused_and_if_merged_all_the_same_parks(world: World, folder: Path) -> None:
    _files(folder, world, _DISCOVERY, "{name: welcome, email", "{name: hello, email")
    (error,) = refused(world)
    assert 'step "welcome" is gone' in error
    before = left(world)
    world.live_until(AFTER)
    assert standing(world, EnrolmentState.PARKED) > 10
    assert left(world) == before
    edit(folder, _DISCOVERY, "{name: hello, email", "{name: hello, was: welcome, email")
    merge(world, folder)
    assert refused(world) == []
    world.live_until(FRIDAY)
    assert standing(world, EnrolmentState.PARKED) == 0
    no_mail_went_wrong(world)


def test_a_sequence_under_another_name_is_refused_and_if_merged_repeats_nothing(world: World, folder: Path) -> None:
    (folder / _DISCOVERY).rename(folder / "config/sequences/basics.yaml")
    merge(world, folder)
    assert any('sequence "discovery" is gone' in error for error in refused(world))
    # The new one is of the same track: it takes over, and passes over what people have had.
    world.live_until(AFTER)
    no_mail_went_wrong(world)


def test_a_template_deleted_while_its_mail_waits_is_replaced_by_another(world: World, folder: Path) -> None:
    world.live_until(EVE + timedelta(hours=12))
    waits = select(message.c.email).where(message.c.state == "planned", message.c.step == "learn-1").distinct()
    with Session(world.app.engine) as session:
        gone = session.scalars(waits.order_by(message.c.email)).first()
    assert gone
    shutil.rmtree(folder / "templates/emails" / gone)
    merge(world, folder)
    world.sweep()
    before = left(world)
    world.live_until(FRIDAY)
    assert left(world) > before
    late = (message.c.email == gone, message.c.sent_at > EVE)
    assert count(world, select(func.count()).where(*late)) == 0
    no_mail_went_wrong(world)


def test_limits_of_pressure_lost_in_a_merge_are_the_usual_ones(world: World, folder: Path, shipped: Playbook) -> None:
    text = (folder / "config/leadflow.yaml").read_text()
    line = next(line for line in text.splitlines() if line.startswith("pressure:"))
    _files(folder, world, "config/leadflow.yaml", line, "")
    assert world.app.playbook.pressure.caps == shipped.pressure.caps
    world.live_until(AFTER)
    no_mail_went_wrong(world)


def test_a_window_the_wrong_way_round_is_said_by_check_and_by_the_plan(
    world: World, folder: Path, shipped: Playbook
) -> None:
    edit(folder, "config/leadflow.yaml", 'from: "09:00"\n  to: "17:00"', 'from: "17:00"\n  to: "09:00"')
    _book, faults = check_playbook(folder)
    assert any("open over midnight, from 17:00 to 09:00" in fault.message for fault in faults)
    merge(world, folder)
    for number in range(6):
        world.arrive(f"new{number}", SHOP)
    world.now += timedelta(hours=9, minutes=15)
    change = against(world.app, shipped, world.now)
    assert change.at_night
    assert change.look


def test_everybody_hot_at_once_is_held_and_no_salesperson_is_told(world: World, folder: Path) -> None:
    rule = "  - name: visit\n    when: {event: page_viewed, at_least: 1, within: 24 hours}\n"
    edit(
        folder,
        "config/sales.yaml",
        "  - name: hot-profile\n",
        rule + "    answer_within: 1 business_day\n  - name: hot-profile\n",
    )
    merge(world, folder)
    for name in world.people:
        world.act(name, "page_viewed", path="/blog")
    told = len(world.sales.alerts)
    world.live_until(AFTER)
    (hold,) = held_nights(world.app)
    assert hold.handovers > 12
    assert len(world.sales.alerts) == told
    opened = select(escalation.c.rep, func.count()).where(escalation.c.opened_at == hold.at).group_by(escalation.c.rep)
    with Session(world.app.engine) as session:
        given = dict(tuple(row) for row in session.execute(opened))
    limits = {rep.name: rep.per_day for rep in world.app.playbook.sales.team}
    assert all(given.get(rep, 0) <= (limit or 0) for rep, limit in limits.items())


def test_a_sender_changed_while_mails_wait_signs_them_and_sends_none_twice(world: World, folder: Path) -> None:
    for number in range(4):
        world.arrive(f"new{number}", SHOP)
    world.live_until(EVE + timedelta(hours=12))
    assert waiting(world) >= 4
    edit(folder, "config/leadflow.yaml", "camille@news.atelier-nord.example", "lea@news.atelier-nord.example")
    merge(world, folder)
    world.live_until(AFTER)
    assert {mail.from_address for mail in world.sent} == {"lea@news.atelier-nord.example"}
    no_mail_went_wrong(world)


def test_files_older_than_the_people_in_them_are_refused_and_if_merged_repeat_nothing(
    world: World, folder: Path
) -> None:
    old = (folder / _DISCOVERY).read_text()
    edit(folder, _DISCOVERY, "  - {name: wait-1,", "  - {name: hint, email: {best_for: discovery}}\n  - {name: wait-1,")
    merge(world, folder)
    world.live_until(EVE + timedelta(hours=36))
    (folder / _DISCOVERY).write_text(old)
    merge(world, folder)
    assert any("hint" in error for error in refused(world))
    world.live_until(FRIDAY)
    no_mail_went_wrong(world)


def test_everybody_let_in_at_once_by_a_sequence_gone_live_is_held(world: World, folder: Path) -> None:
    text = (folder / _DISCOVERY).read_text().replace("track: nurture", "track: news").replace("100 per day", "all")
    (folder / "config/sequences/news.yaml").write_text(text)
    merge(world, folder)
    brake(world, sends_over=10)
    before = left(world)
    world.live_until(AFTER)
    # Whoever had the welcome is due the next read at once: the brake counts them all.
    assert left(world) - before <= 10
    no_mail_went_wrong(world)


def test_files_broken_while_the_machine_runs_stop_it_from_reading_them(world: World, folder: Path) -> None:
    app = replace(world.app, settings=world.app.settings.model_copy(update={"workspace": folder}))
    app = refresh(replace(app, playbook=load_playbook(folder)))
    edit(folder, _DISCOVERY, "priority: 30", "priority: many")
    with pytest.raises(PlaybookError):
        refresh(app)
