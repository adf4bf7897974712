"""Many mistakes at once, and nothing where something should stand; one fault each: tests/faulty."""

import pytest

from tests.playbook.conftest import DISCOVERY, JOURNEY, MAIN, SALES, SCORING, SHOPS, Breaks


def test_every_mistake_is_reported_not_the_first(faults_after: Breaks) -> None:
    found = faults_after(
        SCORING,
        "points: 6,",
        "points: 600,",
        (SCORING, "half_life: 45 days, max", "half_life: 45 days, mx"),
        (SALES, "at: once", "at: onec"),
    )

    assert [line.split()[0] for line in found] == [f"{SALES}:27:9", f"{SCORING}:67:76", f"{SCORING}:68:102"]


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (
            JOURNEY,
            "project: {when: {field: project, in: [new_site, redesign, seo, strategy]}, ask: project}",
            "project:",
        ),
        (JOURNEY, "when:", "keep_while:"),
        (SCORING, "  veto:", "  veto:\n    -"),
        (SALES, "hot:", "hot:\n  -"),
        (MAIN, "office: {zone: Europe/Paris, country: FR}", "office:"),
        (DISCOVERY, "steps:", "steps:\n  -"),
        (DISCOVERY, "steps:", "stps:"),
        (SHOPS, "when:", "why:"),
    ],
)
def test_nothing_written_is_never_taken_for_a_condition_that_holds(
    faults_after: Breaks, file: str, old: str, new: str
) -> None:
    found = faults_after(file, old, new)

    assert found
    assert all(line.startswith(f"{file}:") for line in found)


@pytest.mark.parametrize(
    ("written", "meant"), [("France", "FR"), ("Belgique", "BE"), ("FRA", "FR"), ("DEU", "DE"), ("fr", "FR")]
)
def test_a_country_by_its_name_or_its_three_letters_is_told_by_its_two(
    faults_after: Breaks, written: str, meant: str
) -> None:
    found = faults_after(MAIN, "country: FR}", f"country: {written}}}")

    assert found == [f'{MAIN}:14:39  error  "{written}" is no country code such as FR. Did you mean {meant}?']
