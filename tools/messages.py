"""Collects what leadflow says into the French catalogue, and compiles it: `python tools/messages.py`."""

import ast
import struct
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import typer

from leadflow.cli import main as commands
from leadflow.cli._helping import said_by

ROOT = Path(__file__).parents[1]
PO = ROOT / "leadflow" / "locale" / "fr" / "LC_MESSAGES" / "leadflow.po"
MO = PO.with_suffix(".mo")
HEADER = "Language: fr\nContent-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=2; plural=(n > 1);\n"


@dataclass(slots=True)
class Message:
    """An English text, where it stands, and its translations (two where it counts something)."""

    text: str
    plural: str | None = None
    places: list[str] = field(default_factory=list)
    said: tuple[str, ...] = ()


def extract(root: Path = ROOT) -> dict[str, Message]:
    """Every `_("…")` and `ngettext("…", "…", n)` of the package, by its text; ValueError for one that is computed."""
    found: dict[str, Message] = {}
    for path in sorted((root / "leadflow").rglob("*.py")):
        place = path.relative_to(root).as_posix()
        for call in _calls(ast.parse(path.read_text(encoding="utf-8"))):
            texts = [_text(argument, place) for argument in call.args[: 2 if _name(call) == "ngettext" else 1]]
            message = found.setdefault(texts[0], Message(texts[0]))
            message.plural = message.plural or (texts[1] if len(texts) > 1 else None)
            if place not in message.places:
                message.places.append(place)
    return found


def helps() -> dict[str, Message]:
    """The help texts of the commands, by their text: read off the commands, where many come from docstrings."""
    commands._gather()
    texts = dict.fromkeys(one.help for one in said_by(typer.main.get_command(commands.app)))
    return {text: Message(text, places=["leadflow/cli"]) for text in texts}


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and _name(node) in ("_", "ngettext"):
            yield node


def _name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _text(node: ast.expr, place: str) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    raise ValueError(f"{place}:{node.lineno}: a text to translate must be written out")


def read_po(text: str) -> dict[str, Message]:
    """The messages of a catalogue, by their English text; the header's is empty."""
    found: dict[str, Message] = {}
    for block in text.split("\n\n"):
        parts: dict[str, str] = {}
        key = ""
        for line in block.splitlines():
            if line.startswith("msg"):
                key, _space, value = line.partition(" ")
                parts[key] = ast.literal_eval(value)
            elif line.startswith('"'):
                parts[key] += ast.literal_eval(line)
        if "msgid" in parts:
            said = tuple(value for name, value in parts.items() if name.startswith("msgstr"))
            found[parts["msgid"]] = Message(parts["msgid"], parts.get("msgid_plural"), said=said)
    return found


def write_po(messages: Mapping[str, Message]) -> str:
    """The catalogue as text: the header, then the messages in the order of the files that say them."""
    blocks = [f'msgid ""\nmsgstr {_quoted(HEADER)}']
    for message in sorted(messages.values(), key=lambda message: (message.places[0], message.text)):
        lines = [*(f"#: {place}" for place in message.places), f"msgid {_quoted(message.text)}"]
        if message.plural is None:
            lines.append(f"msgstr {_quoted((message.said or ('',))[0])}")
        else:
            lines.append(f"msgid_plural {_quoted(message.plural)}")
            lines += [f"msgstr[{i}] {_quoted(said)}" for i, said in enumerate(message.said or ("", ""))]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def compile_mo(messages: Mapping[str, Message]) -> bytes:
    """The catalogue as gettext reads it (GNU MO, version 0); what is not translated is left out."""
    pairs = {"": HEADER}
    for message in messages.values():
        if message.text and all(message.said) and message.said:
            key = message.text if message.plural is None else f"{message.text}\0{message.plural}"
            pairs[key] = "\0".join(message.said)
    encoded = sorted((key.encode(), value.encode()) for key, value in pairs.items())
    tables, strings = b"", b""
    start = 28 + 16 * len(encoded)
    for side in (0, 1):
        for pair in encoded:
            tables += struct.pack("<II", len(pair[side]), start + len(strings))
            strings += pair[side] + b"\0"
    header = struct.pack("<7I", 0x950412DE, 0, len(encoded), 28, 28 + 8 * len(encoded), 0, start)
    return header + tables + strings


def updated() -> dict[str, Message]:
    """Today's messages, with the translations there are."""
    messages = helps() | extract()
    known = read_po(PO.read_text(encoding="utf-8")) if PO.exists() else {}
    for text, message in messages.items():
        if text in known and bool(known[text].plural) == bool(message.plural):
            message.said = known[text].said
    return messages


def main() -> int:
    """Bring the catalogue up to date and compile it; 1 when something is left to translate."""
    messages = updated()
    PO.parent.mkdir(parents=True, exist_ok=True)
    PO.write_text(write_po(messages), encoding="utf-8")
    MO.write_bytes(compile_mo(messages))
    missing = [message for message in messages.values() if not message.said or not all(message.said)]
    for message in missing:
        print(f"{message.places[0]}  {message.text!r}")
    print(f"{len(messages)} messages, {len(missing)} to translate")
    return int(bool(missing))


if __name__ == "__main__":
    sys.exit(main())
