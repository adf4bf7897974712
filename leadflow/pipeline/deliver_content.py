"""What is known about the readers of a claim, and what of it a mail may tell."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Dialect, FromClause, Row, Select, bindparam, select

from leadflow.errors import TemplateError
from leadflow.models import account, escalation, identity, lead, lead_state, message
from leadflow.pipeline.deliver_rows import IDS, WHOSE, is_claimed, is_one_of
from leadflow.playbook.model import Playbook, Sender
from leadflow.types import EscalationState


@cache
def claimed_readers(dialect: Dialect) -> Select[Any]:
    """Whom the messages that WHOSE has claimed, IDS, go to: lead, address, company, state, salesperson."""
    own = (message.c.id, message.c.email, message.c.language, message.c.purpose, message.c.address_id)
    text = (message.c.version, message.c.playbook, message.c.variant)
    joined = message.join(lead, lead.c.id == message.c.lead_id).join(identity, identity.c.id == message.c.address_id)
    return (
        _readers(joined, *own, *text)
        .where(is_one_of(bindparam(IDS), dialect))
        .where(is_claimed(), message.c.owner == bindparam(WHOSE))
        .order_by(message.c.send_at, message.c.id)
    )


def reader_of(lead_id: int) -> Select[Any]:
    """The same of one lead, as a mail would go to them that no message stands for; no row without an address."""
    return _readers(lead.join(identity, identity.c.id == lead.c.address_id), lead.c.seed).where(lead.c.id == lead_id)


def _readers(known: FromClause, *columns: ColumnElement[Any]) -> Select[Any]:
    """`columns`, and all that mails tell of the leads that `known` joins to their addresses."""
    rep = (
        select(escalation.c.rep)
        .where(escalation.c.lead_id == lead.c.id, escalation.c.state == EscalationState.ACCEPTED)
        .order_by(escalation.c.number.desc())
        .limit(1)
        .scalar_subquery()
    )
    person = (lead.c.first_name, lead.c.last_name, lead.c.country, lead.c.attributes)
    joined = known.outerjoin(account, account.c.id == lead.c.account_id)
    return (
        select(*columns, *person, lead.c.language.label("reads"), identity.c.value.label("address"))
        .add_columns(account.c.name.label("company"), lead_state.c.segment_main, rep.label("rep"))
        .select_from(joined.outerjoin(lead_state, lead_state.c.lead_id == lead.c.id))
    )


def facts_of(playbook: Playbook, row: Row[Any], sender: Sender, now: datetime) -> dict[str, object]:
    """Dotted name → value of all that a template may show of one reader; None is missing. `now` is office time."""
    brand, segment = playbook.brand, playbook.segments.get(row.segment_main or "")
    asked = _question(playbook, row.attributes)
    declared = {f"lead.{name}": row.attributes.get(name) for name in playbook.fields}
    return {
        **declared,
        **_in_all(brand.name, brand.site, brand.postal_address, sender, now),
        "company.name": row.company,
        "lead.first_name": row.first_name,
        "lead.last_name": row.last_name,
        "lead.language": row.reads or row.language,
        "lead.country": row.country,
        "question.field": asked,
        "question.label": _label(playbook, asked, row.language),
        "segment.name": row.segment_main,
        "segment.title": _in(segment.title, row.language) if segment else None,
    }


@lru_cache(maxsize=64)
def _in_all(brand: str, site: str, postal_address: str, sender: Sender, now: datetime) -> Mapping[str, object]:
    """What is the same in all mails of a run that one person signs."""
    return {
        "brand.name": brand,
        "brand.site": site,
        "brand.postal_address": postal_address,
        "sender.name": sender.name,
        "sender.first_name": sender.name.split()[0] if sender.name.split() else None,
        "sender.reply_to": sender.reply_to,
        "now": now.isoformat(timespec="seconds"),
    }


def sender_of(playbook: Playbook, row: Row[Any]) -> Sender:
    """The brand's sender in the language of the mail; under the salesperson's name where the email asks for it."""
    brand: Sender | None = _in(playbook.senders, row.language)
    email = playbook.emails.get(row.email)
    if brand is None:
        raise TemplateError("leadflow.yaml names no sender")
    if email is not None and email.sender == "owner" and row.rep:
        return Sender(name=row.rep, address=brand.address, reply_to=brand.reply_to)
    return brand


def _question(playbook: Playbook, answers: Mapping[str, Any]) -> str | None:
    """The field of the first qualification criterion that nobody answered."""
    asked: Sequence[str] = [criterion.ask for criterion in playbook.journey.criteria if criterion.ask]
    return next((field for field in asked if answers.get(field) in (None, "")), None)


def _label(playbook: Playbook, field: str | None, language: str) -> str | None:
    if field is None:
        return None
    spec = playbook.fields.get(field)
    return (_in(spec.label, language) if spec else None) or field.replace("_", " ")


def _in(texts: Mapping[str, Any], language: str) -> Any:
    """The one of `language`, else the first."""
    return texts.get(language) or next(iter(texts.values()), None)
