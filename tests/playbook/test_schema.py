"""The schemas editors use say the same as leadflow: the example fits them, and a misspelt word does not."""

import json
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # published without types
from ruamel.yaml import YAML

from leadflow.playbook.load import load_playbook
from leadflow.playbook.schema import schemas, write_schemas
from tests.playbook.conftest import EXAMPLE

BRAND, REST = "name: a, site: b, postal_address: c, languages: fr", "office: {zone: a, country: b}, sender: {}"
_KINDS = {"segments": "segment", "config/sequences": "sequence", "config/forms": "form"}
PARTS = ("config", "segments", "templates", "personas")


def kind_of(path: str) -> str | None:
    """The file type of a path of the workspace."""
    place = PurePosixPath(path)
    if place.suffix != ".yaml" or place.parent.name == "_base":
        return None
    return _KINDS.get(str(place.parent), place.stem)


def shipped_kind(path: Path) -> str | None:
    """The file type of a shipped file; None for one that has no schema."""
    if path.parent.name == "personas":
        return "persona"
    kind = kind_of(str(path.relative_to(EXAMPLE)))
    return kind if kind in schemas() else None


def as_an_editor_sees_it(text: str | bytes) -> Any:
    """Plain YAML 1.2, scalars coerced; dates stay texts and keys are texts, as in JSON."""
    return json.loads(json.dumps(YAML(typ="safe", pure=True).load(text), default=str))


def test_every_file_of_the_example_fits_its_schema() -> None:
    playbook = load_playbook(EXAMPLE)
    known = schemas(playbook)

    for path, content in playbook.files.items():
        if kind := kind_of(path):
            errors = Draft202012Validator(known[kind]).iter_errors(as_an_editor_sees_it(content))
            assert [(path, error.json_path, error.message[:200]) for error in errors] == []


@pytest.mark.parametrize("path", sorted((EXAMPLE / "personas").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_personas_of_the_example_fit_theirs(path: Path) -> None:
    schema = schemas(load_playbook(EXAMPLE))["persona"]

    assert [
        error.message for error in Draft202012Validator(schema).iter_errors(as_an_editor_sees_it(path.read_text()))
    ] == []


def test_every_shipped_file_points_editors_at_its_schema() -> None:
    files = {
        path: kind
        for part in PARTS
        for path in sorted((EXAMPLE / part).rglob("*.yaml"))
        if (kind := shipped_kind(path))
    }
    steps = {path: "../" * (len(path.relative_to(EXAMPLE).parts) - 1) for path in files}
    expected = {
        path: f"# yaml-language-server: $schema={steps[path]}.schemas/{kind}.json" for path, kind in files.items()
    }

    assert {path: path.read_text().splitlines()[0] for path in files} == expected


def test_the_schemas_are_schemas() -> None:
    for schema in schemas().values():
        Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("segment", "{title: x, when: {field: industri, is: retail}}"),
        ("segment", "{title: x, when: {field: industry, is: retale}}"),
        ("segment", "{title: x, when: {field: industry, over: 3}}"),
        ("segment", "{title: x, when: {event: page_veiwed}}"),
        ("segment", "{titel: x, when: {segment: online-shops}}"),
        ("schedule", "{jobs: {nightly: {at: '25:00'}}}"),
        ("leadflow", f"{{brand: {{{BRAND}, colors: {{button: green}}}}, {REST}}}"),
        ("leadflow", f"{{brand: {{{BRAND}, colors: {{buton: '#000'}}}}, {REST}}}"),
        ("email", "{title: x, subject: y, for: {stage: [discvery]}}"),
        ("email", "{title: x, subject: y, variants: {b: {share: 20 %, subjet: z}}}"),
        ("email", "{title: x, subject: y, variants: {b: {share: 20}}}"),
        ("sequence", "{title: x, track: t, enter: {segment: online-shops}, steps: [{name: a, wiat: 3 days}]}"),
    ],
)
def test_a_misspelt_word_is_underlined(kind: str, text: str) -> None:
    schema = schemas(load_playbook(EXAMPLE))[kind]

    assert not Draft202012Validator(schema).is_valid(as_an_editor_sees_it(text))


def test_a_brand_may_have_colours_and_a_font() -> None:
    text = f"{{brand: {{{BRAND}, colors: {{button: '#0b5c63'}}, font: serif}}, {REST}}}"

    assert Draft202012Validator(schemas()["leadflow"]).is_valid(as_an_editor_sees_it(text))


def test_schemas_are_written_beside_the_files(tmp_path: Path) -> None:
    written = write_schemas(tmp_path)

    assert {path.name for path in written} >= {"leadflow.json", "segment.json", "sequence.json", "email.json"}
    assert all(json.loads(path.read_text())["$defs"] for path in written)
