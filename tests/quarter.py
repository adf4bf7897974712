"""A season of sales in the simulated world: ten salespeople with habits, people who act, fall silent and come back."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, Row, select
from sqlalchemy.orm import Session

from leadflow.app import broken_invariants
from leadflow.intake.answers import answer
from leadflow.models import escalation
from leadflow.playbook.model import Absence, Playbook, Sales, Salesperson
from leadflow.testing import World, open_world
from leadflow.types import Answer, EscalationState

#: A Monday.
FIRST = date(2026, 3, 2)
#: Three of one pool whom nothing tells apart.
TRIO = ("Ana", "Bea", "Cleo")
_HANDS = ("quote_requested", "demo_requested", "meeting_booked")


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """How somebody answers: the chance a day, and the shares of what they say."""

    answers: float
    accept: float = 0.6
    reject: float = 0.25


HABITS: Mapping[str, Habit] = {
    "Ana": Habit(answers=1),
    "Bea": Habit(answers=0.9),
    "Cleo": Habit(answers=0.8),
    "Dan": Habit(answers=0.2),
    "Eve": Habit(answers=0),
    "Fay": Habit(answers=0.9, accept=0.05, reject=0.95),
    "Gus": Habit(answers=0.9),
    "Hal": Habit(answers=0.7),
    "Ivy": Habit(answers=0.95),
    "Jo": Habit(answers=0.8, accept=0.3, reject=0.1),
}


def ten(days: int) -> tuple[Salesperson, ...]:
    """The team: prompt ones, a slow one, one who never answers, one on holiday, one of three days a week."""

    def away(*gone: tuple[int, int]) -> tuple[Absence, ...]:
        return tuple(
            Absence(start=f"{FIRST + timedelta(days=a):%Y-%m-%d}", end=f"{FIRST + timedelta(days=b):%Y-%m-%d}")
            for a, b in gone
        )

    fr, both = ("fr",), ("fr", "en")
    part_time = [(7 * week + day, 7 * week + day) for week in range(days // 7 + 1) for day in (2, 4)]
    return (
        *(Salesperson(name=name, languages=fr, segments=("online-shops", "professional-firms")) for name in TRIO),
        Salesperson(name="Dan", languages=fr, segments=("manufacturers",), per_day=1, open=4),
        Salesperson(name="Eve", languages=fr, segments=("manufacturers",), per_day=1, open=3),
        Salesperson(name="Fay", languages=fr, segments=("manufacturers",), per_day=2, open=8),
        Salesperson(name="Gus", languages=both, segments=("manufacturers",), open=9, away=away((9, 23))),
        Salesperson(name="Hal", languages=both, segments=("manufacturers",), per_day=2, away=away(*part_time)),
        Salesperson(name="Ivy", languages=("en",), segments=("foreign-brands",), per_day=2, open=12),
        Salesperson(name="Jo", languages=both, segments=("foreign-brands", "manufacturers"), per_day=1, open=5),
    )


def sold_by_ten(book: Playbook, days: int) -> Playbook:
    """`book` with this team and without a brake; where there is less than a quarter to live, its long spans shorter."""
    sales: Sales = replace(book.sales, team=ten(days))
    free = replace(book.brake, sends_over=None, times_usual=None, handovers_over=None)
    if days >= 90:
        return replace(book, sales=sales, brake=free)
    # What takes two weeks takes three days.
    no_answer = replace(sales.no_answer, after=sales.no_answer.after // 5)
    sales = replace(sales, same_lead=sales.same_lead // 15, no_answer=no_answer)
    rules = replace(book.journey.lifecycle, rest=book.journey.lifecycle.rest // 20)
    return replace(book, sales=sales, brake=free, journey=replace(book.journey, lifecycle=rules))


@dataclass(slots=True, kw_only=True)
class Season:
    """What happened, beside what the tables keep."""

    world: World
    days: int
    #: The chance that somebody acts on a day.
    pace: float
    random: Random = field(default_factory=lambda: Random(42))
    #: Hand-over id → when somebody answered.
    answers: dict[int, list[datetime]] = field(default_factory=dict)
    #: Hand-over id → when it was put off, and until which mornings.
    mornings: dict[int, list[tuple[datetime, datetime]]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def live(self) -> None:
        """Every day: a night, people's acts, two rounds of answers."""
        for n in range(self.days):
            day = FIRST + timedelta(days=n)
            self._reach(day, 9)
            # The night has been.
            self.faults += [f"{day}: {fault}" for fault in broken_invariants(self.world.app, self.world.now)]
            self._act(n)
            for hour in (11, 16):
                self._reach(day, hour)
                self._answer(day)

    def _reach(self, day: date, hour: int) -> None:
        self.world.live_until(datetime.combine(day, time(hour), self.world.office))

    # People

    def _act(self, n: int) -> None:
        for name in [name for name in self.world.people if self._moves(name, n)]:
            for minute, path in enumerate(("/tarifs", "/realisations/a", "/tarifs/site", "/e-commerce/b")):
                self.world.act(name, "page_viewed", path=path, at=self.world.now - timedelta(minutes=9 + minute))
            if self.random.random() < 0.3:
                self.world.act(name, "content_downloaded", asset="guide", at=self.world.now - timedelta(minutes=5))
            if self.random.random() < 0.12:
                self.world.act(name, self.random.choice(_HANDS), at=self.world.now - timedelta(minutes=1))
                self.world.sweep_one(name)

    def _moves(self, name: str, n: int) -> bool:
        """Returning ones come in the first days and again towards the end; the others now and then."""
        if name.startswith("back"):
            return n in (1, 2) or n in (self.days - 9, self.days - 8)
        return self.random.random() < self.pace

    # Sales

    def _answer(self, day: date) -> None:
        here = {rep.name for rep in self.world.app.playbook.sales.team if not _away(rep, day)}
        if day.weekday() < 5:
            for row in self._open():
                if row.rep in here:
                    self._say(row, HABITS[row.rep])

    def _open(self) -> list[Row[tuple[int, str, str, datetime, int]]]:
        columns = (escalation.c.id, escalation.c.rep, escalation.c.state, escalation.c.opened_at, escalation.c.lead_id)
        with Session(self.world.app.engine) as session:
            waiting = select(*columns).where(escalation.c.closed_at.is_(None)).order_by(escalation.c.id)
            return list(session.execute(waiting))

    def _say(self, row: Row[tuple[int, str, str, datetime, int]], habit: Habit) -> None:
        if row.state == EscalationState.ACCEPTED:
            self._conclude(row)
        elif row.state == EscalationState.WAITING and self.random.random() < habit.answers / 2:
            said = self.random.random()
            if said < habit.accept:
                self._give(row.id, Answer.ACCEPT)
            elif said < habit.accept + habit.reject:
                self._give(row.id, Answer.REJECT, reason=self.random.choice(("no_project", "too_late", "no_budget")))
            else:
                back = self.world.now.date() + timedelta(days=self.random.randrange(3, 12))
                self._give(row.id, Answer.LATER, again_on=back)

    def _conclude(self, row: Row[tuple[int, str, str, datetime, int]]) -> None:
        """A tenth of those accepted four days ago end a day: said by sales, by the CRM, or by both."""
        if self.world.now - row.opened_at < timedelta(days=4) or self.random.random() > 0.05:
            return
        name = next(name for name, lead_id in self.world.people.items() if lead_id == row.lead_id)
        won, by_crm = self.random.random() < 0.4, self.random.random() < 0.5
        if by_crm:
            self.world.deal(name, "won" if won else "lost")
            self.answers.setdefault(row.id, []).append(self.world.now)
        elif won:
            self._give(row.id, Answer.WON, amount=900_000)
            self.world.deal(name, "won")
        else:
            self._give(row.id, Answer.LOST, reason="price")

    def _give(self, number: int, said: Answer, **more: object) -> None:
        with Session(self.world.app.engine) as session, session.begin():
            answer(session, self.world.app.playbook, self.world.now, number, said, **more)  # type: ignore[arg-type]
            if said is Answer.LATER:
                again = session.scalar(select(escalation.c.again_at).where(escalation.c.id == number))
                self.mornings.setdefault(number, []).append((self.world.now, again or self.world.now))
        self.answers.setdefault(number, []).append(self.world.now)


def _away(rep: Salesperson, day: date) -> bool:
    return any(absence.start <= f"{day:%Y-%m-%d}" <= absence.end for absence in rep.away)


def live_season(engine: Engine, book: Playbook, *, days: int, people: int, pace: float) -> Season:
    """`days` of ten salespeople and `people` people, two of three alone in their company, some who go and come back."""
    world = open_world(engine, sold_by_ten(book, days), datetime.combine(FIRST, time(3), _office(book)))
    world.delivers_every, world.clock_hours = timedelta(hours=2), (9, 13, 17)
    season = Season(world=world, days=days, pace=pace)
    for n, name in enumerate(_names(people)):
        world.arrive(name, dict(_fields(n, name)))
    season.live()
    return season


def _names(people: int) -> Iterator[str]:
    yield from (f"{'back' if n % 10 == 0 else 'person'}{n}" for n in range(people))


def _fields(n: int, name: str) -> Iterator[tuple[str, str]]:
    trade = ("retail", "manufacturing", "professional_services", "manufacturing")[n % 4]
    company = f"company{n - n % 3 if n % 9 < 3 else n}"
    yield "email", f"{name}@{name}.example"
    yield from (("company", company), ("industry", trade), ("employees", "80"), ("cms", "shopify"))
    yield from (("role", ("decides", "recommends")[n % 2]), ("first_name", f"N{n}"))
    if n % 3:
        yield "project", "redesign"
    yield from (("language", "en"), ("country", "IE")) if n % 5 == 0 else (("language", "fr"), ("country", "FR"))


def _office(book: Playbook) -> ZoneInfo:
    return ZoneInfo(book.office.zone)
