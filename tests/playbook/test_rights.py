"""`confirmations`, `topics`, `retention` and `tracking` in leadflow.yaml: each mistake is said where it stands."""

from pathlib import Path

from leadflow.playbook.load import load_playbook
from leadflow.playbook.model import Retention, Wish
from tests.playbook.conftest import MAIN, Breaks

ASKS = "templates/emails/erase-your-data"


def test_the_example_asks_for_every_wish_and_lets_the_silent_go_after_three_years(workspace: Path) -> None:
    rights = load_playbook(workspace).rights
    assert set(rights.emails) == {*Wish}
    assert (rights.retention, rights.tracks_links, set(rights.topics)) == (
        Retention(),
        True,
        {"search", "selling", "project"},
    )


def test_the_day_of_an_open_is_kept_where_the_file_says_so(workspace: Path) -> None:
    assert not load_playbook(workspace).rights.dates_opens
    file = workspace / MAIN
    file.write_text(file.read_text(encoding="utf-8").replace("opens: off}", "opens: date}"), encoding="utf-8")
    assert load_playbook(workspace).rights.dates_opens


def test_every_mistake_is_said_at_its_place(faults_after: Breaks) -> None:
    found = faults_after(
        MAIN,
        "consent: confirm-your-address ",
        "consent: confirm-your-adress ",
        (MAIN, "  keep: shall-we-stay-in-touch ", "  kept: shall-we-stay-in-touch "),
        (MAIN, "opens: off", "opens: on"),
        (f"{ASKS}/email.yaml", "purpose: service", "purpose: nurture"),
        (f"{ASKS}/body.en.md", "{{ links.confirm }}", "{{ links.preferences }}"),
        ("templates/emails/what-buyers-search/email.yaml", "topic: search", "topic: serch"),
    )
    told = "\n".join(found)
    for words in (
        "no email is called confirm-your-adress. Did you mean confirm-your-address?",
        '"kept" is not known here',
        "nobody is erased unasked",
        "erase-your-data answers what a person asked: write purpose: service in it",
        "body.en of erase-your-data has no link to confirm with: write {{ links.confirm }}",
        "shall-we-stay-in-touch shows links.confirm, and no confirmation names it",
        '"serch" is not known here. Did you mean search?',
        '"on" is not known here',
    ):
        assert words in told, told
    assert all(line.split(":")[1].isdigit() for line in found)
