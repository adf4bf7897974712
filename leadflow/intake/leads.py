"""`leadflow import leads.csv`: the rows of a file become people one may write to, or the reason why not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import repeat
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from leadflow.errors import UsageError
from leadflow.intake.csvfile import CsvFile, Record
from leadflow.intake.draft import Telling
from leadflow.intake.fields import FieldError
from leadflow.intake.importing import (
    Accounting,
    Intake,
    Look,
    Progress,
    Read,
    Rejected,
    count_read,
    import_rows,
    plainly,
)
from leadflow.intake.mapping import ColumnMapping
from leadflow.intake.newcomers import Import, keys_of_row
from leadflow.intake.person import Person, PersonReader
from leadflow.intake.usual import Told, UsualRows
from leadflow.playbook.model import Playbook
from leadflow.reading import did_you_mean
from leadflow.text import _
from leadflow.types import Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class LegalGrounds:
    """Why one may write to the people of a file; columns of the file come before it."""

    basis: str | None = None
    source: str | None = None
    #: ISO date on which they were told where their data came from.
    informed_on: str | None = None
    no_mail: bool = False

    def defaults(self, mapping: ColumnMapping, *, today: date) -> Mapping[str, Any]:
        """Columns of people the file says nothing of; UsageError when a ground is missing."""
        if self.basis is not None and self.basis not in list(Basis):
            words = _("--basis {basis} is no legal basis.").format(basis=self.basis)
            raise UsageError(words + did_you_mean(self.basis, [str(basis) for basis in Basis]))
        if self.informed_on is not None:
            _check_day(self.informed_on, today)
        given = {"basis": self.basis, "source": self.source, "informed_on": self.informed_on}
        missing = [name for name, value in given.items() if not value and name not in mapping.fields]
        if missing and not self.no_mail and "no_mail" not in mapping.fields:
            options = ", ".join(f"--{name.replace('_', '-')}" for name in missing)
            words = _(
                "nothing was imported: {options} missing. Mail may only go to people with a legal basis "
                "(consent, legitimate_interest or customer), a source, and the day they were told where their data "
                "comes from. Give these options, map columns to them, or import with --no-mail: nobody is mailed then"
            )
            raise UsageError(words.format(options=options))
        found = {name: value for name, value in given.items() if value}
        return {**found, "no_mail": True} if self.no_mail else found


def _check_day(text: str, today: date) -> None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise UsageError(_("--informed-on {text}: write a date such as 2026-03-24").format(text=text)) from None
    if day > today:
        raise UsageError(_("--informed-on {text} lies in the future").format(text=text))


def import_leads(
    engine: Engine,
    playbook: Playbook,
    file: CsvFile,
    mapping: ColumnMapping,
    *,
    grounds: LegalGrounds,
    key: str,
    now: datetime,
    zone: ZoneInfo | None = None,
    dry_run: bool = False,
    progress: Progress = lambda _done: None,
    look: Look = lambda _session, _counted: None,
) -> Accounting:
    """Create or update the people of `file`; UsageError, and nothing written, without legal grounds or a key."""
    if not mapping.fields & {"email", "external_id"}:
        words = _("no column is mapped to email or external_id, so nobody could be known again: --map email=COLUMN")
        raise UsageError(words)
    office = ZoneInfo(playbook.office.zone)
    today = now.astimezone(office).date()
    defaults = grounds.defaults(mapping, today=today)
    reader = PersonReader(fields=playbook.fields, zone=zone or office, date_formats=mapping.date_formats)

    usual = UsualRows(mapping, reader)

    def read_plainly(said: dict[str, str], nulls: dict[str, str]) -> Person:
        person = reader.read(said, nulls)
        if not person.keys:
            raise FieldError(_("the row has neither an address nor an id"))
        return person

    def read(records: Sequence[Record]) -> list[Told | Read[Person] | Rejected]:
        told = usual.read(records) if usual.serve else repeat(None)
        return [one or plainly(mapping, read_plainly, record) for one, record in zip(told, records, strict=False)]

    def count(rows: Sequence[Told | Read[Person]], counted: Accounting) -> None:
        count_read([row for row in rows if isinstance(row, Read)], counted)
        usual.count([row for row in rows if isinstance(row, Told)], counted)

    telling = Telling(fields=playbook.fields, source="import", now=now, on=today.isoformat(), defaults=defaults)
    about = Import(playbook=playbook, key=key, telling=telling)
    intake: Intake[Told | Read[Person]] = Intake(read=read, keys=keys_of_row, count=count, batch=about.batch)
    return import_rows(engine, file, intake, dry_run=dry_run, progress=progress, look=look)
