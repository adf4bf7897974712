"""Emails, weeks, salespeople, clocks and oddities as tables."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from leadflow.ask.funnel import rate
from leadflow.ask.person import code_of
from leadflow.ask.report.emails import Edit, EmailFigures
from leadflow.ask.report.flows import Week
from leadflow.ask.report.odd import Odd, Oddity
from leadflow.ask.report.sales import RepFigures
from leadflow.ask.report.sheet import Cell, Column, Kind, Sheet
from leadflow.ask.report.words import oddity_words
from leadflow.text import _


def emails_sheet(found: Sequence[EmailFigures], zone: ZoneInfo, edits: Mapping[str, Edit]) -> Sheet:
    """One row an email, one a variant where it has some; who edited it last where that is known."""
    columns = [
        Column(key="email", title=_("email"), kind=Kind.TEXT),
        Column(key="sent", title=_("sent")),
        Column(key="delivered", title=_("delivered")),
        Column(key="clicked", title=_("clicked (human)")),
        Column(key="clicked_rate", kind=Kind.RATE),
        Column(key="replied", title=_("replied")),
        Column(key="moved_on", title=_("moved on in 14 days")),
        Column(key="moved_on_rate", kind=Kind.RATE),
        Column(key="unsubscribed", title=_("unsubscribed")),
        Column(key="in_use_since", title=_("in use since"), kind=Kind.DATE),
    ]
    rows = [_email(one, zone) for one in found]
    if edits:
        columns += [
            Column(key="last_edited", title=_("last edited"), kind=Kind.DATE),
            Column(key="edited_by", title=_("by"), kind=Kind.TEXT),
        ]
        newest = [edits.get(one.email) for one in found]
        told = [(edit.day, edit.author) if edit else (None, None) for edit in newest]
        rows = [(*row, *said) for row, said in zip(rows, told, strict=True)]
    notes = (
        _("Rates are shares of the mails sent; · on fewer than 20. Opens are never counted, nor clicks of machines."),
        _("“Moved on”: reached a further stage within 14 days. It is not proof that the email did it; a holdout is."),
    )
    return Sheet(name="emails", title=_("Emails"), columns=tuple(columns), rows=tuple(rows), notes=notes)


def _email(one: EmailFigures, zone: ZoneInfo) -> tuple[Cell, ...]:
    clicked, moved = (one.clicked, rate(one.clicked, one.sent)), (one.moved_on, rate(one.moved_on, one.sent))
    since = None if one.in_use_since is None else one.in_use_since.astimezone(zone).date()
    name = f"{one.email} ({one.variant})" if one.variant else one.email
    return (name, one.sent, one.delivered, *clicked, one.replied, *moved, one.unsubscribed, since)


def weeks_sheet(weeks: Sequence[Week]) -> Sheet:
    """One row a week: sent = clicked + delivered, not clicked + bounced + no news yet."""
    columns = (
        Column(key="week_of", title=_("week of"), kind=Kind.DATE),
        Column(key="sent", title=_("sent")),
        Column(key="clicked", title=_("clicked (human)")),
        Column(key="unclicked", title=_("delivered, not clicked")),
        Column(key="bounced", title=_("bounced")),
        Column(key="silent", title=_("no news yet")),
        Column(key="unsubscribed", title=_("unsubscribed")),
    )
    names = ("sent", "clicked", "unclicked", "bounced", "silent", "unsubscribed")
    counts = [tuple(getattr(week, name) for name in names) for week in weeks]
    rows: list[tuple[Cell, ...]] = [(week.monday, *found) for week, found in zip(weeks, counts, strict=True)]
    return Sheet(name="weeks", title=_("Mails by week"), columns=columns, rows=tuple(rows))


def sales_sheet(found: Sequence[RepFigures]) -> Sheet:
    """One row a salesperson and a last one for all: given = accepted + rejected + waiting + late + lapsed."""
    names = ("given", "accepted", "rejected", "waiting", "late", "lapsed")
    columns = (
        Column(key="salesperson", title=_("salesperson"), kind=Kind.TEXT),
        Column(key="given", title=_("given")),
        Column(key="accepted", title=_("accepted")),
        Column(key="rejected", title=_("rejected")),
        Column(key="waiting", title=_("waiting")),
        Column(key="late", title=_("late")),
        Column(key="lapsed", title=_("lapsed")),
        Column(key="median_answer", title=_("median answer"), kind=Kind.HOURS),
        Column(key="won", title=_("won")),
        Column(key="amount", title=_("amount"), kind=Kind.MONEY),
        Column(key="why_rejected", title=_("why rejected"), kind=Kind.TEXT),
    )
    rows: list[tuple[Cell, ...]] = [
        (
            one.rep or _("(nobody)"),
            *(getattr(one, name) for name in names),
            one.median_answer,
            one.won,
            one.amount,
            _why(one),
        )
        for one in found
    ]
    sums = [sum(getattr(one, name) for one in found) for name in names]
    rows.append((_("total"), *sums, None, sum(one.won for one in found), sum(one.amount for one in found), None))
    notes = (
        _("Whoever has a hand-over now is counted for it. Won, lost and put off were accepted."),
        _("The median answer counts hours of the office: a weekend is no delay."),
    )
    return Sheet(
        name="sales", title=_("Hand-overs"), columns=columns, rows=tuple(rows) if found else (), total=True, notes=notes
    )


def _why(one: RepFigures) -> str:
    said = ", ".join(f"{reason} {n}" if n > 1 else reason for reason, n in one.why_rejected.items())
    if one.telling_rule is None:
        return said
    words = _("{rule}: {n} of their {n} rejections").format(rule=one.telling_rule, n=one.rejected)
    return f"{said}  ← {words}"


def clocks_sheet(found: Sequence[RepFigures]) -> Sheet:
    """One row a salesperson: given = in time + after time + waiting + late + closed unanswered."""
    columns = (
        Column(key="salesperson", title=_("salesperson"), kind=Kind.TEXT),
        Column(key="given", title=_("given")),
        Column(key="in_time", title=_("answered in time")),
        Column(key="after_time", title=_("answered late")),
        Column(key="waiting", title=_("waiting")),
        Column(key="late", title=_("waiting, late")),
        Column(key="silent", title=_("closed unanswered")),
    )
    clocks = [(one.rep or _("(nobody)"), one.given, one.clock) for one in found]
    rows: list[tuple[Cell, ...]] = [
        (rep, given, clock.in_time, clock.after_time, clock.waiting, clock.late, clock.silent)
        for rep, given, clock in clocks
    ]
    return Sheet(name="clocks", title=_("Clocks of hand-overs"), columns=columns, rows=tuple(rows))


def odd_sheet(people: Sequence[Odd], zone: ZoneInfo, *, named: bool = True) -> Sheet:
    """One row a person and oddity; without addresses where the page may travel."""
    columns = [
        Column(key="oddity", title=_("what is odd"), kind=Kind.TEXT),
        Column(key="lead", title=_("person"), kind=Kind.TEXT),
        Column(key="address", title=_("address"), kind=Kind.TEXT),
        Column(key="first_contact", title=_("first contact"), kind=Kind.TEXT),
        Column(key="date", title=_("date that does not fit"), kind=Kind.TEXT),
    ]
    rows: list[tuple[Cell, ...]] = [
        (
            oddity_words(one.oddity),
            code_of(one.lead_id),
            one.address or "",
            _iso(one.first_seen_at, zone),
            _iso(one.at, zone),
        )
        for one in people
    ]
    if not named:
        del columns[2]
        rows = [(*row[:2], *row[3:]) for row in rows]
    return Sheet(name="odd", title=_("Odd histories"), columns=tuple(columns), rows=tuple(rows))


def _iso(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d}"


def odd_counts_sheet(counts: Mapping[Oddity, int]) -> Sheet:
    """How many people of each kind."""
    columns = (
        Column(key="oddity", title=_("what is odd"), kind=Kind.TEXT),
        Column(key="people", title=_("people")),
    )
    rows = [(oddity_words(oddity), n) for oddity, n in counts.items()]
    return Sheet(name="odd", title=_("Odd histories"), columns=columns, rows=tuple(rows))
