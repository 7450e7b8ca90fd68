"""deploytool plan: what a deployment would do. Reads only."""

from argparse import Namespace
from collections import Counter

from deploytool.commands._common import opened, regions_checked
from deploytool.core.plan import Action, make_plan
from deploytool.render.results import plan_document, plan_lines
from deploytool.work.deploy import find_deployed


def run(args: Namespace) -> int:
    """Print the plan; 0, or 1 when a stack is in a state that a deployment would refuse."""
    with opened(args) as found:
        regions = regions_checked(args, found.project)
        steps = [
            step for step in make_plan(found.graph, find_deployed(found.target.ports, found.graph)) if step.node.region in regions
        ]
        found.terminal.document(plan_document(steps))
        for line in plan_lines(steps):
            found.terminal.say(line)
        counts = Counter(step.decision.action for step in steps)
        found.terminal.say(
            f"{counts[Action.CREATE]} to create, {counts[Action.UPDATE]} to update, {counts[Action.NOTHING]} unchanged"
        )
        return 1 if counts[Action.REFUSE] else 0
