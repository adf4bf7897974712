"""What stands between a person and any mail, in the order in which people are told."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    ScalarSelect,
    and_,
    case,
    exists,
    false,
    func,
    null,
    or_,
    select,
    type_coerce,
)

from leadflow.conditions.compile import compile_condition
from leadflow.conditions.sources import Sources, consent_says
from leadflow.models import confirmation, consent, identity, lead, lead_state, message, preference, suppression
from leadflow.playbook.model import Playbook, Wish
from leadflow.types import OWN_NO, Audience, Basis, Lifecycle, Purpose, Reason, Suppressed, micros

#: A reason and the expression that is true, and never NULL, for those it stops.
Block = tuple[Reason, ColumnElement[bool]]

SUPPRESSED_AS = {
    Suppressed.UNSUBSCRIBED: Reason.UNSUBSCRIBED,
    Suppressed.COMPLAINED: Reason.COMPLAINED,
    Suppressed.BOUNCED: Reason.BOUNCED,
    Suppressed.INVALID: Reason.INVALID_ADDRESS,
    Suppressed.OBJECTED: Reason.OBJECTED,
}
#: Reasons that lie in the person; a step that met one is due anew when it has gone.
PERSONAL = (
    Reason.NO_ADDRESS,
    Reason.NO_MAIL_FLAG,
    *SUPPRESSED_AS.values(),
    Reason.PREFERENCE,
    Reason.NO_BASIS,
    Reason.OPEN_DEAL,
    Reason.NEVER_LIST,
    Reason.DISQUALIFIED,
    Reason.CUSTOMER,
    Reason.WITH_SALES,
)


def row_blocks(now: datetime, purpose: Purpose) -> list[Block]:
    """What rows alone tell of a few people, over lead, identity (of its address), its suppression and lead_state.

    Asked again at the intent: each is looked up, where planning reads all that were ever suppressed or withdrew.
    """
    suppressed = [(reason, func.coalesce(suppression.c.reason, "") == word) for word, reason in SUPPRESSED_AS.items()]
    withdrawn = func.coalesce(_last_word(purpose), "") == "withdrawn"
    own = (preference.c.identity_id == identity.c.id, preference.c.paused_until > micros(now))
    rests = exists().where(*own).correlate(identity)
    told = _address_blocks(purpose, suppressed, withdrawn, rests)
    return [*told, *_basis_blocks(now), *_journey_blocks(purpose)]


def confirming_blocks() -> list[Block]:
    """What stops a mail that its reader has just asked for, over message and the same tables as `row_blocks`.

    No basis is needed but the wish; a bounce or a complaint stands, a no from before the wish does not.
    """
    asked_at = select(type_coerce(confirmation.c.asked_at, BigInteger)).where(confirmation.c.message_id == message.c.id)
    later = func.coalesce(suppression.c.at > asked_at.correlate(message).scalar_subquery(), false())
    suppressed = [
        (reason, and_(suppression.c.reason == word, later) if word in OWN_NO else suppression.c.reason == word)
        for word, reason in SUPPRESSED_AS.items()
    ]
    told = [(reason, func.coalesce(holds, false())) for reason, holds in suppressed]
    return [(Reason.NO_ADDRESS, func.coalesce(identity.c.value, "") == ""), *told]


def is_wished() -> ColumnElement[bool]:
    """A message that asks its reader to confirm what they wish; one that asks whether to stay was nobody's wish."""
    wished = (confirmation.c.message_id == message.c.id, confirmation.c.kind != Wish.KEEP)
    return and_(message.c.purpose == Purpose.SERVICE, exists().where(*wished).correlate(message))


def planning_blocks(playbook: Playbook, sources: Sources, now: datetime, purpose: Purpose) -> list[Block]:
    """`row_blocks`, and the playbook's `never` rules, over the joined tables of `sources`."""
    open_deal, *journey = _journey_blocks(purpose)
    never = [
        (Reason.NEVER_LIST, compile_condition(rule.when, sources, now, playbook.vocabulary))
        for rule in playbook.never
        if purpose not in rule.unless_purpose
    ]
    suppressed = [(reason, _suppressed(word)) for word, reason in SUPPRESSED_AS.items()]
    withdrawn = consent_says("withdrawn", lead.c.id, purpose)
    pauses = select(preference.c.identity_id).where(preference.c.paused_until > micros(now))
    rests = func.coalesce(lead.c.address_id.in_(pauses.correlate(None)), false())
    told = _address_blocks(purpose, suppressed, withdrawn, rests)
    return [*told, *_basis_blocks(now), open_deal, *never, *journey]


def first_reason(blocks: Sequence[Block], otherwise: ColumnElement[Any] | None = None) -> ColumnElement[Any]:
    """The first reason that holds, else `otherwise` (NULL)."""
    last = null() if otherwise is None else otherwise
    return case(*((holds, reason.value) for reason, holds in blocks), else_=last) if blocks else last


def _address_blocks(
    purpose: Purpose, suppressed: Sequence[Block], withdrawn: ColumnElement[bool], rests: ColumnElement[bool]
) -> list[Block]:
    blocks = [
        (Reason.NO_ADDRESS, or_(lead.c.address_id.is_(None), func.coalesce(identity.c.value, "") == "")),
        (Reason.NO_MAIL_FLAG, lead.c.no_mail),
        *suppressed,
    ]
    if purpose in (Purpose.NURTURE, Purpose.NEWSLETTER):
        blocks.append((Reason.UNSUBSCRIBED, withdrawn))
    if purpose is not Purpose.SERVICE:
        blocks.append((Reason.PREFERENCE, rests))
    return blocks


def _last_word(purpose: Purpose) -> ScalarSelect[str]:
    """What the person said last of mails of `purpose`: given, withdrawn, or NULL."""
    said = select(consent.c.state).where(
        consent.c.lead_id == lead.c.id, consent.c.purpose == purpose, consent.c.state != "asked"
    )
    newest = said.order_by(consent.c.at.desc(), consent.c.id.desc()).limit(1)
    return newest.correlate(lead).scalar_subquery()


def _suppressed(word: Suppressed) -> ColumnElement[bool]:
    hashes = select(suppression.c.address_hash).where(suppression.c.reason == word)
    return func.coalesce(identity.c.hash, "").in_(hashes.correlate(None))


def _basis_blocks(now: datetime) -> list[Block]:
    """Consumers need consent; a legitimate interest needs a source and the day the person was told of it."""
    basis, today = func.coalesce(lead.c.basis, ""), now.date().isoformat()
    untold = or_(
        func.coalesce(lead.c.source, "") == "",
        func.coalesce(lead.c.informed_on, "") == "",
        func.coalesce(lead.c.informed_on, "") > today,
    )
    lacking = or_(
        basis.not_in([*map(str, Basis)]),
        and_(lead.c.audience == Audience.B2C, basis != Basis.CONSENT),
        and_(basis == Basis.LEGITIMATE_INTEREST, untold),
    )
    return [(Reason.NO_BASIS, lacking)]


def _journey_blocks(purpose: Purpose) -> list[Block]:
    """An open deal first, then what became of the lead; service mails go on whatever it is."""
    if purpose is Purpose.SERVICE:
        return [(Reason.DISQUALIFIED, _is(Lifecycle.DISQUALIFIED))]
    return [
        (Reason.OPEN_DEAL, func.coalesce(lead.c.deal_state, "") == "open"),
        (Reason.DISQUALIFIED, _is(Lifecycle.DISQUALIFIED)),
        (Reason.CUSTOMER, _is(Lifecycle.CUSTOMER)),
        (Reason.WITH_SALES, func.coalesce(lead_state.c.with_sales, False)),
    ]


def _is(lifecycle: Lifecycle) -> ColumnElement[bool]:
    return func.coalesce(lead_state.c.lifecycle, "") == lifecycle
