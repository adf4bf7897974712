"""`--map olist.yaml`: a mapping kept in a file, so that the same export is imported the same way every month."""

from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from leadflow.errors import Fault, InputError, PlaybookError, UsageError
from leadflow.intake.mapping import Wishes
from leadflow.reading import Node, did_you_mean, read_yaml
from leadflow.text import _

_KEYS = ("map", "constant", "null", "date_format", "template_address")


def read_wishes(path: Path) -> Wishes:
    """What a mapping file asks for; PlaybookError with every fault, located."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        words = _("{file}: the file cannot be opened ({reason})")
        raise InputError(words.format(file=path.name, reason=error.strerror)) from None
    except UnicodeDecodeError:
        raise InputError(_("{file}: the file is not written in UTF-8").format(file=path.name)) from None
    faults: list[Fault] = []
    root = read_yaml(path.name, text, faults)
    wishes = _wishes(root) if root else Wishes()
    if faults:
        raise PlaybookError(faults)
    return wishes


def _wishes(root: Node) -> Wishes:
    root.only(*_KEYS)
    template = root.get("template_address")
    return Wishes(
        map=_texts(root, "map"),
        constant=_texts(root, "constant"),
        null={key.raw: value.texts() for key, value in _items(root, "null")},
        date_format=_texts(root, "date_format"),
        template_address=template.text() if template else None,
    )


def _items(root: Node, name: str) -> list[tuple[Node, Node]]:
    part = root.get(name)
    return part.items() if part else []


def _texts(root: Node, name: str) -> Mapping[str, str]:
    return {key.raw: value.text() or "" for key, value in _items(root, name)}


def typed_wishes(
    *,
    map: list[str],
    constant: list[str],
    null: list[str],
    date_format: list[str],
    first_seen: str | None,
    template_address: str | None,
) -> Wishes:
    """What was typed as options, `left=right` each; what a file says first, options change."""
    files = [Path(one) for one in map if "=" not in one]
    if len(files) > 1:
        raise UsageError(_("--map takes one file and any number of FIELD=COLUMN"))
    kept = read_wishes(files[0]) if files else Wishes()
    typed = pairs_of("--map", [one for one in map if "=" in one])
    if first_seen:
        typed["first_seen"] = first_seen
    words = {
        column: tuple(word.strip() for word in said.split(",")) for column, said in pairs_of("--null", null).items()
    }
    return Wishes(
        map={**kept.map, **typed},
        constant={**kept.constant, **pairs_of("--constant", constant)},
        null={**kept.null, **words},
        date_format={**kept.date_format, **pairs_of("--date-format", date_format)},
        template_address=template_address or kept.template_address,
    )


def pairs_of(option: str, given: list[str]) -> dict[str, str]:
    """`left=right` of each; UsageError for one that is none."""
    pairs = {}
    for one in given:
        left, sign, right = one.partition("=")
        if not sign or not left.strip() or not right.strip():
            raise UsageError(_('{option} "{given}": write it as LEFT=RIGHT').format(option=option, given=one))
        pairs[left.strip()] = right.strip()
    return pairs


def zone_named(name: str | None) -> ZoneInfo | None:
    """The zone of dates that name none; UsageError when there is no such zone."""
    if name is None:
        return None
    if name not in available_timezones():
        words = _("--zone {zone}: there is no such time zone.").format(zone=name)
        raise UsageError(words + did_you_mean(name, available_timezones()))
    return ZoneInfo(name)
