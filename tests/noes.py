"""Ways in which people come to say no, or are told of, while their mail is about to leave."""

from collections.abc import Callable, Sequence

from sqlalchemy import Engine, bindparam, insert, update
from sqlalchemy.orm import Session

from leadflow.db.turns import NOES, go_alone
from leadflow.intake.addresses import read_address
from leadflow.intake.holdings import delete_rows, holder_of
from leadflow.intake.merging import merge_people
from leadflow.intake.objections import unsubscribe
from leadflow.intake.people import upsert_people
from leadflow.intake.person import Person
from leadflow.intake.suppressions import suppress
from leadflow.links import address_hash, sign_unsubscribe
from leadflow.models import identity, metadata, suppression
from leadflow.playbook.model import Playbook
from leadflow.ports import ProviderEvent
from leadflow.web.webhooks import suppress_at_once
from tests.build import NIGHT
from tests.faults.outbox import add_people, plan_messages

KEY = "k" * 32
#: Added to somebody's number: who said no before, and is made one with them.
_TWIN = 1_000_000


def address(one: int) -> str:
    return f"p{one}@x.example"


def by_link(session: Session, _book: Playbook, one: int) -> None:
    unsubscribe(session, KEY, sign_unsubscribe(KEY, one, "nurture"), at=NIGHT)


def by_complaint(session: Session, _book: Playbook, one: int) -> None:
    told = ProviderEvent(external_id=f"c{one}", kind="complained", at=NIGHT, address=address(one))
    suppress_at_once(session, KEY, [told], NIGHT)


def by_several_at_once(session: Session, book: Playbook, one: int) -> None:
    """Told of the same no twice in one transaction, with an import of the same person between."""
    by_complaint(session, book, one)
    upsert_people(session, book, [Person(address=read_address(address(one)))], key=KEY, now=NIGHT, source="import")
    by_link(session, book, one)


def by_erasure(session: Session, _book: Playbook, one: int) -> None:
    """Taken out of every table; what stays is that they object."""
    go_alone(session, NOES)
    delete_rows(session, holder_of(session, one))
    row = {"address_hash": address_hash(KEY, address(one)), "reason": "objected", "at": NIGHT, "source": "erasure"}
    suppress(session, [row])


def by_merge(session: Session, book: Playbook, one: int) -> None:
    """Found to be the same person as somebody who had said no; either of the two records stays."""
    keep, other = (one, one + _TWIN) if one % 2 else (one + _TWIN, one)
    merge_people(session, book, keep, other, NIGHT)


#: Erasures and merges look at every table: fewer of them, for time.
WAYS: Sequence[Callable[[Session, Playbook, int], None]] = (
    *(by_link, by_complaint, by_several_at_once, by_erasure),
    *(by_link, by_complaint, by_several_at_once, by_merge, by_link),
)


def way_of(one: int) -> Callable[[Session, Playbook, int], None]:
    """How that person says no."""
    return WAYS[one % len(WAYS)]


def fill(engine: Engine, people: int) -> None:
    """Everybody's mail is due, and nobody has said no but the twins."""
    with engine.begin() as connection:
        for table in [*reversed(metadata.sorted_tables)]:
            connection.execute(table.delete())
    ids = range(1, people + 1)
    twins = [one + _TWIN for one in ids if way_of(one) is by_merge]
    plan_messages(engine, ids)
    add_people(engine, twins)
    hashes = [{"of": one, "to": address_hash(KEY, address(one))} for one in (*ids, *twins)]
    noes = [{"address_hash": address_hash(KEY, address(one)), "reason": "unsubscribed"} for one in twins]
    with engine.begin() as connection:
        of = update(identity).where(identity.c.id == bindparam("of"))
        connection.execute(of.values(hash=bindparam("to")), hashes)
        connection.execute(insert(suppression), [row | {"at": NIGHT, "source": "link"} for row in noes])
