"""deploytool outputs: the outputs of a stage's stacks."""

from argparse import Namespace

from deploytool.commands._common import opened, regions_checked
from deploytool.core.errors import DeploytoolError
from deploytool.render.status import outputs_document
from deploytool.work.stacks.deploy import find_deployed


def run(args: Namespace) -> int:
    """Print the outputs; raises DeploytoolError when nothing is deployed."""
    with opened(args) as found:
        regions = regions_checked(args, found.project)
        deployed = {
            node: stack
            for node, stack in find_deployed(found.target.ports, found.graph).items()
            if node.region in regions
        }
        if not deployed:
            raise DeploytoolError(
                f"stage {found.graph.stage} is not deployed",
                hint=f"deploytool deploy --stage {found.graph.stage}",
            )
        document = outputs_document(found.graph, deployed)
        found.terminal.document(document)
        for stack, by_region in document.items():
            for region, outputs in by_region.items():
                for name, value in outputs.items():
                    found.terminal.say(f"[bold]{stack}[/]@{region}.{name} = {value}")
        return 0
