"""Draw the shipped emails on contact sheets, one a stage and language: `python tools/contact_sheet.py`."""

import base64
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from html import escape
from pathlib import Path

from leadflow.app.preview import Preview, Workbench
from leadflow.app.preview_camera import Camera, camera, find_chromium
from leadflow.email.catalog import Email
from leadflow.playbook.model import Playbook
from leadflow.settings import Settings

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "pictures"
#: Emails that are for no one stage.
EVERYBODY = "every-stage"
#: A sheet that is bigger belongs in no repository.
BIGGEST = 300_000
#: CSS pixels of a mail on a desk and on a phone, and of its picture on the sheet.
WIDTHS = {700: 300, 375: 161}
_PAGE = """<!doctype html><meta charset="utf-8"><style>
body { margin: 24px; font: 15px/1.35 system-ui, sans-serif; background: #e6e9ef; color: #1d2433 }
main { display: grid; grid-template-columns: repeat(3, 473px); gap: 28px 24px }
b, small { display: block; white-space: nowrap; overflow: hidden; text-overflow: ellipsis }
small { color: #55607a; margin: 0 0 8px }
figure { margin: 0; display: flex; gap: 12px; align-items: flex-start }
img { background: #fff; box-shadow: 0 1px 4px #0004 }
</style><main>"""


def groups(playbook: Playbook) -> dict[str, list[Email]]:
    """Stage → its emails by name, those for everybody last."""
    found: dict[str, list[Email]] = {name: [] for name in (*(s.name for s in playbook.journey.stages), EVERYBODY)}
    for _name, email in sorted(playbook.emails.items()):
        stages = email.audience.stage
        found[stages[0] if len(stages) == 1 else EVERYBODY].append(email)
    return {name: emails for name, emails in found.items() if emails}


def card(shown: Preview, lens: Camera) -> str:
    """A mail in both widths under its subject."""
    if shown.rendered is None:
        raise SystemExit(f"{shown.email.name}: {shown.refused}")
    pictures = "".join(
        f'<img width="{small}" src="data:image/png;base64,{base64.b64encode(taken).decode()}">'
        for width, small in WIDTHS.items()
        for taken in [lens.take(shown.rendered.html, width=width)]
    )
    subject = escape(shown.rendered.subject)
    return f"<div><b>{subject}</b><small>{shown.email.name}</small><figure>{pictures}</figure></div>"


def sheets(bench: Workbench, lens: Camera) -> Iterator[tuple[str, bytes]]:
    """(file, picture) of each sheet."""
    reading = bench.read()
    playbook, now = reading.sound(), datetime.now(UTC)
    for stage, emails in groups(playbook).items():
        for language in playbook.brand.languages:
            written = [email for email in emails if language in email.bodies]
            cards = (card(bench.preview(reading, one.name, now, language=language), lens) for one in written)
            yield f"emails-{stage}-{language}.webp", lens.take(_PAGE + "".join(cards), width=1515, quality=50)


def main() -> int:
    """Draw them; 1 when there is no Chromium, or a sheet is too big."""
    chromium = find_chromium()
    if chromium is None:
        print("no Chromium on the PATH: run make browser")
        return 1
    PICTURES.mkdir(exist_ok=True)
    too_big = False
    with Workbench(Settings(workspace=ROOT)) as bench, camera(chromium) as lens:
        for file, picture in sheets(bench, lens):
            (PICTURES / file).write_bytes(picture)
            too_big |= len(picture) > BIGGEST
            print(f"docs/pictures/{file}  {len(picture) // 1000} kB")
    return int(too_big)


if __name__ == "__main__":
    sys.exit(main())
