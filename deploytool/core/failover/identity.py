"""What a deployed stage is to its clients: its domain and its two regions. Pure.

A stage's stacks have the same names whatever its domain and whichever region is the primary. So a
change of these in the configuration would update the stacks in place: the name that clients call
would be taken away in both regions at once, and stacks of the other order would stay for ever.
"""

from deploytool.core.errors import InputProblem
from deploytool.core.failover.records import StandbyRecord
from deploytool.core.project.config import Config


def changed_regions(record: StandbyRecord, config: Config) -> InputProblem | None:
    """Return the problem when a stage is deployed with other regions, or in another order."""
    deployed = (record.primary, record.secondary)
    if deployed == (config.primary, config.secondary):
        return None
    message = (
        f"stage {record.stage} is deployed with {record.primary} as its primary and"
        f" {record.secondary} as its secondary. Stacks and failover records of these roles cannot"
        f' change places: put back regions = ["{record.primary}", "{record.secondary}"]. To move a'
        " stage to other regions, add a stage for them, move the clients there, and destroy this"
        " one while its regions are as they were"
    )
    return InputProblem(config.file, "regions", message)


def other_domain(record: StandbyRecord, config: Config) -> InputProblem | None:
    """Return the problem when a stage that is to be destroyed serves another domain."""
    domain = config.stages[record.stage].domain
    if record.domain == domain:
        return None
    message = (
        f"stage {record.stage} serves {record.domain}, and the configuration says {domain}."
        f' To destroy it put back domain = "{record.domain}"'
    )
    return InputProblem(config.file, f"stages.{record.stage}.domain", message)


def changed_domain(record: StandbyRecord, config: Config) -> InputProblem | None:
    """Return the problem when a stage is deployed for another domain."""
    domain = config.stages[record.stage].domain
    if record.domain == domain:
        return None
    message = (
        f"stage {record.stage} serves {record.domain}. A deployment for {domain} would take"
        f" {record.domain} away from its clients, in both regions at once. Add a stage for {domain},"
        " move the clients there, and destroy this one; or deploy with --replace-domain when nobody"
        f" calls {record.domain} any more"
    )
    return InputProblem(config.file, f"stages.{record.stage}.domain", message)
