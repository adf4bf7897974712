"""A sales channel and a CRM that keep what they are told, for tests."""

from leadflow.ports import Alert, HandOver


class MemorySales:
    """Keeps alerts and hand-overs in lists."""

    name = "memory"

    def __init__(self) -> None:
        self.alerts: list[Alert] = []
        self.hand_overs: list[HandOver] = []

    def tell(self, alert: Alert) -> None:
        """Keep an alert."""
        self.alerts.append(alert)

    def hand_over(self, hand_over: HandOver) -> None:
        """Keep a hand-over."""
        self.hand_overs.append(hand_over)
