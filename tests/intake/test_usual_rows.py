"""The short way in says and writes what the long one does, row by row, whatever stands in the file."""

import json
import random
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from leadflow.db import make_engine
from leadflow.intake import importing, leads
from leadflow.intake.csvfile import open_csv
from leadflow.intake.importing import Accounting
from leadflow.intake.leads import LegalGrounds, import_leads
from leadflow.intake.mapping import Wishes, map_columns
from leadflow.intake.person import PersonReader
from leadflow.intake.usual import UsualRows
from leadflow.models import account, consent, identity, lead, lead_change, lead_score, lead_state
from tests.build import NIGHT, playbook

HEADER = "email;external_id;visitor;first_name;phone;company;country;job_title;industry;employees;basis;seen;no_mail"
CELLS: dict[str, tuple[str, ...]] = {
    "email": (
        "a@b.example",
        "A@B.example",
        "ä@müller.example",
        "c{}@d.example",
        "c{}@gmail.com",
        "",
        "no",
        " e{}@f.example\t",
    ),
    "external_id": ("", "", "crm-{}", "crm-1", "x" * 201),
    "visitor": ("", "", "v{}", "v1"),
    "first_name": ("Zoé", "", "Ana\\Maria", "A" * 1001, "Select"),
    "phone": ("", "04 77 00 00 00", "+33 4 77 00 00 00", "call me", "0032 2 555 12 12"),
    "company": ("", "Dupont & Fils", "DUPONT & FILS", "Acme {}"),
    "country": ("FR", "fr", "", "Germany", "Atlantis"),
    "job_title": ("", "Directrice  GÉNÉRALE", 'The "boss"', "Select"),
    "industry": ("", "retail", "Professional services", "Select", "farming"),
    "employees": ("", "12", "1 200", "many"),
    "basis": ("", "consent", "legitimate_interest"),
    "seen": ("", "2024-05-01", "2024-05-01 10:00", "yesterday"),
    "no_mail": ("", "", "yes", "no"),
}
WISHES = Wishes(map={"first_seen": "seen"}, null={"industry": ("Select",), "job_title": ("select", "unknown")})


class LongWay(UsualRows):
    """Reads nothing the short way."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.serve = False


def write(path: Path, seed: int, n: int = 200) -> Path:
    dice = random.Random(seed)
    rows = []
    for i in range(n):
        # Mostly good rows, each of them odd in one place.
        usual = {name: cells[0] for name, cells in CELLS.items()} | {"email": f"u{seed}-{i % 170}@g{i % 9}.example"}
        for name in dice.sample(list(CELLS), dice.choice((0, 1, 1, 2, 5))):
            usual[name] = dice.choice(CELLS[name]).format(i)
        cells = [f'"{x.replace(chr(34), chr(34) * 2)}"' if '"' in x else x for x in usual.values()]
        rows.append(";".join(cells[:-1] if dice.random() < 0.01 else cells))
    path.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return path


def take(engine: Engine, path: Path, wishes: Wishes = WISHES, *, now: datetime = NIGHT) -> Accounting:
    book, file = playbook(), open_csv(path)
    grounds = LegalGrounds(basis="legitimate_interest", source="fair", informed_on="2026-02-13")
    mapping = map_columns(file, wishes, book.fields)
    return import_leads(engine, book, file, mapping, grounds=grounds, key="secret", now=now)


def written(engine: Engine) -> dict[str, list[Any]]:
    """What stands in the tables, people told apart by their identities and not by their numbers."""
    with Session(engine) as session:
        who: dict[int, list[Any]] = {}
        for row in session.execute(select(identity).order_by(identity.c.kind, identity.c.value)):
            who.setdefault(row.lead_id, []).append((row.kind, row.value, row.hash))
        mailed = {row.id: row.value for row in session.execute(select(identity.c.id, identity.c.value))}
        firms = {row.id: row for row in session.execute(select(account))}
        rows = [dict(row) for row in session.execute(select(lead)).mappings()]
        return {
            "leads": sorted((_text(_of(row, mailed, firms)), who[row["id"]]) for row in rows),
            "consents": sorted((who[row.lead_id], repr(row[3:])) for row in session.execute(select(consent))),
            "changes": sorted((who[row.lead_id], _text(row[2:])) for row in session.execute(select(lead_change))),
            "scores": sorted(repr(row[1:]) for row in session.execute(select(lead_score))),
            "states": sorted(repr(row[1:]) for row in session.execute(select(lead_state))),
            "firms": sorted(repr(row[1:]) for row in firms.values()),
        }


def _of(row: dict[str, Any], mailed: dict[int, str], firms: dict[int, Any]) -> dict[str, Any]:
    row["address_id"] = mailed.get(row["address_id"])
    row["account_id"] = firms[row["account_id"]].key if row["account_id"] else None
    return {name: value for name, value in row.items() if name not in ("id", "seed")}


def _text(value: Any) -> str:
    """PostgreSQL keeps the keys of an object in an order of its own."""
    return json.dumps(list(value) if isinstance(value, tuple) else value, sort_keys=True, default=str)


def counts(done: Accounting) -> list[Any]:
    shown = [field.name for field in fields(done) if field.name not in ("lead_ids", "rejects")]
    return [(name, getattr(done, name)) for name in shown]


@pytest.mark.parametrize("seed", [1, 3])
def test_both_ways_write_the_same(
    engine: Engine, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    other = make_engine(sqlite_url)
    if other.url == engine.url:
        other = make_engine(_copy(sqlite_url, tmp_path))
    files = [write(tmp_path / f"{n}.csv", seed + n) for n in (0, 1)]
    for later, path in enumerate((*files, files[0])):
        now = NIGHT + timedelta(days=later)
        with monkeypatch.context() as patch:
            # Many transactions, of which each is prepared and looked up while the one before is written.
            patch.setattr(importing, "_AT_ONCE", 30)
            patch.setattr(importing, "BATCH", 70)
            short = take(engine, path, now=now)
        with monkeypatch.context() as patch:
            patch.setattr(leads, "UsualRows", LongWay)
            long = take(other, path, now=now)
        assert counts(long) == counts(short)
        assert written(other) == written(engine)
    other.dispose()


def _copy(url: str, folder: Path) -> str:
    path = folder / "other.db"
    path.write_bytes(Path(url.removeprefix("sqlite:///")).read_bytes())
    return f"sqlite:///{path}"


@pytest.mark.parametrize(
    "wishes",
    [
        Wishes(template_address="{external_id}@x.example"),
        Wishes(null={"first_name": ("Select",)}),
        Wishes(constant={"company": "Acme"}),
    ],
)
def test_a_file_whose_own_fields_are_made_takes_the_long_way(tmp_path: Path, engine: Engine, wishes: Wishes) -> None:
    path = tmp_path / "leads.csv"
    path.write_text("email,external_id,first_name\na@b.example,7,Select\n,8,Ana\n")
    assert take(engine, path, wishes).created == 2


def test_a_million_rows_are_not_kept(tmp_path: Path) -> None:
    """What is remembered is bounded: the different rests of rows, not the rows."""
    path = tmp_path / "leads.csv"
    path.write_text("email,job_title\n" + "".join(f"p{n}@x.example,title {n}\n" for n in range(20_000)))
    book, file = playbook(), open_csv(path)
    rows = UsualRows(map_columns(file, Wishes(), book.fields), PersonReader(fields=book.fields, zone=UTC))
    assert all(rows.read(list(file.records())))
    assert rows.remembered <= 8_192
