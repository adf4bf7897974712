"""Bad input gets a located error in plain words and exit code 2; nothing is written, the good rows are kept."""

import re
from pathlib import Path

import pytest
from sqlalchemy import func, select

from leadflow.db import make_engine
from leadflow.models import event, lead
from tests.cli.conftest import Types

GROUNDS = ("--basis", "legitimate_interest", "--source", "fair", "--informed-on", "2026-02-13")
MAKERS, SCORING = "segments/manufacturers.yaml", "config/scoring.yaml"
DISCOVERY, WELCOME = "config/sequences/discovery.yaml", "templates/emails/welcome"


def people(place: Path) -> int:
    engine = make_engine(f"sqlite:///{place / 'var' / 'leadflow.db'}")
    with engine.connect() as connection:
        found = connection.scalar(select(func.count()).select_from(lead))
        assert connection.scalar(select(func.count()).select_from(event)) == 0
    engine.dispose()
    return found or 0


def replace(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text, f"{old!r} is not in {file.name}"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        (SCORING, "  fit: {A", "\tfit: {A", "a tab: use spaces instead"),
        (SCORING, "bands:", "bnads:", '"bnads" is not known here. Did you mean bands?'),
        (SCORING, "{field: employees, at_most: 2}", "{field: employees, atmost: 2}", 'operator "atmost" is not known.'),
        (SCORING, "event: webinar_attended", "event: webinar_atended", 'event "webinar_atended" is not known.'),
        (SCORING, "{field: country,", "{field: contry,", 'field "contry" is not known. Did you mean country?'),
        (MAKERS, "is: manufacturing", "is: manufakturing", '"manufakturing" is not a choice of industry.'),
        (SCORING, "{field: employees, at_most: 2}", "{field: stage, is: decision}", "stage looks ahead"),
        (f"{WELCOME}/body.fr.md", "{{", "{{ lead.firstname }} {{", "lead.firstname"),
        (DISCOVERY, "email: welcome", "email: welcom", "welcom"),
    ],
    ids=["tab", "key", "operator", "event", "field", "choice", "ahead", "variable", "email"],
)
def test_a_fault_in_a_file_is_located_in_words(
    types: Types, place: Path, file: str, old: str, new: str, words: str
) -> None:
    replace(place / file, old, new)
    done = types("check")
    lines = [line for line in done.output.splitlines() if words in line]
    assert done.exit_code == 2
    assert lines, done.output
    assert re.match(rf"{re.escape(file)}:[1-9]\d*:[1-9]\d*  error  ", lines[0])
    assert "Traceback" not in done.output


def test_a_segment_cycle_is_printed(types: Types, place: Path) -> None:
    for one, other in (("manufacturers", "online-shops"), ("online-shops", "manufacturers")):
        (place / "segments" / f"{one}.yaml").write_text(f"title: {{fr: a, en: a}}\nwhen: {{segment: {other}}}\n")
    done = types("check")
    assert done.exit_code == 2
    assert "these segments go in a circle: manufacturers → online-shops → manufacturers" in done.output


def test_two_steps_of_one_name_are_refused(types: Types, place: Path) -> None:
    file = place / DISCOVERY
    steps = re.findall(r"name: ([\w-]+)", file.read_text())
    replace(file, f"name: {steps[1]}", f"name: {steps[0]}")
    done = types("check")
    assert done.exit_code == 2
    assert f'"{steps[0]}"' in done.output


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'email,nom\na@b.example,"Zo\nb@b.example,Ann\n', r"leads\.csv:2:\d+  .*quot"),
        (b"PK\x03\x04\x14\x00\x06\x00rest", r"leads\.csv is an Excel workbook \(\.xlsx\)"),
        ("email,nom\na@b.example,Zoé\n".encode("cp1252"), r"leads\.csv:2:\d+  the bytes E9 are not utf-8"),
    ],
    ids=["quote", "xlsx", "encoding"],
)
def test_a_file_that_cannot_be_read_writes_nothing(types: Types, place: Path, content: bytes, words: str) -> None:
    (place / "leads.csv").write_bytes(content)
    done = types("import", str(place / "leads.csv"), *GROUNDS)
    assert done.exit_code == 2
    assert re.search(words, done.stderr), done.stderr
    assert "Traceback" not in done.output
    assert people(place) == 0


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ("b@b.example,24/03/2026", "24/03/2026"),
        ('"b@b\n.example",2026-03-24', "address"),
        ("no-address,2026-03-24", "address"),
    ],
    ids=["date", "newline", "no address"],
)
def test_the_good_rows_beside_a_bad_one_are_kept(types: Types, place: Path, bad: str, words: str) -> None:
    file = place / "leads.csv"
    file.write_text(f"email,deadline\na@b.example,2026-03-24\n{bad}\nc@b.example,2026-05-01\n", newline="")
    done = types("import", str(file), *GROUNDS)
    assert people(place) == 2
    assert "3 rows = 2 created + 0 updated + 0 unchanged + 0 duplicate + 1 rejected" in done.output
    rejects = next(place.glob("*.rejects.csv")).read_text()
    assert words in rejects
    assert "Traceback" not in done.output


def test_a_file_without_grounds_is_refused(types: Types, place: Path) -> None:
    (place / "leads.csv").write_text("email\na@b.example\n")
    done = types("import", str(place / "leads.csv"))
    assert (done.exit_code, people(place)) == (2, 0)


def test_a_file_that_is_not_there_is_said(types: Types, place: Path) -> None:
    done = types("import", str(place / "none.csv"), *GROUNDS)
    assert done.exit_code == 2
    assert "none.csv" in done.stderr
