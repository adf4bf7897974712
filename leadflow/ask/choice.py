"""From which emails one was chosen: `chosen from 3: for evaluation ✓ manufacturers ✓ fit A ✓ fr ✓, rank 70; then …`."""

from sqlalchemy import RowMapping
from sqlalchemy.orm import Session

from leadflow.ask.person import subject_at
from leadflow.ask.scores import score_person
from leadflow.ask.shelf import candidates, reader_of
from leadflow.conditions.evaluate import View
from leadflow.email.catalog import Email
from leadflow.playbook.model import Playbook
from leadflow.steps.email import EmailStep
from leadflow.text import _

#: As many of the others are named.
_OTHERS = 3


def chosen_words(session: Session, playbook: Playbook, row: RowMapping, view: View) -> str:
    """How the email of a message was chosen; of rules that have changed since only what the record kept is said."""
    among = row["chosen"].get("candidates")
    if not among or among < 2:
        return ""
    short = _("chosen from {n}").format(n=among)
    email, step = playbook.emails.get(row["email"]), _step(playbook, row)
    if email is None or step is None or step.best_for is None or row["playbook"] != playbook.version:
        return short
    others = _others(session, playbook, row, step.best_for, view)
    if len(others) + 1 != among:
        return short
    then = ", ".join(f"{one.name} {one.rank}" for one in others[:_OTHERS])
    more = ", …" if len(others) > _OTHERS else ""
    return _("{chosen}: {marks}, rank {rank}; then {others}").format(
        chosen=short, marks=_marks(email, row), rank=email.rank, others=then + more
    )


def _others(session: Session, playbook: Playbook, row: RowMapping, best_for: str, view: View) -> list[Email]:
    """What else could have been chosen that night, the best first; empty when it cannot be rebuilt."""
    known = subject_at(session, playbook, row["lead_id"], row["planned_at"])
    then = View(now=row["planned_at"], vocabulary=view.vocabulary, segments=view.segments, zone=view.zone)
    chosen = row["chosen"]
    reader = reader_of(
        session,
        lead_id=row["lead_id"],
        person=score_person(session, playbook, known, then).person,
        stage=chosen.get("stage") or "",
        band=chosen.get("band") or "",
        main=chosen.get("segment"),
        view=then,
    )
    found = candidates(playbook, reader, best_for)
    return [one.email for one in found if one.email.name != row["email"]] if found else []


def _step(playbook: Playbook, row: RowMapping) -> EmailStep | None:
    sequence = playbook.sequence(row["sequence"]) if row["sequence"] else None
    step = sequence.step(row["step"]) if sequence else None
    return step if isinstance(step, EmailStep) else None


def _marks(email: Email, row: RowMapping) -> str:
    """What its `for` asked, and the person was."""
    chosen, wanted = row["chosen"], email.audience
    marks = [
        (wanted.stage, _("for {who}").format(who=chosen.get("stage"))),
        (wanted.segments, chosen.get("segment") or ", ".join(wanted.segments)),
        (wanted.fit, _("fit {band}").format(band=str(chosen.get("band"))[:1])),
        (wanted.engagement, _("engagement {band}").format(band=str(chosen.get("band"))[1:])),
    ]
    said = [f"{words} ✓" for asked, words in marks if asked]
    return " ".join([*said, f"{row['language']} ✓"])
