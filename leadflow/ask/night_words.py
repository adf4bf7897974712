"""Words of the nightly summary: when a reason lifts, what a phase counted, and what needs a human."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from leadflow.ask.night import Night, Without
from leadflow.ask.night_counts import BOUNCES_BELOW, COMPLAINTS_BELOW
from leadflow.conditions.dates import day_words
from leadflow.text import _, decimal, ngettext
from leadflow.types import Reason


def lifts(one: Without, now: datetime, zone: ZoneInfo) -> str:
    """When the people behind a reason may get a mail again: a day, or what has to happen."""
    if one.last is not None:
        first, last = _day(one.first or one.last, now, zone), _day(one.last, now, zone)
        if one.reason is Reason.NOT_DUE:
            return _("by {date}").format(date=last)
        return last if first == last else f"{first} – {last}"
    return {
        Reason.NOT_DUE: _("the next night"),
        Reason.FINISHED: _("new content"),
        Reason.NO_SEQUENCE: _("a sequence they match"),
        Reason.RAMP: _("the next nights"),
        Reason.OUTRANKED: _("the mail before it"),
        Reason.PRESSURE: _("the caps"),
        Reason.WINDOW: _("the window"),
        Reason.PAUSED: _("the end of the pause"),
        Reason.PARKED: _("the step, in the files"),
        Reason.WITH_SALES: _("their answer"),
        Reason.RESTING: _("the end of the rest"),
        Reason.OPEN_DEAL: _("the end of the deal"),
        Reason.NO_ADDRESS: _("an address"),
        Reason.NO_BASIS: _("import notes"),
        Reason.PREFERENCE: _("the end of their pause"),
        Reason.NO_MAIL_FLAG: _("an import without --no-mail"),
        Reason.NO_MAIL_LEFT: _("a new email"),
        Reason.ALREADY_RECEIVED: _("a new email"),
        Reason.MISSING_FIELD: _("the field, or a default"),
        Reason.EXPIRED: _("the next step"),
        Reason.RENDER_FAILED: _("the email, mended"),
    }.get(one.reason, _("never"))


def since(one: Without, now: datetime, zone: ZoneInfo) -> str:
    """`⚠ 12 March`, `⚠ new`; nothing where nobody has to act."""
    if one.since is None:
        return ""
    return "⚠ " + (_("new") if one.since >= now else _day(one.since, now, zone))


def counted(counts: Mapping[str, int]) -> str:
    """`planned 20 · enrolled 4`: what is not nought."""
    words = _count_words()
    return " · ".join(f"{words.get(str(name), str(name))} {n}" for name, n in counts.items() if n)


def warnings(night: Night, now: datetime, zone: ZoneInfo) -> tuple[str, ...]:
    """What needs a human, a line each."""
    return tuple(_warnings(night, now, zone))


def _warnings(night: Night, now: datetime, zone: ZoneInfo) -> Iterator[str]:
    yield from _people_stuck(night, now, zone)
    if night.late:
        yield ngettext("{n} hand-over is late", "{n} hand-overs are late", night.late).format(n=night.late)
    if night.unknown:
        words = ngettext(
            "{n} mail of which nobody can say whether it left",
            "{n} mails of which nobody can say whether they left",
            night.unknown,
        )
        yield words.format(n=night.unknown)
    if night.bounces is not None and night.bounces >= BOUNCES_BELOW:
        yield _("{n} bounces per 1,000 mails: mailbox providers begin to refuse at {limit}").format(
            n=decimal(night.bounces), limit=BOUNCES_BELOW
        )
    if night.complaints is not None and night.complaints >= COMPLAINTS_BELOW:
        yield _("{n} complaints per 1,000 mails: mailbox providers begin to refuse at {limit}").format(
            n=decimal(night.complaints), limit=COMPLAINTS_BELOW
        )


def _people_stuck(night: Night, now: datetime, zone: ZoneInfo) -> Iterator[str]:
    for n, *kind in night.dry:
        words = ngettext(
            "{n} person has nothing left to read: {kind}", "{n} people have nothing left to read: {kind}", n
        )
        yield words.format(n=n, kind=" × ".join(word for word in kind if word))
    for one in night.without:
        day = _day(one.since, now, zone) if one.since else ""
        match one.reason:
            case Reason.NO_BASIS:
                words = ngettext(
                    "{n} person has no basis, source or information date since {date}",
                    "{n} people have no basis, source or information date since {date}",
                    one.people,
                )
            case Reason.PARKED:
                words = ngettext(
                    "{n} person stands on a step that no file names",
                    "{n} people stand on a step that no file names",
                    one.people,
                )
            case Reason.MISSING_FIELD:
                words = ngettext(
                    "{n} person lacks a field that their mail needs",
                    "{n} people lack a field that their mail needs",
                    one.people,
                )
            case Reason.PAUSED if one.since is not None:
                words = ngettext(
                    "{n} mail is paused since {date}: leadflow resume",
                    "{n} mails are paused since {date}: leadflow resume",
                    one.people,
                )
            case _:
                continue
        yield words.format(n=one.people, date=day)


def _day(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    return day_words(at.astimezone(zone).date(), now.astimezone(zone).date())


def _count_words() -> Mapping[str, str]:
    return {
        "new": _("new"),
        "updated": _("updated"),
        "events": _("acts"),
        "asked": _("asked to confirm"),
        "rejected": _("rejected"),
        "bounced": _("bounced"),
        "posts": _("posts"),
        "unreadable": _("unreadable"),
        "recorded": _("recorded"),
        "visits": _("visits"),
        "clicks_human": _("human clicks"),
        "clicks_unknown": _("unclear clicks"),
        "clicks_machine": _("machine clicks"),
        "recalled": _("hand-overs taken back"),
        "folded": _("counted"),
        "refolded": _("counted again"),
        "dirty": _("to count again"),
        "up": _("forward"),
        "down": _("back"),
        "prospects": _("new prospects"),
        "joined": _("in"),
        "left": _("out"),
        "opened": _("opened"),
        "same_lead": _("handed over before"),
        "same_account": _("company called before"),
        "planned": _("planned"),
        "enrolled": _("enrolled"),
        "finished": _("finished"),
        "exited": _("left"),
        "paused": _("paused"),
        "resumed": _("resumed"),
        "suppressed": _("cancelled"),
        "passed_over": _("skipped"),
        "deferred": _("deferred"),
        "told": _("told"),
        "accepted": _("accepted"),
        "released": _("released"),
        "failed": _("failed"),
        "unknown": _("unknown"),
        "retried": _("to be tried again"),
        "waiting": _("waiting"),
        "outage": _("left while the provider answers nobody"),
        "warm_up": _("beyond the day's warm-up"),
        "canary": _("behind the night's first mails"),
        "rate": _("beyond the rate"),
    }
