"""Where a condition's facts come from: tables of today, or of any instant."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, case, exists, func, select, true

from leadflow.conditions.json import json_text
from leadflow.conditions.tree import Condition
from leadflow.conditions.vocabulary import Vocabulary
from leadflow.models import account, consent, event, identity, lead, lead_score, lead_state, membership

CONSENT = "consent."
CRITERION = "qualification."


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What a compiled condition reads. `from_` holds every column named here but those of event and membership."""

    from_: FromClause
    lead_id: ColumnElement[int]
    #: Built-in and computed fields by name.
    fields: Mapping[str, ColumnElement[Any]]
    #: Declared fields as typed at intake, and as folded for comparing.
    attributes: ColumnElement[Any]
    folded: ColumnElement[Any]
    #: `x` or `x#words` → column, where it is not simply read from `folded`.
    folded_fields: Mapping[str, ColumnElement[Any]] = field(default_factory=dict)
    #: Which rows of `from_` are people known by then.
    known: ColumnElement[bool] = field(default_factory=true)
    event: FromClause = event
    #: Only open intervals are read.
    membership: FromClause = membership
    #: lead_id and spent_before.
    state: FromClause = lead_state
    #: Segments compiled in place, by name; the others are read from `membership`.
    inline: Mapping[str, Condition] = field(default_factory=dict)
    #: Leave out acts before the lead's `spent_before`.
    spent: bool = False
    #: Microseconds: only acts that came in this soon after they happened.
    fresh_within: int | None = None
    #: Where `today` is: the office's zone.
    zone: tzinfo = UTC


def everyone_joined() -> FromClause:
    """Each lead once, with company, scores, state and mailed identity where there are any."""
    return (
        lead.outerjoin(account, account.c.id == lead.c.account_id)
        .outerjoin(lead_score, lead_score.c.lead_id == lead.c.id)
        .outerjoin(lead_state, lead_state.c.lead_id == lead.c.id)
        .outerjoin(identity, identity.c.id == lead.c.address_id)
    )


#: Built-in fields that are columns of `lead`.
LEAD_COLUMNS = (
    "first_name",
    "last_name",
    "phone",
    "language",
    "country",
    "zone",
    "email_domain",
    "email_is_free",
    "audience",
    "basis",
    "source",
    "deal_state",
)
#: What is known of where a visit came from.
SOURCE_PARTS = ("source", "medium", "campaign", "referrer")
#: What visits tell of a lead: kept among the attributes, for nobody declares or fills them.
SOURCE_FIELDS = tuple(f"{when}_{part}" for when in ("first", "last") for part in SOURCE_PARTS)
_SCORE_COLUMNS = ("fit", "engagement", "velocity", "band")
_STATE_COLUMNS = ("stage", "lifecycle", "segment_main", "qualification", "with_sales")


def live_sources(
    vocabulary: Vocabulary,
    *,
    inline: Mapping[str, Condition] | None = None,
    spent: bool = False,
    fresh_within: int | None = None,
    zone: tzinfo = UTC,
) -> Sources:
    """The tables as they are: lead with account, lead_score, lead_state and identity."""
    fields: dict[str, ColumnElement[Any]] = {name: lead.c[name] for name in LEAD_COLUMNS}
    fields |= source_fields({name: json_text(lead.c.attributes, name) for name in SOURCE_FIELDS}, lead.c.source)
    fields["company"] = account.c.name
    fields |= {name: lead_score.c[name] for name in _SCORE_COLUMNS}
    fields |= {name: lead_state.c[name] for name in _STATE_COLUMNS}
    fields |= criteria_fields(vocabulary, lead_state.c.criteria)
    fields |= {
        name: _consent_given(name.removeprefix(CONSENT)) for name in vocabulary.fields if name.startswith(CONSENT)
    }
    return Sources(
        from_=everyone_joined(),
        lead_id=lead.c.id,
        fields=fields,
        attributes=lead.c.attributes,
        folded=lead.c.folded,
        inline=inline or {},
        spent=spent,
        fresh_within=fresh_within,
        zone=zone,
    )


def source_fields(told: Mapping[str, ColumnElement[Any]], met: ColumnElement[Any]) -> Mapping[str, ColumnElement[Any]]:
    """First and last source, as visits `told`; of whom no visit is known, where they were `met`."""
    return {name: func.coalesce(value, met) if name.endswith("_source") else value for name, value in told.items()}


def criteria_fields(vocabulary: Vocabulary, bits: ColumnElement[int]) -> dict[str, ColumnElement[Any]]:
    """`qualification.<criterion>` → met or unmet; bit i of `bits` is the i-th such word of the vocabulary."""
    names = [name for name in vocabulary.fields if name.startswith(CRITERION)]
    return {
        name: case(
            (bits.op("&")(1 << i) != 0, "met"),
            (bits.is_not(None), "unmet"),
        )
        for i, name in enumerate(names)
    }


def consent_says(
    state: str, lead_id: ColumnElement[int], purpose: str, *, before: int | None = None
) -> ColumnElement[bool]:
    """Whether the last line of the ledger for `purpose` (before an instant, where one is given) is `state`.

    What somebody asked for and nobody has confirmed is neither a yes nor a no.
    """
    line = consent.c
    newest = func.row_number().over(partition_by=line.lead_id, order_by=[line.at.desc(), line.id.desc()])
    lines = select(line.lead_id, line.state, newest.label("newest")).where(
        line.purpose == purpose, line.state != "asked"
    )
    if before is not None:
        lines = lines.where(line.at < before)
    last = lines.subquery()
    such = select(last.c.lead_id).where(last.c.newest == 1, last.c.state == state)
    return lead_id.in_(such.correlate(None))


@cache
def _consent_given(purpose: str) -> ColumnElement[bool]:
    # Ten purposes a dozen times a night, for the condition that asks for one of them.
    return consent_says("given", lead.c.id, purpose)


def not_spent(act: FromClause, state: FromClause) -> ColumnElement[bool]:
    """An act that no rejection or loss has used up: few leads have any, and only theirs are looked at."""
    used_up = and_(state.c.spent_before.is_not(None), act.c.occurred_at < state.c.spent_before)
    return ~exists().where(state.c.lead_id == act.c.lead_id, used_up)
