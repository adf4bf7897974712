"""Token buckets in the database: what all workers together may take, however many there are."""

from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Insert, Update, case, literal, select, true, type_coerce, update
from sqlalchemy.orm import Session

from leadflow.db import database_now, greatest, insert_missing, least
from leadflow.models import bucket
from leadflow.types import SECOND, Rate

#: A token, in the millionths they are kept in.
TOKEN = 1_000_000
#: Workers that wait for one row read the clock before they wait; what is later than this is a clock put back.
_OUT_OF_TURN = 5 * SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """Holds `size` tokens, full at first; `rate` fills it, None never."""

    name: str
    size: int
    rate: Rate | None = None

    def seconds(self, millionths: int) -> float:
        """How long so much takes to come."""
        return float("inf") if self.rate is None else millionths / TOKEN * self.rate.per / SECOND / self.rate.n


class Taken(NamedTuple):
    """Tokens that were given, and after how many seconds it is worth asking for what was not."""

    n: int
    wait: float = 0.0


def at_a_rate(name: str, rate: Rate) -> Bucket:
    """A bucket of a second's tokens, so that no minute sees more than a sixtieth above its rate; one at least."""
    return Bucket(name=name, size=max(rate.n * SECOND // rate.per, 1), rate=rate)


def take(session: Session, of: Bucket, most: int, least_of: int = 1) -> Taken:
    """Up to `most` tokens, none when fewer than `least_of` are there; in one statement, but for a bucket's first."""
    few = min(least_of, most, of.size)
    row = session.execute(_take(of, most, few)).one_or_none()
    if row is None:
        session.execute(_begin(of.name))
        row = session.execute(_take(of, most, few)).one()
    taken, spent = int(row.taken), int(row.spent)
    return Taken(taken, 0.0 if taken else of.seconds(max(spent - (of.size - few) * TOKEN, 0)))


def give_back(session: Session, of: Bucket, n: int) -> None:
    """Return `n` tokens that nobody used."""
    if n > 0:
        more = greatest(type_coerce(bucket.c.spent, BigInteger) - n * TOKEN, literal(0, BigInteger))
        session.execute(update(bucket).where(bucket.c.name == of.name).values(spent=more))


def _begin(name: str) -> Insert:
    """INSERT bucket, full, unless it is there."""
    full = select(literal(name), literal(0), database_now(), literal(0)).where(true())
    return insert_missing(bucket, ["name", "spent", "filled_at", "taken"], full)


def _take(of: Bucket, most: int, few: int) -> Update:
    """UPDATE the bucket: what came since it was looked at last, less what is taken; gives `taken` and `spent`.

    The clock is read once, in a subquery, or tokens and time would be reckoned from different instants.
    """
    clock = select(literal(of.name).label("name"), database_now().label("at")).subquery("clock")
    at, filled = type_coerce(clock.c.at, BigInteger), type_coerce(bucket.c.filled_at, BigInteger)
    back = filled > at + _OUT_OF_TURN
    missing = greatest(bucket.c.spent - case((filled < at, _filled(of, at - filled)), else_=0), literal(0, BigInteger))
    there = (literal(of.size * TOKEN, BigInteger) - missing) // TOKEN
    taken = case((there >= few, least(there, literal(most, BigInteger))), else_=0)
    return (
        update(bucket)
        .where(bucket.c.name == clock.c.name)
        .values(spent=missing + taken * TOKEN, filled_at=case((back, at), else_=greatest(filled, at)), taken=taken)
        .returning(bucket.c.taken, bucket.c.spent)
    )


def _filled(of: Bucket, elapsed: ColumnElement[int]) -> ColumnElement[int]:
    """Millionths that come in so many microseconds, no more than the bucket holds."""
    if of.rate is None:
        return literal(0, BigInteger)
    full = of.size * of.rate.per // of.rate.n + 1
    return least(elapsed, literal(full, BigInteger)) * (of.rate.n * TOKEN) // of.rate.per
