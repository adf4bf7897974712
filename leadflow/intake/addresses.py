"""Normalises addresses: one person, one spelling, and a reason in plain words for what is no address."""

import re
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple

from email_validator import EmailNotValidError, ValidatedEmail, validate_email

from leadflow.errors import LeadflowError
from leadflow.text import _

#: The longest address there is (RFC 5321, erratum 1690), and the longest part before its @; in octets.
_LONGEST, _LONGEST_LOCAL = 254, 64
#: The usual address, which the library takes as it is: a plain local part, labels of letters, digits and hyphens.
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?+"
_USUAL = re.compile(
    rf"[\w!#$%&'*+/=?^`{{|}}~-]++(?:\.[\w!#$%&'*+/=?^`{{|}}~-]++)*+@((?:{_LABEL}\.)+{_LABEL})", re.ASCII
)
#: What a local part may be without quotes (RFC 5322, dot-atom).
_PLAIN = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*", re.ASCII)


class AddressError(LeadflowError):
    """This is no address one can write to."""


class Address(NamedTuple):
    """A normalised address: casefolded local part, lower-case ASCII domain. A tuple, since a file has a million."""

    value: str
    domain: str
    #: A mailbox anybody can open: says nothing about a company.
    is_free: bool


@cache
def free_domains() -> frozenset[str]:
    """Domains of mailboxes anybody can open."""
    text = files("leadflow.intake").joinpath("free_mailboxes.txt").read_text(encoding="utf-8")
    return frozenset(line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#"))


def read_address(text: str) -> Address:
    """The address in `text`; AddressError says in words, without repeating it, why there is none. No DNS is asked."""
    bare = text.strip(" \t")
    usual = _USUAL.fullmatch(bare)
    # Two hyphens in a row may announce an international name, which only the library can read.
    if usual and usual.start(1) - 1 <= _LONGEST_LOCAL and len(bare) <= _LONGEST and "--" not in usual[1]:
        domain = usual[1].lower()
        return Address(bare.lower(), domain, domain in free_domains())
    if problem := _unprintable(bare):
        raise AddressError(problem)
    local, _at, right = bare.rpartition("@")
    try:
        # Most addresses of a file share their domains and have a plain local part, which needs no second look.
        if not _PLAIN.fullmatch(local) or len(local) > _LONGEST_LOCAL:
            local = _parsed(f"{local}@x.example").local_part if right else ""
        domain = _domain(right) if "." in right else _domain("")
    except EmailNotValidError as error:
        raise AddressError(_in_words(bare, error)) from None
    value = f"{local.casefold()}@{domain}"
    if max(len(bare.encode()), len(value.encode())) > _LONGEST:
        raise AddressError(_("the address is too long"))
    return Address(value=value, domain=domain, is_free=domain in free_domains())


@lru_cache(maxsize=65_536)
def _domain(text: str) -> str:
    found = _parsed(f"x@{text}")
    return str(found.ascii_domain).lower()


def _parsed(text: str) -> ValidatedEmail:
    return validate_email(text, check_deliverability=False, globally_deliverable=False, strict=True)


def _unprintable(text: str) -> str | None:
    if "\0" in text:
        return _("the address has a NUL byte in it")
    if "\n" in text or "\r" in text:
        return _("the address has a line break in it")
    if " " in text or not text.isprintable() or any(map(str.isspace, text)):
        return _("the address has a space or an invisible sign in it")
    return None


def _in_words(text: str, error: EmailNotValidError) -> str:
    # The library's own words repeat parts of the address, which must not reach a log.
    if text.count("@") != 1:
        return _("the address must have exactly one @")
    local, _at, domain = text.partition("@")
    if not local or not domain:
        return _("the address needs something on both sides of the @")
    if "." not in domain:
        return _("the address has no full domain after the @")
    if len(local) > _LONGEST_LOCAL or len(domain) > 253 or "too long" in str(error):
        return _("the address is too long")
    return _("the address has signs that no mailbox can have")
