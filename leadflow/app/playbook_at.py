"""A playbook from somewhere else: another folder, or a Git ref of the workspace's repository, whose files stay put."""

import subprocess
import tarfile
import tempfile
from io import BytesIO
from pathlib import Path

from leadflow.app.workspace import SOURCES
from leadflow.errors import PlaybookError, UsageError
from leadflow.playbook.load import MAIN, load_playbook
from leadflow.playbook.model import Playbook
from leadflow.text import _


def playbook_at(workspace: Path, ref: str) -> Playbook:
    """The playbook in the folder `ref`, else at the Git ref `ref`; UsageError when there is none, or it has faults."""
    if (Path(ref) / MAIN).is_file():
        return _loaded(Path(ref), ref)
    with tempfile.TemporaryDirectory(prefix="leadflow-against-") as folder:
        _unpack(workspace, ref, Path(folder))
        return _loaded(Path(folder), ref)


def _loaded(folder: Path, ref: str) -> Playbook:
    try:
        return load_playbook(folder)
    except PlaybookError as error:
        told = _("{ref}: there is no sound playbook to compare with")
        raise UsageError("\n".join([told.format(ref=ref), *map(str, error.faults)])) from error


def _unpack(workspace: Path, ref: str, folder: Path) -> None:
    """The sources of the workspace as they are at `ref`, in `folder`."""
    if ref.startswith("-"):
        raise UsageError(_("{ref} is no Git ref and no folder with a playbook").format(ref=ref))
    listed = _git(workspace, "ls-tree", "--name-only", ref, ref=ref).decode().split()
    sources = [name for name in SOURCES if name in listed]
    if not sources:
        raise UsageError(_("{ref}: there is no sound playbook to compare with").format(ref=ref))
    packed = _git(workspace, "archive", "--format=tar", ref, "--", *sources, ref=ref)
    with tarfile.open(fileobj=BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")


def _git(workspace: Path, *words: str, ref: str) -> bytes:
    try:
        done = subprocess.run(["git", "-C", str(workspace), *words], capture_output=True, check=False)  # noqa: S603, S607 - the words are ours, the ref is no option
    except FileNotFoundError:
        raise UsageError(_("git is not installed: name a folder instead of {ref}").format(ref=ref)) from None
    if done.returncode:
        raise UsageError(_("{ref} is no Git ref and no folder with a playbook").format(ref=ref))
    return done.stdout
