"""How the outside world behaves: faults drawn from a seed, and what each of them means."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Fault(NamedTuple):
    """What becomes of one mail: whether the provider has it, what the sender hears, what happens to the sender."""

    accepted: bool
    #: A status, or: reset, close (no answer, then the end), garbage, slow, late (after the sender's patience).
    answer: str
    #: kill or stop; "" leaves the sender alone.
    signal: str = ""
    #: When: body (half of it read), decided (before the answer) or answered.
    at: str = ""


#: Of both servers, HTTP and SMTP. `busy` and `forbidden` are definitely not sent; so is what is refused.
FAULTS: Mapping[str, Fault] = {
    "accept": Fault(True, "202"),
    "refuse": Fault(False, "400"),
    "forbid": Fault(False, "403"),
    "busy": Fault(False, "429"),
    "error": Fault(False, "500"),
    "unavailable": Fault(False, "503"),
    "reset": Fault(False, "reset"),
    "close": Fault(False, "close"),
    "garbage": Fault(False, "garbage"),
    "accepted-error": Fault(True, "500"),
    "accepted-reset": Fault(True, "reset"),
    "half-closed": Fault(True, "close"),
    "accepted-garbage": Fault(True, "garbage"),
    "slow": Fault(True, "slow"),
    "late": Fault(True, "late"),
    # The world decides by what arrived of it.
    "kill-mid-body": Fault(True, "202", "kill", "body"),
    "kill-before-accept": Fault(False, "reset", "kill", "decided"),
    "kill-after-accept": Fault(True, "reset", "kill", "decided"),
    "kill-after-response": Fault(True, "202", "kill", "answered"),
    "stop-mid-body": Fault(True, "202", "stop", "body"),
    "stop-after-accept": Fault(True, "202", "stop", "decided"),
    "stop-after-response": Fault(True, "202", "stop", "answered"),
}

#: A rough evening: one mail in five meets something.
ROUGH = {
    "refuse": 0.01,
    "busy": 0.03,
    "error": 0.02,
    "reset": 0.02,
    "garbage": 0.01,
    "accepted-error": 0.02,
    "accepted-reset": 0.03,
    "half-closed": 0.02,
    "accepted-garbage": 0.01,
    "slow": 0.02,
    "late": 0.01,
}
#: What of it costs the least time.
BRISK = {name: share for name, share in ROUGH.items() if name not in ("slow", "late", "busy")}


@dataclass(kw_only=True)
class Manners:
    """What the outside world was told to do; it travels as JSON."""

    seed: int = 1
    #: Met first, one fault a mail, in this order.
    script: list[str] = field(default_factory=list)
    #: Process of a sender → the fault that the first mail of its meets.
    victims: dict[str, str] = field(default_factory=dict)
    #: Share of the mails thereafter that meet each fault.
    mix: dict[str, float] = field(default_factory=dict)
    #: Seconds between accepting a mail and finding it in the log.
    lag: float = 0.1
    #: Seconds of a slow answer, and of one that comes too late.
    slow: float = 0.2
    late: float = 1.0
    #: Whether the log answers at all.
    log_down: bool = False
    #: Where events are posted; "" posts none. How many copies at most, and seconds after which the last has come.
    webhook: str = ""
    copies: int = 3
    delay: float = 0.5

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> "Manners":
        """The manners that a JSON object describes."""
        return cls(**told)


class Weather:
    """Draws the fault of each mail in turn."""

    def __init__(self, manners: Manners) -> None:
        self._script = list(manners.script)
        self.victims = dict(manners.victims)
        self._mix = dict(manners.mix)
        self._random = random.Random(manners.seed)

    def next(self, pid: int) -> str:
        """The fault of the next mail of a process."""
        if str(pid) in self.victims:
            return self.victims.pop(str(pid))
        if self._script:
            return self._script.pop(0)
        drawn = self._random.random()
        for name, share in self._mix.items():
            drawn -= share
            if drawn < 0:
                return name
        return "accept"
