"""The shipped emails as a library: every cell of the grid is stocked, and no two of them say the same."""

import re
from itertools import combinations
from pathlib import Path

import pytest

from leadflow.email.catalog import Email
from leadflow.playbook.load import load_playbook
from leadflow.steps.email import EmailStep

PLAYBOOK = load_playbook(Path(__file__).parents[2])
EMAILS = sorted(PLAYBOOK.emails.values(), key=lambda email: email.name)
LETTERS = [(email, language) for email in EMAILS for language in sorted(email.bodies)]
FOR_SOMEBODY = [(email, language) for email, language in LETTERS if email.audience.segments]
#: Mails that answer what somebody asked: they say it and stop.
ANSWERS = set(PLAYBOOK.rights.emails.values())
CELLS = [(stage.name, segment) for stage in PLAYBOOK.journey.stages for segment in PLAYBOOK.segments]

_LINK = r"links\.(?:page\(\"[a-z0-9/-]+\"\)|preferences|confirm)"
_BUTTON = re.compile(rf"^\*\*\[([^\]]+)\]\(\{{\{{ {_LINK} \}}\}}\)\*\*$", re.MULTILINE)
_TEMPLATE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}")
#: A straight quote, a wide space where a narrow or a no-break one belongs, and no space at all before `;` `!` `?`.
_NOT_FRENCH = re.compile(r"['\"]| [:;!?»%€]|« |«\w|\w[;!?]")
_SHINGLE = 5


def words(email: Email, language: str) -> list[str]:
    return re.findall(r"\w+", _TEMPLATE.sub(" ", email.bodies[language]).lower())


def shingles(email: Email, language: str) -> set[tuple[str, ...]]:
    found = words(email, language)
    return {tuple(found[n : n + _SHINGLE]) for n in range(len(found) - _SHINGLE + 1)}


def name(letter: object) -> str:
    return letter.name if isinstance(letter, Email) else str(letter)


def test_there_are_at_least_twenty_eight_in_both_languages() -> None:
    assert sum(set(email.bodies) == {"fr", "en"} for email in EMAILS) >= 28


@pytest.mark.parametrize(("stage", "segment"), CELLS)
def test_every_cell_has_two_of_its_own_in_each_language(stage: str, segment: str) -> None:
    mine = [email for email in EMAILS if stage in email.audience.stage and segment in email.audience.segments]
    assert all(sum(language in email.bodies for email in mine) >= 2 for language in PLAYBOOK.brand.languages)


def test_every_email_that_nobody_chooses_is_named_by_a_step_or_answers_a_wish() -> None:
    steps = [step for sequence in PLAYBOOK.sequences for step in sequence.steps if isinstance(step, EmailStep)]
    named = {step.email for step in steps} | ANSWERS
    assert {email.name for email in EMAILS if email.pick == "named"} <= named


@pytest.mark.parametrize(("email", "language"), LETTERS, ids=name)
def test_it_offers_one_next_step_and_says_which(email: Email, language: str) -> None:
    buttons = _BUTTON.findall(email.bodies[language])
    assert len(buttons) == email.bodies[language].count("](") == 1
    assert 2 <= len(buttons[0].split()) <= 8


@pytest.mark.parametrize(("email", "language"), LETTERS, ids=name)
def test_a_mailbox_shows_its_subject_and_preheader_whole(email: Email, language: str) -> None:
    assert len(email.subject[language]) <= 60
    assert "\n" not in email.subject[language]
    assert 40 <= len(email.preheader[language]) <= 110


@pytest.mark.parametrize(("email", "language"), LETTERS, ids=name)
def test_it_is_read_in_a_minute_and_a_half(email: Email, language: str) -> None:
    assert (40 if email.name in ANSWERS else 90) <= len(words(email, language)) <= 260


@pytest.mark.parametrize(("email", "language"), FOR_SOMEBODY, ids=name)
def test_it_names_a_figure(email: Email, language: str) -> None:
    assert re.search(r"\d", _TEMPLATE.sub("", email.bodies[language]))


@pytest.mark.parametrize("email", [email for email, language in LETTERS if language == "fr"], ids=name)
def test_french_is_set_as_french_is(email: Email) -> None:
    for text in (email.bodies["fr"], email.subject["fr"], email.preheader["fr"]):
        assert _NOT_FRENCH.findall(_TEMPLATE.sub("", text)) == []


@pytest.mark.parametrize("language", PLAYBOOK.brand.languages)
def test_no_two_share_more_than_two_fifths_of_their_five_word_runs(language: str) -> None:
    sets = {email.name: shingles(email, language) for email in EMAILS if language in email.bodies}
    shared = {
        (one, other): len(sets[one] & sets[other]) / min(len(sets[one]), len(sets[other]))
        for one, other in combinations(sets, 2)
    }
    assert {pair for pair, share in shared.items() if share > 0.4} == set()
