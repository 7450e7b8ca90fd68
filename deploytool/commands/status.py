"""deploytool status: an unfinished drill first of all, then what is deployed."""

from argparse import Namespace

from deploytool.commands._common import opened, regions_checked
from deploytool.environments import service_of
from deploytool.render.results import status_document, status_lines
from deploytool.work.deploy import find_deployed


def run(args: Namespace) -> int:
    """Print the state; 0 whatever it is."""
    with opened(args) as found:
        regions = regions_checked(args, found.project)
        deployed = find_deployed(found.target.ports, found.graph)
        outputs = {node: stack.outputs for node, stack in deployed.items()}
        health_check = found.graph.service.get("health_check")
        check = None
        if health_check and health_check.output in outputs.get(health_check.node, {}):
            service = service_of(found.project, found.graph, outputs)
            check = found.target.environment.health_checks.get(service.health_check_id)
        shown = {node: deployed.get(node) for node in found.graph.nodes if node.region in regions}
        found.terminal.document(status_document(found.graph, shown, check))
        for line in status_lines(found.graph, shown, check):
            found.terminal.say(line)
        return 0
