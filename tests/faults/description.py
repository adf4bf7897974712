"""SendGrid's official OpenAPI description of mail/send, where it lies beside the project: does a body follow it?"""

import json
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

SHARED = Path(os.environ.get("LEADFLOW_SHARED") or Path(__file__).parents[3] / "shared")
DESCRIPTION = SHARED / "data/sendgrid/tsg_mail_v3.json"


@cache
def _rules() -> Any:
    if not DESCRIPTION.exists():
        return None
    described = json.loads(DESCRIPTION.read_text())
    schema = described["components"]["requestBodies"]["PostMailSend"]["content"]["application/json"]["schema"]
    return Draft202012Validator({**schema, "components": described["components"]})


def complaints(body: Any) -> Sequence[str] | None:
    """What the description has against `body`, as places and rules without its words; None when it is not there."""
    rules = _rules()
    if rules is None:
        return None
    return [f"{'/'.join(map(str, error.path))}: {error.validator}" for error in rules.iter_errors(body)]
