"""The funnel as tables: by source, month, segment or salesperson; step by step; where people stand now."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise

from leadflow.ask.funnel import Cohort, Funnel, rate
from leadflow.ask.report import numbers
from leadflow.ask.report.reached import Question
from leadflow.ask.report.sheet import Cell, Column, Kind, Sheet
from leadflow.ask.report.words import empty_words, group_words, many_words, step_words
from leadflow.playbook.model import Playbook
from leadflow.text import _, current_language, ngettext
from leadflow.types import Lifecycle, instant_of

#: People known for less have had little time to decide.
_YOUNG = timedelta(days=30)


def funnel_sheet(found: Funnel, playbook: Playbook) -> Sheet:
    """One row a cohort and a last one for everybody."""
    question = found.question
    stages = question.stages[1:]
    columns = [Column(key=question.by, title=group_words(question.by), kind=Kind.TEXT), _count("people", _("people"))]
    for key, title in [*((name, step_words(name)) for name in stages), ("prospect", _("prospect"))]:
        columns += [_count(key, title), Column(key=f"{key}_rate", kind=Kind.RATE)]
    columns += [
        _count("customer", _("customer")),
        Column(key="customer_rate", kind=Kind.RATE),
        Column(key="of_people", title=_("of people"), kind=Kind.FINE_RATE),
        Column(key="amount", title=_("amount"), kind=Kind.MONEY),
        Column(key="days_to_prospect", title=_("days to prospect"), kind=Kind.DAYS),
        Column(key="days_to_customer", title=_("days to customer"), kind=Kind.DAYS),
    ]
    return Sheet(
        name="funnel",
        title=_("From lead to customer"),
        lead=_lead(question),
        columns=tuple(columns),
        rows=tuple(_row(cohort, name) for cohort, name in _named(found, playbook)),
        total=True,
        notes=tuple(_notes(found)),
    )


def _count(key: str, title: str) -> Column:
    return Column(key=key, title=title)


def _named(found: Funnel, playbook: Playbook) -> Iterator[tuple[Cohort, str]]:
    by = found.question.by
    for cohort in found.cohorts[:-1]:
        name = cohort.name or empty_words(by)
        if by == "segment" and name in playbook.segments:
            name = playbook.segments[name].title.get(current_language(), name)
        yield cohort, name
    if found.total is not None:
        yield found.total, _("total")


def _row(cohort: Cohort, name: str) -> tuple[Cell, ...]:
    steps: list[Cell] = []
    for before, people in pairwise(cohort.reached):
        steps += [people, rate(people, before)]
    times = cohort.days_to_prospect, cohort.days_to_customer
    return (name, cohort.people, *steps, cohort.win_rate, cohort.amount, *times)


def _lead(question: Question) -> str:
    words = _("people who entered {when} · each counted once, in the month they entered, by their first source")
    return words.format(when=period_words(question))


def period_words(question: Question) -> str:
    """between January and March 2026, or at any time."""
    period = question.period
    since, last = (
        None if at is None else instant_of(at).astimezone(question.zone).date()
        for at in (period.since, None if period.until is None else period.until - 1)
    )
    if since is None and last is None:
        return _("at any time")
    if since is None:
        return _("until {last}").format(last=numbers.day(last or date.max, year=True))
    if last is None:
        return _("since {first}").format(first=numbers.day(since, year=True))
    if since.day != 1 or (last + timedelta(days=1)).day != 1:
        first = numbers.day(since, year=since.year != last.year)
        return _("from {first} to {last}").format(first=first, last=numbers.day(last, year=True))
    end = numbers.month(last, year=True)
    if (since.year, since.month) == (last.year, last.month):
        return _("in {month}").format(month=end)
    return _("between {first} and {last}").format(first=numbers.month(since, year=since.year != last.year), last=end)


def _notes(found: Funnel) -> Iterator[str]:
    total, question = found.total, found.question
    if total is None:
        return
    yield _("· no rate: fewer than 20 people before it. “Of people” is customers among everybody, the others per step.")
    if any(after > before for cohort in found.cohorts for before, after in pairwise(cohort.reached)):
        yield _("· nor where more people reached a step than the one before: some skip a step.")
    yield from _customers(total)
    yield from _ages(found)
    if question.by == "owner":
        yield _("A person's salesperson is who had the last hand-over, else the owner of the company.")
    if question.by == "segment":
        yield _("A person's segment is the first of segment_order they are in today.")


def _customers(total: Cohort) -> Iterator[str]:
    if total.won_before:
        text = ngettext(
            "{n} customer was won before first contact (imported): counted, listed with --odd.",
            "{n} customers were won before first contact (imported): counted, listed with --odd.",
            total.won_before,
        )
        yield text.format(n=numbers.whole(total.won_before))
    if total.won_late:
        text = ngettext(
            "{n} customer was won more than 90 days after first contact.",
            "{n} customers were won more than 90 days after first contact.",
            total.won_late,
        )
        yield text.format(n=numbers.whole(total.won_late))


def _ages(found: Funnel) -> Iterator[str]:
    question = found.question
    if question.age is not None:
        text = ngettext(
            "Everybody as they were {age} days after first contact; {n} person is younger and left out.",
            "Everybody as they were {age} days after first contact; {n} people are younger and left out.",
            found.left_out,
        )
        yield text.format(age=question.age, n=numbers.whole(found.left_out))
    elif found.newest is not None and question.now is not None and question.now - found.newest < _YOUNG:
        entered = found.newest.astimezone(question.zone).date()
        yield _(
            "The last people entered on {day}: they had little time to decide. Compare at the same age with --age 30."
        ).format(day=numbers.day(entered))


def steps_sheet(total: Cohort, stages: Sequence[str]) -> Sheet:
    """Everybody step by step: how many, of those before, and how long it took."""
    names = (*stages, Lifecycle.PROSPECT, Lifecycle.CUSTOMER)
    before = (None, *total.reached[:-1])
    shares = (None if whole is None else rate(part, whole) for part, whole in zip(total.reached, before, strict=True))
    columns = (
        Column(key="step", kind=Kind.TEXT),
        _count("people", _("people")),
        Column(key="of_those_before", title=_("of those before"), kind=Kind.RATE),
        Column(key="median_days", title=_("median days"), kind=Kind.DAYS),
    )
    # Sweeps are a day apart: hundredths of a day would pretend to know more.
    days = (None, *(None if took is None else round(took, 1) for took in total.days_between))
    rows = zip(map(step_words, names), total.reached, shares, days, strict=True)
    return Sheet(name="steps", title=_("Funnel"), columns=columns, rows=tuple(rows))


def standing_sheet(counts: Mapping[tuple[str, str], int], stages: Sequence[str]) -> Sheet:
    """Everybody by lifecycle and stage, now."""
    columns = [
        Column(key="lifecycle", kind=Kind.TEXT),
        *(_count(name, step_words(name)) for name in stages),
        _count("total", _("total")),
    ]
    rows: list[tuple[Cell, ...]] = []
    for life in Lifecycle:
        cells = [counts.get((life, stage)) for stage in stages]
        everybody = sum(n for (of, _stage), n in counts.items() if of == life)
        rows.append((many_words(life), *cells, everybody))
    by_stage = [sum(counts.get((life, stage), 0) for life in Lifecycle) for stage in stages]
    rows.append((_("total"), *by_stage, sum(counts.values())))
    return Sheet(name="standing", title=_("Now"), columns=tuple(columns), rows=tuple(rows), total=True)
