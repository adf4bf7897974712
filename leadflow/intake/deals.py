"""`leadflow import deals.csv`: what a CRM says of its deals; a won one makes a customer on the day it was won."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from leadflow.conditions.vocabulary import FieldSpec, FieldType
from leadflow.errors import LeadflowError, UsageError
from leadflow.intake.addresses import read_address
from leadflow.intake.csvfile import CsvFile, Record
from leadflow.intake.deal_rows import NewDeal, write_deals
from leadflow.intake.deal_words import DealState
from leadflow.intake.fields import FieldError, clean_text, read_choice, read_instant, read_number
from leadflow.intake.importing import (
    Accounting,
    Intake,
    Look,
    Progress,
    Read,
    Rejected,
    Taken,
    count_read,
    import_rows,
    plainly,
)
from leadflow.intake.mapping import ColumnMapping, Wishes, map_columns
from leadflow.intake.person import named, read_id
from leadflow.playbook.model import Playbook
from leadflow.text import _

#: What a column of a deals file may fill.
DEAL_FIELDS = (
    *("email", "external_id", "deal_id", "state", "amount", "owner", "reason"),
    #: When it was won or lost; the latter two say the state as well.
    *("date", "won_date", "lost_date"),
)
_KINDS = ("leads", "deals")
_TELLING = {"state", "won_date", "lost_date"}

_STATES = FieldSpec(name="state", type=FieldType.CHOICE, choices=tuple(DealState))
_SPELLINGS: Mapping[str, str] = {
    **dict.fromkeys(("closed won", "closed_won", "closedwon", "gagné", "gagne", "gagnée", "signé"), "won"),
    **dict.fromkeys(("closed lost", "closed_lost", "closedlost", "perdu", "perdue"), "lost"),
    **dict.fromkeys(("in progress", "ouvert", "ouverte", "en cours"), "open"),
}


def looks_like_deals(kind: str | None, file: CsvFile, wishes: Wishes) -> bool:
    """Whether a file is about deals: `kind` says so, else a state or a date won is mapped or stands in its header."""
    if kind is not None and kind not in _KINDS:
        raise UsageError(_('--kind {kind}: a file holds "leads" or "deals"').format(kind=kind))
    return kind == "deals" if kind else bool(_TELLING & {*wishes.map, *file.header, *wishes.constant})


def map_deals(file: CsvFile, wishes: Wishes) -> ColumnMapping:
    """Which columns say what of a deal; UsageError when it cannot be known whose it is or how it stands."""
    mapping = map_columns(file, wishes, {}, builtin=DEAL_FIELDS)
    if not mapping.fields & {"email", "external_id"}:
        raise UsageError(_("no column says whose the deals are: --map email=COLUMN or --map external_id=COLUMN"))
    if not mapping.fields & _TELLING:
        raise UsageError(_("no column says how the deals stand: --map state=COLUMN or --map won_date=COLUMN"))
    return mapping


def import_deals(
    engine: Engine,
    playbook: Playbook,
    file: CsvFile,
    mapping: ColumnMapping,
    *,
    now: datetime,
    zone: ZoneInfo | None = None,
    dry_run: bool = False,
    progress: Progress = lambda _done: None,
    look: Look = lambda _session, _counted: None,
) -> Accounting:
    """Keep the deals of `file`; a row about somebody not known is rejected."""
    reader = DealReader(zone=zone or ZoneInfo(playbook.office.zone), date_formats=mapping.date_formats, now=now)

    def read(records: Sequence[Record]) -> list[Read[NewDeal] | Rejected]:
        return [plainly(mapping, reader.read, record) for record in records]

    def batch(deals: Sequence[Read[NewDeal]]) -> _DealBatch:
        return _DealBatch(playbook=playbook, deals=[deal.value for deal in deals], now=now)

    intake = Intake(read=read, keys=lambda deal: (deal.value.external_id,), count=count_read, batch=batch)
    return import_rows(engine, file, intake, dry_run=dry_run, progress=progress, look=look)


@dataclass(frozen=True, slots=True, kw_only=True)
class _DealBatch:
    playbook: Playbook
    deals: Sequence[NewDeal]
    now: datetime

    def look_up(self, session: Session) -> None:
        """Deals are few: `write` does it all."""

    def write(self, session: Session) -> Sequence[Taken | Rejected]:
        return write_deals(session, self.playbook, self.deals, now=self.now)


@dataclass(frozen=True, slots=True, kw_only=True)
class DealReader:
    """Reads a deal from texts by field; FieldError names the field and says what is wrong."""

    zone: ZoneInfo
    date_formats: Mapping[str, str]
    now: datetime

    def read(self, said: dict[str, str], _nulls: dict[str, str]) -> NewDeal:
        """The deal of `said`."""
        key = _key(said)
        closed_at, state = self._standing(said)
        notes: tuple[str, ...] = ()
        if closed_at is None and state is not DealState.OPEN:
            notes = (_("no date: it counts from the day of the import"),)
        return NewDeal(
            key=key,
            external_id=read_id(said.get("deal_id")) or f"{key[0]}:{key[1]}",
            state=state,
            amount=_cents(said.get("amount")),
            owner=_text(said.get("owner")),
            reason=_text(said.get("reason")),
            closed_at=closed_at if state is not DealState.OPEN else None,
            notes=notes,
        )

    def _standing(self, said: Mapping[str, str]) -> tuple[datetime | None, DealState]:
        dates = {name: self._date(name, said[name]) for name in ("won_date", "lost_date", "date") if name in said}
        if "state" in said:
            word = said["state"]
            try:
                state = DealState(read_choice(_SPELLINGS.get(word.strip().casefold(), word), _STATES))
            except FieldError as error:
                raise FieldError(f"state: {error}") from None
        elif "won_date" in dates:
            state = DealState.WON
        elif "lost_date" in dates:
            state = DealState.LOST
        else:
            raise FieldError(_("the row says neither a state nor a date won or lost"))
        own = {DealState.WON: "won_date", DealState.LOST: "lost_date"}.get(state, "date")
        return dates.get(own, dates.get("date")), state

    def _date(self, name: str, text: str) -> datetime:
        try:
            found = read_instant(text, zone=self.zone, date_format=self.date_formats.get(name))
        except FieldError as error:
            raise named(name, error) from None
        if found > self.now:
            raise FieldError(f"{name}: " + _('"{text}" lies in the future').format(text=text))
        return found


def _key(said: Mapping[str, str]) -> tuple[str, str]:
    if "email" in said:
        try:
            return "email", read_address(said["email"]).value
        except LeadflowError as error:
            raise FieldError(f"email: {error}") from None
    if "external_id" in said:
        return "external", clean_text(said["external_id"])
    raise FieldError(_("the row has neither an address nor an id"))


def _cents(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return round(read_number(text.strip(" \u00a0\u202f€$£")) * 100)
    except FieldError as error:
        raise FieldError(f"amount: {error}") from None


def _text(text: str | None) -> str | None:
    return clean_text(text) or None if text else None
