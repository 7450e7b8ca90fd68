"""deploytool status: an unfinished drill first of all, then what is deployed."""

from argparse import Namespace

from deploytool.commands._common import opened, regions_checked
from deploytool.core.project.graph import OutputRef
from deploytool.render.status import status_document, status_lines
from deploytool.services import drill_records
from deploytool.work.stacks.deploy import find_deployed


def run(args: Namespace) -> int:
    """Print the state; 0 whatever it is."""
    with opened(args) as found:
        regions = regions_checked(args, found.project)
        deployed = find_deployed(found.target.ports, found.graph)
        outputs = {node: stack.outputs for node, stack in deployed.items()}
        id_ = found.graph.service.get("health_check")
        if isinstance(id_, OutputRef):
            id_ = outputs.get(id_.node, {}).get(id_.output)
        check = found.target.health_checks.get(id_) if id_ else None
        record = drill_records(found.target, found.project, found.graph.stage).read()
        shown = {node: deployed.get(node) for node in found.graph.nodes if node.region in regions}
        found.terminal.document(status_document(found.graph, shown, check, record))
        for line in status_lines(found.graph, shown, check, record):
            found.terminal.say(line)
        return 0
