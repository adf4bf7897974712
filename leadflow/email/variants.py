"""Who gets which variant of an email: a lot drawn once from the lead's seed and the names, never by chance."""

from collections.abc import Iterator, Mapping
from hashlib import blake2b

from leadflow.email.catalog import Email

#: The first text of an email, in words that no variant may be called by.
ORIGINAL = "original"
#: Seeds are below it, and it is prime: two emails draw from the same seed as if from two.
MODULUS = 2**31 - 1
#: So many lots there are; a hundred of them are one percent.
LOTS = 10_000


def constants_of(email: Email) -> tuple[int, int]:
    """a and b of the lot ((seed·a + b) mod 2³¹−1) mod 10,000.

    Of the names alone: when a share is changed, most readers stay with the text they were to get.
    """
    told = "\n".join((email.name, *(one.name for one in email.variants)))
    digest = blake2b(told.encode(), digest_size=16).digest()
    return 1 + int.from_bytes(digest[:8], "big") % (MODULUS - 1), int.from_bytes(digest[8:], "big") % MODULUS


def shares_of(email: Email) -> Mapping[str, int]:
    """Variant → percent of those who get the email; '' for the original, which has what is left."""
    shares = {one.name: one.share for one in email.variants}
    return {"": 100 - sum(shares.values()), **shares}


def bounds_of(email: Email) -> Iterator[tuple[str, int]]:
    """(variant, the lot below which it is drawn), in their order; the original is drawn from there on."""
    below = 0
    for one in email.variants:
        below += one.share * LOTS // 100
        yield one.name, below


def variant_for(email: Email, seed: int) -> str:
    """The variant of `email` that the lead with this seed gets; '' for the original."""
    a, b = constants_of(email)
    lot = (seed * a + b) % MODULUS % LOTS
    return next((name for name, below in bounds_of(email) if lot < below), "")
