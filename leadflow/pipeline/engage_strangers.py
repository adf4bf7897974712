"""Takes out of stored news whom nobody here knows: who was erased must not come back by what a provider tells later."""

from collections.abc import Mapping, Sequence, Set
from typing import Any

from sqlalchemy import Row, bindparam, update
from sqlalchemy.orm import Session

from leadflow.intake.sendgrid import without
from leadflow.models import intake


def forget_strangers(session: Session, posts: Sequence[Row[Any]], strangers: Mapping[int, Set[str]]) -> None:
    """UPDATE intake: the posts that tell of these addresses, by post, without them."""
    rows = [{"of": post.id, "rest": without(post.body, strangers[post.id])} for post in posts if post.id in strangers]
    if rows:
        statement = update(intake).where(intake.c.id == bindparam("of")).values(body=bindparam("rest"))
        session.connection().execute(statement, rows)
