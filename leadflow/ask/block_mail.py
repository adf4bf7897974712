"""The reasons that lie in the mail or its hour, each with its evidence and what lifts it."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import RowMapping, Select, func, select, type_coerce
from sqlalchemy.orm import Session

from leadflow.ask.case import Case
from leadflow.ask.dates import date_of, days_of, moment_of, short_of, span_of, weekday_of
from leadflow.ask.shelf import missing_fields, shelf_words
from leadflow.ask.told import Told
from leadflow.db import Instant
from leadflow.models import enrolment, message, preference
from leadflow.playbook.model import Cap
from leadflow.steps.email import EmailStep
from leadflow.text import _
from leadflow.types import COUNTS_AS_RECEIVED, IN_FLIGHT, MessageState, Reason, instant_of, micros
from leadflow.windows import after_span, calendar_of


def _outranked(case: Case) -> Told:
    row = case.session.execute(_mine(case).where(message.c.state.in_(IN_FLIGHT))).mappings().first()
    if row is not None:
        evidence = _("{email} is on its way, for {date}").format(
            email=row["email"], date=moment_of(row["send_at"], case.view)
        )
        return Told(
            evidence=evidence,
            lifts=_("lifts when it has left"),
            lifts_at=row["send_at"],
            unsent=_deadline(case),
        )
    left = case.session.execute(_mine(case).where(message.c.sent_at >= micros(case.view.now))).mappings().first()
    evidence = _("{email} left on {date}").format(
        email=left["email"] if left else "–", date=moment_of(left["sent_at"], case.view) if left else "–"
    )
    return Told(
        evidence=evidence if left else _("another sequence's mail goes first"),
        lifts=_("lifts with the next sweep"),
        unsent=_deadline(case),
    )


def _mine(case: Case) -> Select[tuple[int]]:
    return (
        select(message).where(message.c.lead_id == case.subject.lead_id, message.c.counted).order_by(message.c.send_at)
    )


def _pressure(case: Case) -> Told:
    until = case.place["until"] if case.place else None
    return Told(
        evidence=_full_cap(case),
        lifts=_("lifts {date}").format(date=moment_of(until, case.view))
        if until
        else _("lifts when the mail before it has left"),
        lifts_at=until,
        leaves_then=True,
        unsent=_deadline(case),
    )


def _full_cap(case: Case) -> str:
    """The cap that frees the address last, and the mails that fill it."""
    left = case.session.execute(
        select(message.c.email, message.c.sent_at)
        .where(message.c.address_id == case.subject.row["address_id"], message.c.counted)
        .where(message.c.state.in_([MessageState.ACCEPTED, MessageState.UNKNOWN]))
        .where(message.c.sent_at < micros(case.view.now))
        .order_by(message.c.sent_at.desc(), message.c.id.desc())
        .limit(100)
    ).all()
    frees = {
        cap: left[cap.n - 1].sent_at + timedelta(microseconds=cap.span)
        for cap in case.playbook.pressure.caps
        if len(left) >= cap.n
    }
    gap = case.session.scalar(
        select(preference.c.gap).where(preference.c.identity_id == case.subject.row["address_id"])
    )
    if gap and left and left[0].sent_at + timedelta(microseconds=gap) >= max(frees.values(), default=left[0].sent_at):
        mail = f"{date_of(left[0].sent_at, case.view)} {left[0].email}"
        return _("1 mail ({mails}), and they want at most one in {span}").format(mails=mail, span=days_of(gap))
    if not frees:
        return ""
    cap = max(frees, key=lambda one: frees[one])
    mails = ", ".join(f"{date_of(row.sent_at, case.view)} {row.email}" for row in reversed(left[: cap.n]))
    return _cap_words(cap).format(mails=mails)


def _cap_words(cap: Cap) -> str:
    if cap.n == 1:
        return _("1 mail ({mails}), and {span} lie between two").format(mails="{mails}", span=days_of(cap.span))
    words = _("{n} mails in {span} ({mails}), the limit is {n}")
    return words.format(n=cap.n, span=days_of(cap.span), mails="{mails}")


def _window(case: Case) -> Told:
    until = case.place["until"] if case.place else None
    if until is None and case.mail is not None:
        until = case.mail["send_at"]
    country = case.subject.person.fields.get("country")
    evidence = _("no sending window opens within {span}{where}").format(
        span=days_of(case.playbook.pressure.horizon),
        where=_(" (days and holidays of {country})").format(country=country) if country else "",
    )
    return Told(
        evidence=evidence,
        lifts=_("lifts {date}").format(date=moment_of(until, case.view)) if until else _("lifts when one opens"),
        lifts_at=until,
        leaves_then=True,
        unsent=_deadline(case),
    )


def _deadline(case: Case) -> tuple[str, ...]:
    """What becomes of the step if its mail is not sent in time."""
    place, step = case.place, case.step
    if place is None or step is None or place["due_at"] is None or case.sequence is None:
        return ()
    at = _latest(case.session, place, case)
    if at is None:
        return ()
    following = case.sequence.after(step)
    date = weekday_of(at, case.view)
    if following is None:
        return (
            _("if not sent by {date} the step is skipped and {sequence} is over").format(
                date=date, sequence=case.sequence.name
            ),
        )
    return (_("if not sent by {date} the step is skipped and {step} begins").format(date=date, step=following.name),)


def _latest(session: Session, place: RowMapping, case: Case) -> datetime | None:
    span = case.playbook.pressure.defer_at_most
    limit = after_span(calendar_of(enrolment.c.lead_id), enrolment.c.due_at, span)
    found: datetime | None = session.scalar(select(type_coerce(limit, Instant())).where(enrolment.c.id == place["id"]))
    return found


def _no_mail_left(case: Case) -> Told:
    step = _email_step(case)
    evidence = shelf_words(case, step) if step else ""
    if case.place is not None and case.place["verdict"] == Reason.NO_MAIL_LEFT:
        return Told(evidence=evidence, lifts=_("lifts with a new email"), unsent=_deadline(case))
    return Told(evidence=evidence, lifts=_passed_over(case, _("lifts with a new email")))


def _already(case: Case) -> Told:
    step = _email_step(case)
    email = case.playbook.emails.get(step.email) if step and step.email else None
    if email is None:
        return Told(evidence="", lifts=_("lifts with a new email"))
    at = func.coalesce(type_coerce(message.c.sent_at, Instant()), type_coerce(message.c.planned_at, Instant()))
    mine = (message.c.lead_id == case.subject.lead_id, message.c.email == email.name)
    had = case.session.scalar(
        select(at).where(*mine, message.c.state.in_(COUNTS_AS_RECEIVED)).order_by(message.c.id.desc()).limit(1)
    )
    again = instant_of(micros(had) + email.again_after) if had else None
    evidence = _("{email} on {date}, and it goes to a person once in {span}").format(
        email=email.name, date=date_of(had, case.view) if had else "–", span=days_of(email.again_after)
    )
    lifts = _("lifts on {date}").format(date=date_of(again, case.view)) if again else _("lifts with a new email")
    return Told(evidence=evidence, lifts=_passed_over(case, lifts))


def _missing(case: Case) -> Told:
    step = _email_step(case)
    name = case.mail["email"] if case.mail else step.email if step else None
    fields = ", ".join(missing_fields(case, name)) if name else ""
    evidence = _("{email} needs {fields}, and has no default for it").format(email=name or "–", fields=fields or "–")
    return Told(evidence=evidence, lifts=_passed_over(case, _("lifts with the value or a default")))


def _expired(case: Case) -> Told:
    mail = case.mail
    if mail is not None:
        evidence = _("{email} was to leave on {date} and not later than {last}").format(
            email=mail["email"],
            date=moment_of(mail["send_at"], case.view),
            last=moment_of(mail["expires_at"], case.view),
        )
    else:
        limit = span_of(case.playbook.pressure.defer_at_most)
        evidence = _("it waited longer than {span}").format(span=limit)
    return Told(evidence=evidence, lifts=_passed_over(case, _("never lifts: stale mail is worse than none")))


def _failed(case: Case) -> Told:
    return Told(evidence=_attempt(case), lifts=_on_fail(case))


def _unknown(case: Case) -> Told:
    return Told(
        evidence=_attempt(case),
        lifts=_("lifts with word of the provider; it counts as sent meanwhile"),
    )


def _attempt(case: Case) -> str:
    mail = case.mail
    if mail is None:
        return ""
    note = f" ({mail['note']})" if mail["note"] else ""
    return f"{mail['email']}, {short_of(mail['sent_at'] or mail['send_at'], case.view)}{note}"


def _on_fail(case: Case) -> str:
    step = _email_step(case)
    if step is not None and step.on_fail == "exit":
        return _("never lifts: the sequence ends (on_fail: exit)")
    return _("never lifts for this mail: the sequence goes on")


def _passed_over(case: Case, lifts: str) -> str:
    """Where they stand now that the step is over."""
    place = case.place
    if place is None or place["ended_at"] is not None or place["step"] is None:
        return _("{lifts}; the step is passed over").format(lifts=lifts)
    words = _("{lifts}; the step is passed over, {step} is due on {date}")
    due = place["due_at"]
    if due is None or due <= case.view.now:
        return _("{lifts}; the step is passed over, {step} comes next").format(lifts=lifts, step=place["step"])
    return words.format(lifts=lifts, step=place["step"], date=weekday_of(due, case.view))


def _email_step(case: Case) -> EmailStep | None:
    """The step whose mail is spoken of: their present one, else the one they were just moved on from."""
    sequence, place = case.sequence, case.place
    if sequence is None or place is None:
        return None
    names = (case.mail["step"] if case.mail else None, place["step"], place["position"])
    steps = (sequence.step(name) for name in names if name)
    return next((step for step in steps if isinstance(step, EmailStep)), None)


TELLS: Mapping[Reason, Callable[[Case], Told]] = {
    Reason.OUTRANKED: _outranked,
    Reason.PRESSURE: _pressure,
    Reason.WINDOW: _window,
    Reason.NO_MAIL_LEFT: _no_mail_left,
    Reason.ALREADY_RECEIVED: _already,
    Reason.MISSING_FIELD: _missing,
    Reason.EXPIRED: _expired,
    Reason.RENDER_FAILED: _failed,
    Reason.REFUSED: _failed,
    Reason.UNKNOWN_OUTCOME: _unknown,
}
