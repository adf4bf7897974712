"""`crm: file` writes each hand-over to var/handovers/000147.json, for whatever CRM picks files up."""

import json
from pathlib import Path

from leadflow.crm import write_whole
from leadflow.errors import RetryableError
from leadflow.ports import HandOver


class FileCrm:
    """Takes a hand-over by writing it down; handing it over again replaces the file."""

    name = "file"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def hand_over(self, hand_over: HandOver) -> None:
        """Write one file, whole or not at all; RetryableError when the disk refuses."""
        row = {
            "handover": hand_over.escalation_id,
            "rule": hand_over.rule,
            "rep": hand_over.rep,
            "due_at": hand_over.due_at.isoformat(),
            "lead": dict(hand_over.lead),
        }
        text = json.dumps(row, ensure_ascii=False, indent=2, default=str) + "\n"
        try:
            write_whole(self._folder / f"{hand_over.escalation_id:06}.json", text)
        except OSError as error:
            raise RetryableError(f"hand-over {hand_over.escalation_id} was not written: {error.strerror}") from error
