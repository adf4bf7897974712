"""Where facts come from as they were known before an instant: each change since is taken back.

A value is read from the first change after that instant, where there is one, else from today's row; two columns a
field, because COALESCE would lose a change from nothing to something.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Subquery,
    Text,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
)

from leadflow.conditions.compile import READERS
from leadflow.conditions.json import as_json, json_number, json_text
from leadflow.conditions.operands import is_folded
from leadflow.conditions.sources import CONSENT, LEAD_COLUMNS, SOURCE_FIELDS, Sources, consent_says, source_fields
from leadflow.conditions.tree import Condition
from leadflow.conditions.vocabulary import FieldSpec, Vocabulary
from leadflow.models import account, lead, lead_change, lead_state, lifecycle_change, membership, stage_change
from leadflow.types import micros

_ACCOUNT = "account_id"


def sources_as_of(
    vocabulary: Vocabulary,
    at: datetime,
    *,
    computed: Mapping[str, ColumnElement[Any]] | None = None,
    inline: Mapping[str, Condition] | None = None,
    zone: tzinfo = UTC,
) -> Sources:
    """The people known before `at`, with their attributes, company, consents, stage, lifecycle and segments of then.

    Acts are seen as of the `now` a condition is compiled with. Scores and other computed fields are functions of that
    instant: a condition that asks for one not given in `computed` is a LookupError.
    """
    then = micros(at)
    declared = [spec for spec in vocabulary.fields.values() if not spec.builtin]
    names = [*LEAD_COLUMNS, *SOURCE_FIELDS, _ACCOUNT, *(spec.name for spec in declared)]
    past = _Past(_taken_back(names, then), {name: i for i, name in enumerate(names)})
    stages = _first_move(stage_change, stage_change.c.at, then, "stages")
    lifecycles = _first_move(lifecycle_change, lifecycle_change.c.recorded_at, then, "lifecycles")
    company = past.value(_ACCOUNT, cast(json_number(past.before(_ACCOUNT), "v"), BigInteger), lead.c.account_id)
    fields = {name: past.column(name, vocabulary) for name in LEAD_COLUMNS}
    fields |= source_fields({name: past.told(name) for name in SOURCE_FIELDS}, fields["source"])
    fields |= {spec.name: past.attribute(spec) for spec in declared}
    fields |= {
        "company": account.c.name,
        "stage": _moved(stages, "stage"),
        "lifecycle": _moved(lifecycles, "lifecycle"),
    }
    fields |= {
        name: consent_says("given", lead.c.id, name.removeprefix(CONSENT), before=then)
        for name in vocabulary.fields
        if name.startswith(CONSENT)
    }
    joined = lead.outerjoin(past.changes, past.changes.c.lead_id == lead.c.id).outerjoin(
        account, account.c.id == company
    )
    joined = joined.outerjoin(lead_state, lead_state.c.lead_id == lead.c.id)
    joined = joined.outerjoin(stages, stages.c.lead_id == lead.c.id)
    return Sources(
        from_=joined.outerjoin(lifecycles, lifecycles.c.lead_id == lead.c.id),
        lead_id=lead.c.id,
        known=lead.c.created_at < then,
        fields={**fields, **(computed or {})},
        attributes=lead.c.attributes,
        folded=lead.c.folded,
        folded_fields={key: value for spec in declared if is_folded(spec) for key, value in past.folded(spec)},
        membership=_inside(then),
        inline=inline or {},
        zone=zone,
    )


@dataclass(frozen=True, slots=True)
class _Past:
    """`changes` has `set_0`, `was_0` … a lead; `places` says which number a field has."""

    changes: Subquery
    places: Mapping[str, int]

    def before(self, name: str) -> ColumnElement[Any]:
        """The JSON value the first change took away."""
        return as_json(self.changes.c[f"was_{self.places[name]}"])

    def value(self, name: str, was: ColumnElement[Any], today: ColumnElement[Any]) -> ColumnElement[Any]:
        """`was` where something changed, else `today`."""
        return case((self.changes.c[f"set_{self.places[name]}"] == 1, was), else_=today)

    def column(self, name: str, vocabulary: Vocabulary) -> ColumnElement[Any]:
        """A built-in field that is a column of `lead`."""
        spec = vocabulary.fields.get(name)
        reader = READERS[spec.type] if spec else json_text
        return self.value(name, reader(self.before(name), "v"), lead.c[name])

    def attribute(self, spec: FieldSpec) -> ColumnElement[Any]:
        """A declared field."""
        reader = READERS[spec.type]
        return self.value(spec.name, reader(self.before(spec.name), "v"), reader(lead.c.attributes, spec.name))

    def told(self, name: str) -> ColumnElement[Any]:
        """A text that visits told."""
        return self.value(name, json_text(self.before(name), "v"), json_text(lead.c.attributes, name))

    def folded(self, spec: FieldSpec) -> tuple[tuple[str, ColumnElement[Any]], ...]:
        """Text and words for comparing; a change written without them is compared as it is."""
        before, words = self.before(spec.name), f"{spec.name}#words"
        plain = json_text(before, "v")
        text = func.coalesce(json_text(before, "folded"), plain)
        whole = func.coalesce(json_text(before, "words"), literal(" ") + plain + " ")
        return (
            (spec.name, self.value(spec.name, text, json_text(lead.c.folded, spec.name))),
            (words, self.value(spec.name, whole, json_text(lead.c.folded, words))),
        )


def _taken_back(names: list[str], then: int) -> Subquery:
    """A row a changed lead: for each of `names`, whether it changed since `then` and what it was."""
    first = func.row_number().over(
        partition_by=[lead_change.c.lead_id, lead_change.c.field], order_by=[lead_change.c.at, lead_change.c.id]
    )
    since = select(lead_change.c.lead_id, lead_change.c.field, lead_change.c.before, first.label("nth"))
    changes = since.where(lead_change.c.at >= then).subquery("since")
    columns: list[ColumnElement[Any]] = []
    for i, name in enumerate(names):
        here = changes.c.field == name
        columns.append(func.max(case((here, 1), else_=0)).label(f"set_{i}"))
        # PostgreSQL knows no greatest jsonb.
        columns.append(func.max(case((here, cast(changes.c.before, Text)))).label(f"was_{i}"))
    rows = select(changes.c.lead_id, *columns).where(changes.c.nth == 1)
    return rows.group_by(changes.c.lead_id).subquery("taken_back")


def _first_move(table: FromClause, at: ColumnElement[Any], then: int, name: str) -> Subquery:
    """A row a lead that moved since `then`: where it stood."""
    order = [at, table.c.id] if "id" in table.c else [at]
    first = func.row_number().over(partition_by=table.c.lead_id, order_by=order)
    moves = select(table.c.lead_id, table.c.before, first.label("nth")).where(at >= then).subquery(f"{name}_since")
    return select(moves.c.lead_id, moves.c.before).where(moves.c.nth == 1).subquery(name)


def _moved(moves: Subquery, name: str) -> ColumnElement[Any]:
    return case((moves.c.lead_id.is_not(None), moves.c.before), else_=lead_state.c[name])


def _inside(then: int) -> Subquery:
    """The intervals open just before `then`, as open ones."""
    table = membership
    inside = select(table.c.segment, table.c.lead_id, table.c.joined_at, cast(null(), BigInteger).label("left_at"))
    return inside.where(table.c.joined_at < then, or_(table.c.left_at.is_(None), table.c.left_at >= then)).subquery(
        "inside"
    )
