"""Plays a persona on the real machine and a virtual clock: what happened, and where it is not as expected."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from leadflow.app import urgent_acts
from leadflow.db import make_engine
from leadflow.errors import Fault, LeadflowError, PlaybookError
from leadflow.models import message
from leadflow.models.schema import create_schema
from leadflow.playbook.model import Playbook
from leadflow.testing.compare import check, fault_of
from leadflow.testing.persona import Day, Persona
from leadflow.testing.play import do
from leadflow.testing.scenario import Expectation
from leadflow.testing.spoken import spoken
from leadflow.testing.world import open_world
from leadflow.text import _, current_language
from leadflow.types import MessageState

_WHO = "person"
#: By then whatever could leave on a day has left.
_EVENING = timedelta(hours=23)
#: An act is seen by whoever looks after it.
_SOON = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """One thing of the story, in words."""

    #: Day of the story, from 1.
    day: int
    at: datetime
    told: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What should have been and was not, and what `why` says of it then."""

    fault: Fault
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """A persona, played to the end or to the first day that is not as told."""

    persona: Persona
    story: tuple[Happened, ...]
    failures: tuple[Failure, ...]
    nights: int


def rehearse(persona: Persona, playbook: Playbook) -> Rehearsal:
    """Live the days of `persona` on an empty database of their own; PlaybookError where the persona cannot do that."""
    with _empty_database() as engine:
        return _Rehearsing(persona, playbook, engine).run()


@contextmanager
def _empty_database() -> Iterator[Engine]:
    with TemporaryDirectory(prefix="leadflow-test-") as folder:
        engine = make_engine(f"sqlite:///{Path(folder) / 'leadflow.db'}")
        create_schema(engine)
        try:
            yield engine
        finally:
            engine.dispose()


class _Rehearsing:
    def __init__(self, persona: Persona, playbook: Playbook, engine: Engine) -> None:
        self.persona, self.zone = persona, ZoneInfo(playbook.office.zone)
        self.begin = persona.starts.replace(tzinfo=self.zone)
        self.world = open_world(engine, playbook, self.begin)
        self.urgent = urgent_acts(playbook)
        self.done: list[Happened] = []
        #: How many mails earlier days have spoken of.
        self.seen = 0

    def run(self) -> Rehearsal:
        try:
            self.world.arrive(_WHO, self.persona.fields)
        except LeadflowError as error:
            raise PlaybookError([fault_of(self.persona.place, str(error))]) from error
        failures: list[Failure] = []
        for day, following in zip(self.persona.days, [*self.persona.days[1:], None], strict=True):
            failures += self._live(day, following)
            # What follows rests on it: the first day that goes otherwise is the one to mend.
            if failures:
                break
        nights = (self.world.now.astimezone(self.zone).date() - self.begin.date()).days
        story = tuple(sorted([*self.done, *self._mails_told()], key=lambda one: one.at))
        return Rehearsal(persona=self.persona, story=story, failures=tuple(failures), nights=nights)

    def _live(self, day: Day, following: Day | None) -> list[Failure]:
        if day.doings:
            self._act(day)
        self.world.live_until(max(self._looked_at(day, following), self.world.now))
        wrong = [fault for expected in day.expect if (fault := self._differs(day, expected))]
        mails = self._sent()
        wrong += self._unlike(day, mails[self.seen :])
        wrong += self._forbidden(mails[self.seen :])
        if day.receives:
            self.seen = len(mails)
        why = spoken(self.world, _WHO, current_language(), brief=True) if wrong else ()
        return [Failure(fault=fault, why=why) for fault in wrong]

    def _act(self, day: Day) -> None:
        self.world.live_until(day.at.replace(tzinfo=self.zone))
        for doing in day.doings:
            do(self.world, doing)
            told = [doing.verb, *(f"{name} {value}" for name, value in doing.details.items())]
            self._tell(day.number, " ".join([*told, f"× {doing.times}"] if doing.times > 1 else told))
        if any(doing.verb in self.urgent for doing in day.doings):
            # As it is where the web runs: what is urgent does not wait for the night.
            self.world.live_until(self.world.now + _SOON)
            self.world.sweep_one(_WHO)

    def _tell(self, day: int, told: str) -> None:
        self.done.append(Happened(day=day, at=self.world.now.astimezone(self.zone), told=told))

    # What must be so

    def _looked_at(self, day: Day, following: Day | None) -> datetime:
        """The evening, or just before what is done next on the same day."""
        evening = day.at.replace(hour=0, minute=0) + _EVENING
        soon = following.at - _SOON if following and following.number == day.number else evening
        return min(evening, soon).replace(tzinfo=self.zone)

    def _differs(self, day: Day, expected: Expectation) -> Fault | None:
        try:
            found = check(self.world, _WHO, expected.word, expected.texts)
        except LeadflowError as error:
            return fault_of(expected.place, str(error))
        return None if found is None else self._fault(day, expected, "; ".join(expected.texts), found)

    def _unlike(self, day: Day, mails: Sequence[Any]) -> list[Fault]:
        expected = day.receives
        if expected is None:
            return []
        same = len(mails) == len(expected.texts) and all(map(_is, mails, expected.texts))
        found = "; ".join(self._said(mail) for mail in mails)
        return [] if same else [self._fault(day, expected, "; ".join(expected.texts), found)]

    def _forbidden(self, mails: Sequence[Any]) -> list[Fault]:
        never = self.persona.never
        if never is None:
            return []
        told = _("never to be received, and it was: {found}")
        bad = [mail for mail in mails if any(_is(mail, text) for text in never.texts)]
        return [fault_of(never.place, told.format(found=self._said(mail))) for mail in bad]

    def _fault(self, day: Day, expected: Expectation, wanted: str, found: str) -> Fault:
        told = _("on day {day} ({date}), {word} should be {wanted}, but was: {found}").format(
            day=day.number,
            date=f"{day.at:%Y-%m-%d}",
            word=expected.word,
            wanted=wanted or _("nothing"),
            found=found if found not in ("", "nothing") else _("nothing"),
        )
        return fault_of(expected.place, told)

    # Mails

    def _sent(self) -> list[Any]:
        """What has left, oldest first."""
        mine = select(message).where(message.c.lead_id == self.world.people[_WHO])
        left = mine.where(message.c.state == MessageState.ACCEPTED).order_by(message.c.sent_at, message.c.id)
        with Session(self.world.app.engine) as session:
            return list(session.execute(left).all())

    def _said(self, mail: Any) -> str:
        at = mail.sent_at.astimezone(self.zone)
        step = f" ({mail.sequence}/{mail.step})" if mail.sequence else ""
        return f"{mail.email}{step} {at:%Y-%m-%d %H:%M}"

    def _mails_told(self) -> Iterator[Happened]:
        for mail in self._sent():
            at = mail.sent_at.astimezone(self.zone)
            day = (at.date() - self.begin.date()).days + 1
            yield Happened(day=day, at=at, told=f"← {mail.email} [{mail.language}]")


def _is(mail: Any, text: str) -> bool:
    """By its name or a pattern of names, or by the step that sent it."""
    return fnmatchcase(f"{mail.sequence}/{mail.step}" if "/" in text else mail.email, text)
