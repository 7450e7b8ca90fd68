"""What a deployment decides that also looks at the resources of its stacks. Pure.

Only the fingerprint tells whether a stack is up to date, so a resource that somebody has changed or
deleted is not seen. CloudFormation compares the resources themselves for a drift-aware change set:
it brings those that were changed back to the template, and creates those that were deleted again
(CloudFormation User Guide, "Using drift-aware change sets"; AWS DevOps Blog, "Safely Handle
Configuration Drift with CloudFormation Drift-Aware Change Sets", scenario 3).
"""

from deploytool.core.stacks.plan import Action, Decision
from deploytool.core.stacks.stack import Stack


def with_repair(decision: Decision, deployed: Stack | None) -> Decision:
    """Return the decision of a run that repairs: a stack that is as desired is compared too.

    A change set needs a stack without an operation under way, so such a stack is waited for.
    """
    if decision.action is not Action.NOTHING or deployed is None:
        return decision
    if deployed.status.is_busy:
        return Decision(Action.WAIT, f"is {deployed.status}")
    return Decision(Action.UPDATE, "its resources are compared with the template")
