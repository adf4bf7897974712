"""The warm-up of a sending domain: what a day may have in all, a little more each day."""

from datetime import date

from leadflow.pipeline.buckets import Bucket
from leadflow.playbook.model import WarmUp


def budget_of(rule: WarmUp, day: date) -> Bucket | None:
    """The tokens of a day, shared by all workers; None before the warm-up begins, and when it is over."""
    limit = limit_of(rule, day)
    return None if limit is None else Bucket(name=f"warm-up {day.isoformat()}", size=limit)


def limit_of(rule: WarmUp, day: date) -> int | None:
    """How many mails a day may have; each day has `growth` percent more than the one before, one at least."""
    if day < rule.since:
        return None
    limit = rule.first_day
    for _day in range((day - rule.since).days):
        if limit >= rule.until:
            break
        limit += max(limit * rule.growth // 100, 1)
    return limit if limit < rule.until else None
