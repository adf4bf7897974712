"""`leadflow new` writes what `check` finds no error in; `leadflow test` says what is not as told."""

from pathlib import Path

import pytest

from leadflow.playbook.load import check_playbook
from tests.cli.conftest import Types


def test_what_is_started_is_valid_at_once_but_for_the_place_of_the_segment(types: Types, place: Path) -> None:
    for kind in ("email", "segment", "sequence", "form", "page"):
        assert types("new", kind, f"my-{kind}").exit_code == 0

    playbook, faults = check_playbook(place)

    assert playbook is not None
    assert [fault.message for fault in faults] == [
        'segment "my-segment" is not in segment_order: it comes after the others'
    ]
    assert set(playbook.emails["my-email"].bodies) == {"fr", "en"}
    assert set(playbook.pages["my-page"].texts) == {"fr", "en"}
    assert "my-form" in playbook.forms


@pytest.mark.parametrize(
    ("kind", "name", "words"),
    [
        ("email", "welcome", "templates/emails/welcome is there already"),
        ("segment", "online-shops", "segments/online-shops.yaml is there already"),
        ("segment", "été", "letters without accents"),
        ("sequence", "../away", "letters without accents"),
        ("email", "_base", '"_base" cannot be a name'),
        ("form", "quote", "config/forms/quote.yaml is there already"),
        ("page", "your-quote", "pages/your-quote.fr.md is there already"),
    ],
)
def test_a_name_that_cannot_be_is_refused(types: Types, kind: str, name: str, words: str) -> None:
    done = types("new", kind, name)

    assert done.exit_code == 2
    assert words in done.output


def test_an_example_that_does_not_hold_is_told_and_ends_with_one(types: Types, place: Path) -> None:
    path = place / "segments" / "manufacturers.yaml"
    path.write_text(path.read_text().replace("employees: 3}", "employees: 30}"))

    done = types("test", "manufacturers")

    assert done.exit_code == 1
    assert "✗ manufacturers" in done.output
    assert "this example should not match the segment and does" in done.output


def test_a_persona_is_named_and_lived_alone(types: Types) -> None:
    done = types("test", "no-basis")

    assert done.exit_code == 0, done.output
    assert done.output.startswith("✓ no-basis")
    assert "Did you mean no-basis?" in types("test", "no-bassis").output
