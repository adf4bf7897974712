"""`leadflow event` and `leadflow replay`: acts told by hand or kept in a file, for the next sweep."""

import pytest
from sqlalchemy import select

from leadflow.models import intake
from tests.intake.conftest import Cli


def test_an_act_is_kept_for_the_next_sweep(cli: Cli) -> None:
    done = cli.run("event", "page_viewed", "--email", "a@b.example", "--path", "/tarifs")
    assert (done.exit_code, cli.all(select(intake.c.kind))) == (0, [("event",)])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("page_veiwed", "--email", "a@b.example"), 'event "page_veiwed" is not known. Did you mean page_viewed?'),
        (("page_viewed",), 'who? "email", "visitor" or "external_id" is missing'),
        (("page_viewed", "--email", "a@"), "email: the address needs something on both sides of the @"),
        (("page_viewed", "--visitor", "v", "--detail", "pth=/x"), '"pth" is no detail of page_viewed.'),
    ],
)
def test_an_act_that_is_none_is_refused(cli: Cli, words: tuple[str, ...], said: str) -> None:
    done = cli.run("event", *words)
    assert (done.exit_code, said in done.output, cli.count(intake)) == (2, True, 0)


def test_a_replay_keeps_good_lines_and_locates_bad_ones(cli: Cli) -> None:
    path = cli.folder / "acts.jsonl"
    path.write_bytes(
        b'{"event": "page_viewed", "email": "a@b.example", "path": "/x", "at": "2026-03-20T10:00:00Z"}\n'
        b'{"event": "page_viewed", "email": \n'
        b"\n"
        b'{"event": "page_viewed", "email": "a@b.example", "n": NaN}\n'
        b'{"event": "page_viewed", "email": "a@b.example", "path": "\\ud800"}\n'
        b'[{"email": "a@b.example", "timestamp": 1, "event": "delivered", "sg_event_id": "x"}]\n'
        b'"\xe9"\n'
    )
    done = cli.run("replay", str(path))
    assert "6 lines = 1 acts + 1 of a provider + 4 rejected" in done.output
    assert "acts.jsonl:2  column 34: this is no JSON" in done.output
    assert "acts.jsonl:5  path: has half a character in it" in done.output
    assert (done.exit_code, cli.all(select(intake.c.kind))) == (0, [("replay",), ("sendgrid",)])


def test_an_array_of_provider_events_is_replayed(cli: Cli) -> None:
    path = cli.folder / "events.json"
    path.write_text('[\n {"event": "delivered", "sg_event_id": "a"},\n {"event": "open", "sg_event_id": "b"}\n]\n')
    assert "2 lines = 0 acts + 2 of a provider + 0 rejected" in cli.run("replay", str(path)).output


def test_a_replay_of_nothing_good_ends_with_code_2(cli: Cli) -> None:
    path = cli.folder / "acts.jsonl"
    path.write_text("[1, 2\n")
    assert cli.run("replay", str(path)).exit_code == 2
    assert cli.run("replay", str(cli.folder / "gone.jsonl")).exit_code == 2
