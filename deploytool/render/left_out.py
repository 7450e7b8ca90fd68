"""What a local cloud leaves out of a stage, as lines."""

from collections.abc import Collection, Iterator

from deploytool.core.project.graph import Graph
from deploytool.render.text import escape


def left_out_lines(graph: Graph, types: Collection[str]) -> Iterator[str]:
    """Yield what to say at the end of a run on a cloud that leaves resource types out.

    A type that no template of the stage declares may still come from a transform.
    """
    if not types:
        return
    yield "[yellow]! This local cloud leaves resources out. On AWS they are created:[/]"
    for resource_type in sorted(types):
        where = [
            f"{node.id}.{logical_id}"
            for node in graph.nodes.values()
            for logical_id, declared in node.template.resources.items()
            if declared == resource_type
        ]
        places = ", ".join(where) or "no template of this stage declares one"
        yield escape(f"    {resource_type}: {places}")
