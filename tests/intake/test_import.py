"""`leadflow import` takes good rows, accounts for every row, and says in words what it did not take."""

import pytest
from sqlalchemy import select

from leadflow.models import consent, lead
from tests.intake.conftest import GROUNDS, Cli


def test_every_row_is_accounted_for(cli: Cli) -> None:
    cli.load("email\nold@b.example\nsame@b.example\n", *GROUNDS)
    done = cli.load(
        "email,first_name,employees\n"
        "new@b.example,Ana,12\n"
        "old@b.example,Bo,\n"
        "same@b.example,,\n"
        "NEW@b.example,Zed,13\n"
        "bad@b.example,Cy,many\n",
        *GROUNDS,
    )
    words = "people: 5 rows = 1 created + 1 updated + 1 unchanged + 1 duplicate + 1 rejected"
    assert (done.exit_code, words in done.output) == (0, True)
    assert "line 5: the same as line 2, which counts" in done.output
    assert 'line 6: rejected: employees: "many" is not a whole number' in done.output
    assert "3 of 3 people may be mailed tonight" in done.output


def test_a_rejected_row_is_kept_with_its_bytes_and_can_be_mended(cli: Cli) -> None:
    raw = b"email;nom\na@b.example;Zo\xe9\nbad@;\xc9ric\n"
    cli.load(raw, *GROUNDS, "--encoding", "cp1252")
    kept = cli.rejects.read_bytes()
    assert kept.startswith(b"line;reason;email;nom\n3;")
    assert kept.endswith(b";bad@;\xc9ric\n")
    mended = kept.replace(b"bad@", b"good@b.example")
    done = cli.load(mended, *GROUNDS, "--encoding", "cp1252", name="mended.csv")
    assert "1 rows = 1 created" in done.output
    assert {row.last_name for row in cli.all(select(lead.c.last_name))} == {"Zoé", "Éric"}


def test_rejects_of_an_earlier_import_go_when_all_rows_are_good(cli: Cli) -> None:
    cli.load("email\na@b.example\nbad\n", *GROUNDS)
    assert cli.rejects.exists()
    cli.load("email\na@b.example\n", *GROUNDS)
    assert not cli.rejects.exists()


def test_without_legal_grounds_nothing_is_written(cli: Cli) -> None:
    done = cli.load("email\na@b.example\n", "--basis", "consent")
    assert (done.exit_code, cli.count(lead)) == (2, 0)
    assert "nothing was imported: --source, --informed-on missing" in done.output.replace("\n", " ")


def test_no_mail_needs_no_grounds_and_nobody_is_mailed(cli: Cli) -> None:
    done = cli.load("email\na@b.example\n", "--no-mail")
    assert ("0 of 1 people may be mailed tonight" in done.output, "imported with --no-mail" in done.output) == (
        True,
        True,
    )


def test_grounds_may_be_columns(cli: Cli) -> None:
    done = cli.load(
        "email,basis,source,informed_on\na@b.example,consent,web,2026-01-05\nb@b.example,legitimate_interest,,\n"
    )
    assert ("1 of 2 people" in done.output, "1  no legal basis" in done.output) == (True, True)
    assert cli.all(select(consent.c.state, consent.c.method)) == [("given", "import")]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--basis", "consentt"), "--basis consentt is no legal basis. Did you mean consent?"),
        (("--informed-on", "13/02/2026"), "--informed-on 13/02/2026: write a date such as 2026-03-24"),
        (("--informed-on", "2199-01-01"), "--informed-on 2199-01-01 lies in the future"),
        (("--map", "emial=email"), '"emial" is no field. Did you mean email?'),
        (("--map", "first_name=Frist name"), 'the file has no column "Frist name". Did you mean First name?'),
        (("--map", "email"), "email: the file cannot be opened"),
        (("--null", "First name"), '--null "First name": write it as LEFT=RIGHT'),
        (("--template-address", "{nobody}@x.example"), 'the file has no column "nobody".'),
        (("--date-format", "First name=dd/mm/yyyy"), '"dd/mm/yyyy" is no date format'),
        (("--kind", "people"), '--kind people: a file holds "leads" or "deals"'),
    ],
)
def test_a_wrong_word_on_the_command_line_is_said_with_the_nearest(
    cli: Cli, options: tuple[str, ...], words: str
) -> None:
    done = cli.load("email,First name\na@b.example,Ana\n", *GROUNDS, *options)
    assert (done.exit_code, cli.count(lead)) == (2, 0)
    assert words in done.output


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'email,name\na@b.example,"Ana\nd@e.example,Bo\n', "leads.csv:2:13  a quote is opened here"),
        (b"PK\x03\x04 whatever", "leads.csv is an Excel workbook (.xlsx)"),
        ("email;nom\na@b.example;Zoé\n".encode("cp1252"), "leads.csv:2:15  the bytes E9 are not utf-8"),
        (b"name,company\nAna,Acme\n", "no column is mapped to email or external_id"),
        (b'email\n"a@\nb.example"\n', "line 2: rejected: email: the address has a line break in it"),
    ],
)
def test_bad_files_end_with_code_2_and_nothing_written(cli: Cli, content: bytes, words: str) -> None:
    done = cli.load(content, *GROUNDS)
    assert (done.exit_code, cli.count(lead), words in done.output) == (2, 0, True)
    assert "Traceback" not in done.output


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ('"a@\nb.example",,', "email: the address has a line break in it"),
        ("a@b.example,", "the row has 2 cells and the header has 3"),
        ("a@b.example,31/12/2026,", 'deadline: "31/12/2026" is not a date such as 2026-03-24; if days come first'),
        (",,x", "the row has neither an address nor an id"),
        ('"a@b.example"x,,', 'there is "x,," after a closing quote'),
        ("a\0@b.example,,", "the row has a NUL byte in it"),
    ],
)
def test_the_good_rows_beside_a_bad_one_are_kept(cli: Cli, row: str, reason: str) -> None:
    done = cli.load(f"email,deadline,first_name\ngood@b.example,2026-12-31,Ana\n{row}\nfine@b.example,,\n", *GROUNDS)
    assert (done.exit_code, cli.count(lead)) == (0, 2)
    assert f"line 3: rejected: {reason}" in done.output
    assert cli.rejects.read_text().startswith("line,reason,email,deadline,first_name\n3,")


def test_declared_dates_are_read_days_first(cli: Cli) -> None:
    content = "email,deadline,seen\na@b.example,31/12/2026,05/02/2018\n"
    formats = ("--date-format", "deadline=%d/%m/%Y", "--date-format", "seen=%d/%m/%Y")
    cli.load(content, *GROUNDS, "--first-seen", "seen", *formats)
    ((attributes, first_seen),) = cli.all(select(lead.c.attributes, lead.c.first_seen_at))
    assert (attributes, first_seen.isoformat()) == ({"deadline": "2026-12-31"}, "2018-02-04T23:00:00+00:00")


def test_null_words_are_counted_apart_from_empty_cells(cli: Cli) -> None:
    content = "email,Sector\na@b.example,Select\nb@b.example,\nc@b.example,retail\n"
    done = cli.load(content, *GROUNDS, "--map", "industry=Sector", "--null", "Sector=Select,unknown")
    assert 'industry: "Select" said nothing in 1 row\n' in done.output
    assert "industry: empty in 1 row\n" in done.output


def test_a_mapping_can_be_kept_in_a_file(cli: Cli) -> None:
    (cli.folder / "map.yaml").write_text(
        'map: {external_id: Nr, first_name: Rufname}\nconstant: {country: DE}\ntemplate_address: "{Nr}@x.example"\n'
    )
    cli.load("Nr;Rufname\n7;Ute\n", *GROUNDS, "--map", str(cli.folder / "map.yaml"))
    assert cli.all(select(lead.c.first_name, lead.c.country, lead.c.email_domain)) == [("Ute", "DE", "x.example")]


def test_a_mapping_file_with_a_wrong_key_is_located(cli: Cli) -> None:
    (cli.folder / "map.yaml").write_text("mapp: {email: E}\n")
    done = cli.load("E\na@b.example\n", *GROUNDS, "--map", str(cli.folder / "map.yaml"))
    assert (done.exit_code, "map.yaml:1:1" in done.output) == (2, True)


def test_a_dry_run_counts_and_writes_nothing(cli: Cli) -> None:
    done = cli.load("email\na@b.example\nbad\n", *GROUNDS, "--dry-run")
    assert "1 created" in done.output
    assert (cli.count(lead), cli.rejects.exists()) == (0, False)
