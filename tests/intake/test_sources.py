"""Where a visit came from: what was written on the way here, else the place it was made from."""

from typing import Any

import pytest

from leadflow.intake.sources import Source, source_of

SITE = "https://www.atelier.example"


@pytest.mark.parametrize(
    ("told", "source", "medium"),
    [
        ({"utm_source": "News", "utm_medium": "Email", "referrer": "https://www.google.com"}, "news", "email"),
        ({"gclid": "x", "referrer": "https://www.google.com"}, "google", "cpc"),
        ({"fbclid": "x"}, "facebook", "social"),
        ({"referrer": "https://www.google.co.uk/search?q=x"}, "google", "organic"),
        ({"referrer": "https://mail.google.com/"}, "mail.google.com", "email"),
        ({"referrer": "android-app://com.linkedin.android/"}, "linkedin", "social"),
        ({"referrer": "https://l.facebook.com/"}, "facebook", "social"),
        ({"referrer": "https://www.partner.example/a"}, "partner.example", "referral"),
        ({"referrer": "https://notgoogle.com/"}, "notgoogle.com", "referral"),
        ({"referrer": "https://[bad"}, "direct", None),
        ({}, "direct", None),
    ],
)
def test_each_way_to_the_site_has_its_name(told: dict[str, str], source: str, medium: str | None) -> None:
    found = source_of(told, own=SITE)
    assert found is not None
    assert (found.source, found.medium) == (source, medium)


@pytest.mark.parametrize("told", [None, "x", [], {"referrer": "https://atelier.example/tarifs"}])
def test_a_page_of_the_site_that_leads_to_another_is_no_arrival(told: Any) -> None:
    assert source_of(told, own=SITE) is None


def test_what_nobody_could_read_is_cut_and_cleaned() -> None:
    told = {"utm_source": " A\u202e\x00B ", "utm_campaign": "c" * 900, "utm_medium": 7}
    assert source_of(told, own=SITE) == Source(source="ab", campaign="c" * 100)
