"""The sample's people come in the way any export does: one CSV file and one file that says how to read it."""

from datetime import datetime

from leadflow.app import App
from leadflow.intake.csvfile import open_csv
from leadflow.intake.deals import import_deals, map_deals
from leadflow.intake.importing import Accounting
from leadflow.intake.leads import LegalGrounds, import_leads
from leadflow.intake.mapfile import read_wishes
from leadflow.intake.mapping import Wishes, map_columns


def import_people(app: App, now: datetime) -> Accounting:
    """Import sample/leads.csv of the workspace as of `now`."""
    sample = app.settings.workspace / "sample"
    table = open_csv(sample / "leads.csv")
    mapping = map_columns(table, read_wishes(sample / "leads.map.yaml"), app.playbook.fields)
    grounds = LegalGrounds(basis=None, source=None, informed_on=None, no_mail=False)
    return import_leads(app.engine, app.playbook, table, mapping, grounds=grounds, key=app.settings.key(), now=now)


def import_sample_deals(app: App, now: datetime) -> Accounting:
    """Import sample/deals.csv of the workspace as of `now`."""
    table = open_csv(app.settings.workspace / "sample" / "deals.csv")
    return import_deals(app.engine, app.playbook, table, map_deals(table, Wishes()), now=now)
