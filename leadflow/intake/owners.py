"""Says which salesperson knows a company: whom the CRM names, else the first who took one of its people."""

from collections.abc import Mapping

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.orm import Session

from leadflow.models import account, lead


def own_accounts(session: Session, owners: Mapping[int, str | None], *, if_free: bool = False) -> None:
    """Give the company of each lead (lead id → salesperson) to that salesperson; `if_free`: unless it has somebody."""
    if not owners:
        return
    company = select(lead.c.account_id).where(lead.c.id == bindparam("whose")).scalar_subquery()
    free = account.c.owner.is_(None)
    other = free if if_free else or_(free, account.c.owner != bindparam("who"))
    statement = update(account).where(account.c.id == company, other).values(owner=bindparam("who"))
    session.connection().execute(statement, [{"whose": whose, "who": who} for whose, who in owners.items()])
