"""The brand's colours and font, as every email wears them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from leadflow.email.contrast import readable_on

#: What stands where leadflow.yaml names no other.
COLORS: Mapping[str, str] = {
    "text": "#1f2933",
    "paper": "#ffffff",
    "page": "#f4f5f3",
    "quiet": "#52606d",
    "link": "#0b5c63",
    "button": "#0b5c63",
    "button_text": "#ffffff",
}
FONT = "-apple-system, 'Segoe UI', Helvetica, Arial, sans-serif"
#: What is read on what.
READ_ON: Mapping[str, str] = {"text": "paper", "quiet": "page", "link": "paper", "button_text": "button"}
#: The paper of the frame in dark mode.
DARK_PAPER = "#1b2225"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """`brand: {colors: {…}, font: …}`."""

    colors: Mapping[str, str] = field(default_factory=lambda: COLORS)
    font: str = FONT

    @property
    def words(self) -> Mapping[str, str]:
        """Dotted name → what stands for it in a template; links get lighter until they can be read in the dark."""
        dark = {"dark_paper": DARK_PAPER, "dark_link": readable_on(DARK_PAPER, self.colors["link"])}
        return {"brand.font": self.font} | {f"brand.colors.{name}": c for name, c in {**self.colors, **dark}.items()}
