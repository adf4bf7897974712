"""`leadflow import` takes good rows, accounts for every row, and says in words what it did not take."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine, func, insert, select, update
from sqlalchemy.orm import Session
from typer import Typer
from typer.testing import CliRunner, Result

from leadflow.cli import intake as commands
from leadflow.models import consent, deal, escalation, event, intake, lead, lead_state, lifecycle_change
from tests.build import NIGHT, playbook

GROUNDS = ("--basis", "legitimate_interest", "--source", "fair", "--informed-on", "2026-02-13")


class Cli:
    """The commands of intake on a database of the test."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine, self.folder = engine, folder
        self._app = Typer()
        commands.add_to(self._app)

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(self._app, list(words))

    def load(self, content: str | bytes, *options: str, name: str = "leads.csv") -> Result:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return self.run("import", str(path), *options)

    def all(self, statement: Any) -> list[Any]:
        with Session(self.engine) as session:
            return list(session.execute(statement).all())

    def count(self, table: Any) -> int:
        return int(self.all(select(func.count()).select_from(table))[0][0])

    @property
    def rejects(self) -> Path:
        return self.folder / "leads.rejects.csv"


@pytest.fixture
def cli(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    settings = SimpleNamespace(key=lambda: "secret", simulated=False)
    opened = SimpleNamespace(engine=engine, playbook=playbook(), settings=settings)
    monkeypatch.setattr(commands, "opened", lambda _workspace: opened)
    monkeypatch.setattr("leadflow.cli.common.console._width", 200)
    return Cli(engine, tmp_path)


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


def test_a_won_deal_makes_a_customer_on_its_business_date(cli: Cli) -> None:
    cli.load("email,first_seen\na@b.example,2018-02-01\nb@b.example,2018-02-01\n", *GROUNDS)
    deals = (
        "email,state,amount,date\n"
        'a@b.example,Closed Won,"12 500,50",2018-03-01 10:00:00\n'
        "b@b.example,open,,\n"
        "nobody@b.example,won,,2018-03-01\n"
    )
    done = cli.load(deals, name="deals.csv")
    assert "deals: 3 rows = 2 created + 0 updated + 0 unchanged + 0 duplicate + 1 rejected" in done.output
    assert cli.all(select(deal.c.state, deal.c.amount).order_by(deal.c.id)) == [("won", 1_250_050), ("open", None)]
    states = select(lead_state.c.lifecycle, lead.c.deal_state).join(lead, lead.c.id == lead_state.c.lead_id)
    assert cli.all(states.order_by(lead.c.id)) == [("customer", "won"), ("lead", "open")]
    ((moved,),) = cli.all(select(lifecycle_change.c.effective_at))
    assert moved.isoformat() == "2018-03-01T09:00:00+00:00"
    assert cli.all(select(event.c.kind, event.c.occurred_at)) == [("deal_won", moved)]
    assert "0 created + 0 updated + 2 unchanged" in cli.load(deals, name="deals.csv").output


def open_handover(cli: Cli) -> None:
    """An accepted hand-over of the only lead."""
    instants = {"opened_at": NIGHT, "due_at": NIGHT, "alerted_at": NIGHT}
    names = {"rule": "hot-profile", "rep": "Marc", "route": "pool", "playbook": "x", "state": "accepted"}
    with Session(cli.engine) as session, session.begin():
        session.execute(insert(escalation), [{"lead_id": 1, "number": 1, **names, **instants}])
        session.execute(update(lead_state).values(with_sales=True, lifecycle="prospect"))


def test_a_lost_deal_closes_the_hand_over_and_the_person_rests(cli: Cli) -> None:
    cli.load("email\na@b.example\n", *GROUNDS)
    open_handover(cli)
    cli.load("email,state\na@b.example,open\n", name="deals.csv")
    done = cli.load("email,state,reason\na@b.example,perdu,budget\n", name="deals.csv")
    assert "1 updated" in done.output
    assert cli.all(select(deal.c.state, deal.c.reason)) == [("lost", "budget")]
    assert cli.all(select(escalation.c.state, escalation.c.answer_reason)) == [("lost", "budget")]
    ((lifecycle, with_sales, rest_until),) = cli.all(
        select(lead_state.c.lifecycle, lead_state.c.with_sales, lead_state.c.rest_until)
    )
    assert (lifecycle, with_sales, rest_until is not None) == ("lead", False, True)


def test_a_loss_of_long_ago_leaves_nobody_resting(cli: Cli) -> None:
    cli.load("email\na@b.example\n", *GROUNDS)
    cli.load("email,lost_date\na@b.example,2018-03-01\n", name="deals.csv")
    assert cli.all(select(lead_state.c.rest_until, lead_state.c.spent_before)) == [(None, None)]


def test_a_won_deal_closes_the_hand_over(cli: Cli) -> None:
    cli.load("email\na@b.example\n", *GROUNDS)
    open_handover(cli)
    cli.load("email,state,amount\na@b.example,won,9000 €\n", name="deals.csv")
    assert cli.all(select(escalation.c.state, escalation.c.amount)) == [("won", 900_000)]
    assert cli.all(select(lead_state.c.lifecycle, lead_state.c.with_sales)) == [("customer", False)]


def test_a_deal_won_before_the_first_contact_is_kept_and_said(cli: Cli) -> None:
    cli.load("email,first_seen\na@b.example,2018-02-05\n", *GROUNDS)
    done = cli.load("email,won_date\na@b.example,2018-02-01\n", name="deals.csv")
    assert "line 2: won 4 days before the first contact: kept as it is" in done.output


def test_a_deals_file_that_says_not_whose_deals_is_refused(cli: Cli) -> None:
    done = cli.load("state,amount\nwon,12\n", name="deals.csv")
    assert (done.exit_code, "no column says whose the deals are" in done.output) == (2, True)


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
