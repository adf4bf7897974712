"""The files of a workspace: what was read, by relative path, and the hash that names exactly this content."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from leadflow.errors import Fault, InputError
from leadflow.reading import LARGEST_FILE, Node, read_yaml
from leadflow.text import _


class Files:
    """Reads files below one folder and keeps their bytes; line ends are those of Unix whatever the machine."""

    def __init__(self, workspace: Path, faults: list[Fault]) -> None:
        self.workspace, self.faults = workspace, faults
        self.read: dict[str, bytes] = {}

    def names(self, folder: str) -> list[str]:
        """Relative paths of what stands in `folder`, hidden and backup files apart, in a stable order."""
        place = self.workspace / folder
        if not place.is_dir():
            return []
        found = [entry.name for entry in place.iterdir() if not entry.name.startswith(".")]
        return sorted(f"{folder}/{name}" for name in found if not name.endswith(("~", ".swp", ".orig")))

    def folders(self, folder: str) -> list[str]:
        """The folders in `folder`."""
        return [name for name in self.names(folder) if (self.workspace / name).is_dir()]

    def text(self, path: str) -> str | None:
        """The text of a file; None, with a fault, when it cannot be read."""
        place = self.workspace / path
        try:
            if not place.resolve().is_relative_to(self.workspace.resolve()):
                self.fault(path, _("the file is a link that leads out of the workspace"))
                return None
            raw = place.read_bytes()
        except OSError:
            self.fault(path, _("the file is missing or cannot be read"))
            return None
        if len(raw) > LARGEST_FILE:
            self.fault(path, _("the file is bigger than 256 kB"))
            return None
        content = raw.replace(b"\r\n", b"\n")
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            before = content[: error.start]
            line, column = before.count(b"\n") + 1, error.start - (before.rfind(b"\n") + 1) + 1
            self.fault(path, _("this is not UTF-8 text; save the file as UTF-8"), line=line, column=column)
            return None
        self.read[path] = content
        return text

    def yaml(self, path: str) -> Node | None:
        """The root of a YAML file that must hold a mapping; None, with faults, when it does not."""
        text = self.text(path)
        root = None if text is None else read_yaml(path, text, self.faults)
        if root is not None and not root.is_mapping:
            root.fault(_("expected a mapping (name: value)"))
            return None
        return root

    def lines(self, path: str) -> Sequence[str]:
        """The words of a list file, one a line, comments (#) and empty lines apart; InputError when there is none."""
        parts = PurePosixPath(path).parts
        if not parts or path.startswith("/") or ".." in parts or "\\" in path:
            raise InputError(_("{path}: name a file inside the workspace, such as lists/names.txt").format(path=path))
        if not (self.workspace / path).is_file():
            raise InputError(_("{path} does not exist").format(path=path))
        text = self.text(path) or ""
        words = (line.split("#", 1)[0].strip() for line in text.splitlines())
        return tuple(word for word in words if word)

    def fault(self, path: str, message: str, *, line: int = 0, column: int = 0) -> None:
        """Note that something is wrong with a file as a whole, or at a place of it."""
        self.faults.append(Fault(file=path, line=line, column=column, message=message))


def digest_of(files: Mapping[str, bytes], paths: Iterable[str] | None = None) -> str:
    """Hash of the paths and contents of `files` (all, or `paths`), the same on any machine."""
    digest = hashlib.sha256()
    for path in sorted(files if paths is None else paths):
        for part in (path.encode(), files[path]):
            digest.update(len(part).to_bytes(8, "big"))
            digest.update(part)
    return digest.hexdigest()
