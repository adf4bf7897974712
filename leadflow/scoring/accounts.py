"""A company's scores, from its people: read when asked for, so that no night has to write them."""

from typing import Any

from sqlalchemy import BigInteger, Select, cast, func, select

from leadflow.db import least
from leadflow.models import lead, lead_score
from leadflow.scoring.columns import over
from leadflow.scoring.sheet import HIGHEST


def account_scores() -> Select[Any]:
    """account_id, fit, engagement and people of each company, scores in hundredths of a point.

    fit = max, engagement = min(100, (3·max + sum) / 4) over its people.
    """
    hottest, together = func.max(lead_score.c.engagement), cast(func.sum(lead_score.c.engagement), BigInteger)
    return (
        select(
            lead.c.account_id,
            func.max(lead_score.c.fit).label("fit"),
            least(HIGHEST, over(3 * hottest + together, 4)).label("engagement"),
            func.count().label("people"),
        )
        .join(lead_score, lead_score.c.lead_id == lead.c.id)
        .where(lead.c.account_id.is_not(None))
        .group_by(lead.c.account_id)
    )
