"""`freeze: true`: an email's text as it was on the day it was planned, from the files kept of that day's playbook."""

from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import select
from sqlalchemy.orm import Session

from leadflow.errors import PlaybookError, TemplateError
from leadflow.models import playbook_file, playbook_version
from leadflow.playbook.load import load_playbook
from leadflow.playbook.model import Playbook


def stored_playbook(session: Session, version: str) -> Playbook:
    """The playbook of `version`, read again from its files; TemplateError when they were not kept."""
    files = session.scalar(select(playbook_version.c.files).where(playbook_version.c.hash == version))
    if not files:
        raise TemplateError("the files of the day it was planned were not kept")
    hashes = set(files.values())
    rows = session.execute(select(playbook_file).where(playbook_file.c.hash.in_(hashes)))
    contents = {row.hash: row.content for row in rows}
    with TemporaryDirectory(prefix="leadflow-") as folder:
        for path, digest in files.items():
            place = Path(folder, path)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(contents[digest])
        try:
            return load_playbook(Path(folder))
        except PlaybookError as error:
            raise TemplateError("the files of the day it was planned cannot be read any more") from error
