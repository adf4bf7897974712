"""The schedule on one machine: APScheduler fires the flows at their times, a local Prefect server records them."""
