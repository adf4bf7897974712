"""Personas receive what they must, and one that does not is told in words, at its line, with the engine's why."""

from pathlib import Path

import pytest

from leadflow.errors import PlaybookError
from leadflow.playbook.load import load_playbook
from leadflow.playbook.model import Playbook
from leadflow.testing.persona import persona_paths, read_persona
from leadflow.testing.rehearse import rehearse
from tests.soak import SOAK

EXAMPLE = Path(__file__).parents[2]
#: A night each; the whole stories are lived in a soak.
SHORT = ("asks-for-a-quote", "no-basis")

GOOD = """title: Paul is new
starts: 2026-03-02
who: {first_name: Paul, language: fr}
days:
  - day: 2
    receives: welcome
never_receives: [decision/*]
"""


@pytest.fixture(scope="module")
def playbook() -> Playbook:
    """The example's."""
    return load_playbook(EXAMPLE)


def written(folder: Path, text: str) -> Path:
    """A persona's file."""
    path = folder / "paul.yaml"
    path.write_text(text)
    return path


@pytest.mark.no_cover
@pytest.mark.parametrize("path", persona_paths(EXAMPLE), ids=lambda path: path.stem)
def test_the_personas_of_the_example_receive_what_they_must(path: Path, playbook: Playbook) -> None:
    persona = read_persona(path, playbook)
    if path.stem in SHORT or SOAK:
        assert [str(failure.fault) for failure in rehearse(persona, playbook).failures] == []


def test_every_sequence_of_the_example_has_a_persona(playbook: Playbook) -> None:
    told = "".join(path.read_text() for path in persona_paths(EXAMPLE))

    assert [one.name for one in playbook.sequences if f"receives: {one.name}/" not in told] == []


def test_what_did_not_come_is_told_at_its_line_with_what_came_and_why(tmp_path: Path, playbook: Playbook) -> None:
    bad = GOOD.replace("receives: welcome", "receives: our-guarantees").replace("decision/*", "discovery/*")

    lived = rehearse(read_persona(written(tmp_path, bad), playbook), playbook)

    wrong, forbidden = (str(failure.fault) for failure in lived.failures)
    assert "personas/paul.yaml:6:15  error  on day 2 (2026-03-03), receives should be our-guarantees" in wrong
    assert "but was: welcome (discovery/welcome) 2026-03-03" in wrong
    assert "personas/paul.yaml:7:17  error  never to be received, and it was: welcome" in forbidden
    assert lived.failures[0].why
    assert [one.told for one in lived.story] == ["← welcome [fr]"]


@pytest.mark.parametrize(
    ("good", "bad", "place", "words"),
    [
        ("receives: welcome", "recieves: welcome", "6:5", "Did you mean receives?"),
        ("receives: welcome", "receives: welcom", "6:15", "Did you mean welcome?"),
        ("receives: welcome", "receives: discovery/welcom", "6:15", "Did you mean discovery/welcome?"),
        ("receives: welcome", "does: quote_requestd", "6:11", "Did you mean quote_requested?"),
        ("receives: welcome", "sales: acept", "6:12", "Did you mean accept?"),
        ("receives: welcome", "sales: {won: much}", "6:12", "{won: 12000}"),
        ("first_name", "first_nam", "3:7", "Did you mean first_name?"),
        ("day: 2", "day: two", "5:10", "a whole number"),
        ("2026-03-02", "monday", "2:9", "a date"),
    ],
)
def test_what_is_written_wrongly_has_its_place_and_the_right_word(
    tmp_path: Path, playbook: Playbook, good: str, bad: str, place: str, words: str
) -> None:
    with pytest.raises(PlaybookError) as caught:
        read_persona(written(tmp_path, GOOD.replace(good, bad, 1)), playbook)

    told = [str(fault) for fault in caught.value.faults]
    assert any(line.startswith(f"personas/paul.yaml:{place} ") and words in line for line in told), told


def test_the_persona_of_the_how_to_lives_as_it_says(tmp_path: Path, playbook: Playbook) -> None:
    page = (EXAMPLE / "docs" / "how-to" / "rehearse-a-story.md").read_text()
    path = written(tmp_path, page.partition("```yaml\n")[2].partition("```")[0])

    assert [str(failure.fault) for failure in rehearse(read_persona(path, playbook), playbook).failures] == []
