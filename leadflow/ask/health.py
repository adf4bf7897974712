"""What is wrong with the running of a workspace, as its tables show it: each finding with what to do about it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from leadflow.ask import invariants
from leadflow.ask.arrivals import arrivals
from leadflow.ask.finding import Finding, note, ok, wrong
from leadflow.ask.health_news import news_findings
from leadflow.ask.outbox import Outbox, outbox
from leadflow.ask.section import minute
from leadflow.connections import forgetful
from leadflow.db import database_now
from leadflow.models import job_run, message, sweep
from leadflow.playbook.model import Playbook
from leadflow.text import _, decimal, ngettext
from leadflow.types import DAY, MINUTE, JobState, MessageState, instant_of, micros

#: Due so long and not begun: nobody sends.
_TOO_LONG = timedelta(minutes=15)
#: A night is a day old at most, and some hours for those that take long.
_NIGHT_OLD = timedelta(hours=30)
#: Seconds between two clocks that are worth a word, and that do harm.
_APART, _FAR_APART = 2, 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What every check looks at."""

    session: Session
    playbook: Playbook
    now: datetime
    #: The adapter that sends, and whether it tells us what became of mail.
    provider: str
    has_news: bool

    def at(self, instant: datetime) -> str:
        """An instant by the office's clock."""
        return minute(instant, ZoneInfo(self.playbook.office.zone))


def findings(looked: Looked) -> Iterator[Finding]:
    """All that the tables show: first what keeps mail from leaving."""
    box = outbox(looked.session, looked.playbook, looked.now, provider=looked.provider)
    yield _due(looked, box)
    yield from _stopped(box)
    yield from _outage(looked, box)
    yield _claims(box)
    yield _doubts(box)
    yield _failed(looked)
    if looked.has_news:
        yield from news_findings(looked.session, looked.playbook, looked.now)
    if looked.playbook.rights.dates_opens:
        yield from arrivals(looked.session, looked.playbook, looked.now)
    yield _night(looked)
    yield _jobs(looked)
    yield from _invariants(looked)


def durability(session: Session) -> Finding:
    """What is committed is on the disk: a message forgotten after its mail left would leave twice."""
    unsafe = ", ".join(forgetful(session.connection()))
    if not unsafe:
        return ok("durability", _("what is committed survives a power cut"))
    told = _("the database may forget what it has committed ({found}): mail could leave twice")
    return wrong("durability", told.format(found=unsafe), _("set it to on, for this database at least"))


def clocks(session: Session, machine: datetime) -> Finding:
    """Leases and graces run on the database's clock, hours and expiry on this machine's."""
    apart = abs((instant_of(session.scalar(select(database_now())) or 0) - machine).total_seconds())
    told = _("this machine and the database are {seconds} s apart").format(seconds=decimal(apart))
    if apart < _APART:
        return ok("clocks", told)
    return (wrong if apart >= _FAR_APART else note)("clocks", told, _("set both clocks by the network (NTP)"))


def _due(looked: Looked, box: Outbox) -> Finding:
    waiting = [line for line in box.lines if line.why == "due"]
    oldest = min((line.oldest for line in waiting), default=None)
    if oldest is None:
        return ok("due", _("no mail waits that could leave"))
    n = sum(line.n for line in waiting)
    told = ngettext("{n} mail has been due since {at}", "{n} mails are due, the first since {at}", n)
    words = told.format(n=n, at=looked.at(oldest))
    if looked.now - oldest < _TOO_LONG:
        return ok("due", words)
    return wrong("due", words, _("nobody sends: start leadflow serve or a Prefect worker, or type leadflow deliver"))


def _stopped(box: Outbox) -> Iterator[Finding]:
    if n := _sum(box, "held"):
        told = ngettext("the brake holds {n} mail", "the brake holds {n} mails", n)
        yield note("due", told.format(n=n), _("leadflow approve shows the night, and asks"))
    if n := _sum(box, "paused"):
        told = ngettext("{n} planned mail is paused", "{n} planned mails are paused", n)
        yield note("due", told.format(n=n), _("leadflow pause lists what is paused, and by whom"))


def _outage(looked: Looked, box: Outbox) -> Iterator[Finding]:
    if box.outage is not None:
        told = _("{provider} has taken no mail since {at} ({note})")
        since = looked.at(box.outage.opened_at)
        words = told.format(provider=box.outage.provider, at=since, note=box.outage.note or "–")
        yield wrong("provider", words, _("look at its status page and at our key; mail waits, and none is lost"))


def _claims(box: Outbox) -> Finding:
    n = _sum(box, "gone")
    if not n:
        return ok("claims", _("no worker died with mail in hand"))
    told = ngettext("{n} mail is claimed by a worker that died", "{n} mails are claimed by workers that died", n)
    return wrong("claims", told.format(n=n), _("the next delivery takes them over; if they stay, none runs"))


def _doubts(box: Outbox) -> Finding:
    if n := _sum(box, "overdue"):
        told = ngettext("nobody has answered for {n} mail", "nobody has answered for {n} mails", n)
        do = _("upkeep settles them every five minutes; leadflow reconcile does it now and says what it finds")
        return wrong("doubts", told.format(n=n), do)
    if n := box.total(MessageState.UNKNOWN):
        told = ngettext("{n} mail is unknown: it may have left", "{n} mails are unknown: they may have left", n)
        do = _("leadflow outbox --state unknown lists them; on_unknown in leadflow.yaml says what becomes of them")
        return note("doubts", told.format(n=n), do)
    return ok("doubts", _("every mail that left has been answered for"))


def _sum(box: Outbox, why: str) -> int:
    """How many messages that have not ended have that cause."""
    ended = (MessageState.ACCEPTED, MessageState.FAILED, MessageState.SUPPRESSED)
    return sum(line.n for line in box.lines if line.why == why and line.state not in ended)


def _failed(looked: Looked) -> Finding:
    recent = (message.c.state == MessageState.FAILED, message.c.send_at > micros(looked.now) - DAY)
    n = looked.session.scalar(select(func.count()).select_from(message).where(*recent)) or 0
    if not n:
        return ok("failed", _("no mail failed in the last 24 hours"))
    told = ngettext("{n} mail failed in the last 24 hours", "{n} mails failed in the last 24 hours", n)
    do = _("leadflow outbox --state failed says why; leadflow resend --failed tries them again")
    return note("failed", told.format(n=n), do)


def _night(looked: Looked) -> Finding:
    lived = (sweep.c.scope == "everyone", sweep.c.finished_at.is_not(None))
    at = looked.session.scalar(select(sweep.c.at).where(*lived).order_by(sweep.c.at.desc()).limit(1))
    if at is None:
        return note("night", _("no night has been lived yet"), _("leadflow run lives one"))
    told = _("the last night was lived on {at}").format(at=looked.at(at))
    if looked.now - at < _NIGHT_OLD or looked.playbook.schedule.scheduler == "none":
        return ok("night", told)
    do = _("nobody keeps the schedule: start leadflow serve, or look at the deployments in Prefect")
    return wrong("night", told, do)


def _jobs(looked: Looked) -> Finding:
    """Scheduled acts that were begun and that nobody ends."""
    cut_off = (job_run.c.state == JobState.RUNNING, job_run.c.lease_until < database_now() - 10 * MINUTE)
    rows = looked.session.execute(select(job_run.c.job, job_run.c.slot).where(*cut_off).order_by(job_run.c.slot)).all()
    if not rows:
        return ok("jobs", _("no scheduled act was cut off"))
    names = ", ".join(f"{row.job} {row.slot}" for row in rows[-3:])
    n = len(rows)
    told = ngettext("{n} scheduled act was cut off: {names}", "{n} scheduled acts were cut off: {names}", n)
    do = _("whoever keeps the schedule finishes the newest night; nothing is sent twice")
    return note("jobs", told.format(n=n, names=names), do)


def _invariants(looked: Looked) -> Iterator[Finding]:
    broken = invariants.broken(looked.session, looked.playbook, looked.now)
    for words in broken:
        yield wrong("invariants", words, _("this is a fault of leadflow: please report it"))
    if not broken:
        yield ok("invariants", _("all rules that always hold do"))
