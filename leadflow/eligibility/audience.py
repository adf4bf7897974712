"""Whom an email is written for, in the words of the catalogue's tables."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, case, exists, or_

from leadflow.models import membership, tpl, tpl_segment


def bit_of(value: ColumnElement[Any], words: Sequence[str]) -> ColumnElement[int]:
    """The bit of a word among those that the catalogue counts in this order; 0 where it is none of them."""
    return case({word: 1 << i for i, word in enumerate(words)}, value=value, else_=0)


def for_segments(lead_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """The email of `tpl` is for anybody, or for a segment that this lead is in."""
    inside = exists().where(
        tpl_segment.c.template == tpl.c.template,
        membership.c.segment == tpl_segment.c.segment,
        membership.c.lead_id == lead_id,
        membership.c.left_at.is_(None),
    )
    return or_(~tpl.c.has_segments, inside.correlate_except(tpl_segment, membership))
