"""What is written column by column stands in the tables as it was told, whatever signs it has."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from leadflow.intake.bulk import Tail, as_json, insert_columns
from leadflow.models import lead

SIGNS = ("\\N", "a\\tb\\", "tab\there", "line\nbreak\r\n", "\\.", '"quoted", ünïcode ✓', "", None)


def test_rows_of_columns_and_tails_are_read_back_as_they_were(session: Session) -> None:
    names = ("id", "seed", "first_name", "email_is_free", "last_name", "attributes", "no_mail", "first_seen_at")
    n = 600
    first = [SIGNS[i % len(SIGNS)] for i in range(n)]
    tails = [Tail(last, as_json({"x": last, "n": [1.5, None]}), i % 2 == 0, 7) for i, last in enumerate(SIGNS)]
    many = [tails[i % 5] for i in range(n)]
    also = {"created_at": 1, "updated_at": 1}
    ends = [Tail(*tail.values, *also.values()) for tail in many]
    insert_columns(session, lead, (*names, *also), (range(1, n + 1), iter([3] * n), first, [False, True] * 300), ends)
    columns = (lead.c.first_name, lead.c.email_is_free, lead.c.last_name, lead.c.attributes, lead.c.no_mail)
    rows = session.execute(select(*columns).order_by(lead.c.id)).all()
    assert [row.first_name for row in rows] == first
    assert [row.email_is_free for row in rows] == [False, True] * 300
    assert [row.last_name for row in rows] == [tail.values[0] for tail in many]
    assert [row.attributes["x"] for row in rows] == [tail.values[0] for tail in many]
    assert [row.no_mail for row in rows] == [tail.values[2] for tail in many]
