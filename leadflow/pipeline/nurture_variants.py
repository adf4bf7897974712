"""Which variant of its email a message carries: the lot of `leadflow.email.variants`, drawn in the statement."""

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Text, case, cast, literal, null

from leadflow.email.catalog import Email
from leadflow.email.variants import LOTS, MODULUS, bounds_of, constants_of
from leadflow.playbook.model import Playbook


def variant_of(playbook: Playbook, email: ColumnElement[Any], seed: ColumnElement[int]) -> ColumnElement[Any]:
    """The name of the variant that whoever has `seed` gets of `email`; NULL for the original."""
    varied = [one for _name, one in sorted(playbook.emails.items()) if one.variants]
    none = cast(null(), Text)
    return case(*((email == one.name, _drawn(one, seed)) for one in varied), else_=none) if varied else none


def _drawn(email: Email, seed: ColumnElement[int]) -> ColumnElement[Any]:
    a, b = (literal(number, BigInteger) for number in constants_of(email))
    lot = (seed * a + b) % literal(MODULUS, BigInteger) % literal(LOTS, BigInteger)
    return case(*((lot < below, name) for name, below in bounds_of(email)), else_=null())
