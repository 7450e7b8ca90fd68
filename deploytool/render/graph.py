"""The stacks of a stage and what they wait for, as Mermaid and as SVG."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from xml.sax.saxutils import escape as xml

from deploytool.core.project.graph import Graph, NodeId

# Pixels
BOX_WIDTH, BOX_HEIGHT = 150, 30
GAP_X, GAP_Y = 18, 44
MARGIN, HEADING = 24, 34

_STYLE = """\
text { font: 13px system-ui, sans-serif; fill: #1b1f24 }
.region { fill: #f6f8fa; stroke: #d0d7de }
.heading { font-weight: 600 }
.stack { fill: #ffffff; stroke: #57606a }
.edge { fill: none; stroke: #8c959f; stroke-width: 1.2 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .region { fill: #161b22; stroke: #30363d }
  .stack { fill: #0d1117; stroke: #8b949e }
  .edge { stroke: #6e7681 }
}
"""


def mermaid_lines(graph: Graph) -> Iterator[str]:
    """Yield a Mermaid flowchart: a box for each stack, in a group for each region."""
    yield "flowchart TD"
    names = {node: f"n{number}" for number, node in enumerate(graph.nodes)}
    for number, (region, nodes) in enumerate(_by_region(graph).items()):
        yield f'  subgraph r{number}["{_title(graph, region)}"]'
        for node in nodes:
            yield f'    {names[node]}["{node.stack}"]'
        yield "  end"
    for node in graph.nodes:
        for needed in sorted(graph.needs_of(node)):
            yield f"  {names[needed]} --> {names[node]}"


def svg_lines(graph: Graph) -> Iterator[str]:
    """Yield an SVG: a column of boxes for each region, each stack below those that it waits for."""
    places, columns, size = _layout(graph)
    width, height = size
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}"'
        f' height="{height}" role="img" aria-label="{xml(_name(graph))}">'
    )
    yield f"<style>{_STYLE}</style>"
    for region, (left, right) in columns.items():
        box = f'x="{left}" y="{MARGIN}" width="{right - left}" height="{height - 2 * MARGIN}"'
        yield f'<rect class="region" rx="8" {box}/>'
        title = xml(_title(graph, region))
        yield f'<text class="heading" x="{left + GAP_X}" y="{MARGIN + 22}">{title}</text>'
    for node in graph.nodes:
        for needed in sorted(graph.needs_of(node)):
            yield _edge(places[needed], places[node])
    for node, (x, y) in places.items():
        yield (
            f'<rect class="stack" rx="5" x="{x}" y="{y}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}"/>'
        )
        middle = x + BOX_WIDTH // 2
        yield f'<text x="{middle}" y="{y + 20}" text-anchor="middle">{xml(node.stack)}</text>'
    yield "</svg>"


def _name(graph: Graph) -> str:
    return f"The stacks of {graph.project}, stage {graph.stage}"


def _title(graph: Graph, region: str) -> str:
    roles = dict(zip(graph.regions, ("primary", "secondary"), strict=False))
    return f"{region}, {roles[region]}" if region in roles else region


def _by_region(graph: Graph) -> dict[str, list[NodeId]]:
    """Return the stacks of each region, each after those that it waits for."""
    return {
        region: [node for node in graph.nodes if node.region == region]
        for region in graph.all_regions
    }


Place = tuple[int, int]


def _layout(graph: Graph) -> tuple[dict[NodeId, Place], dict[str, Place], Place]:
    """Return the upper left corner of each box, the columns of the regions, and the size."""
    layers: dict[NodeId, int] = {}
    for node in graph.nodes:  # each comes after those that it waits for
        layers[node] = max((layers[each] + 1 for each in graph.needs_of(node)), default=0)

    places: dict[NodeId, Place] = {}
    columns: dict[str, Place] = {}
    left = MARGIN
    for region, nodes in _by_region(graph).items():
        row: Mapping[int, list[NodeId]] = defaultdict(list)
        for node in nodes:
            row[layers[node]].append(node)
        widest = max((len(each) for each in row.values()), default=1)
        right = left + GAP_X + widest * (BOX_WIDTH + GAP_X)
        for layer, boxes in row.items():
            used = len(boxes) * (BOX_WIDTH + GAP_X) - GAP_X
            x = left + (right - left - used) // 2
            y = MARGIN + HEADING + layer * (BOX_HEIGHT + GAP_Y)
            for number, node in enumerate(boxes):
                places[node] = (x + number * (BOX_WIDTH + GAP_X), y)
        columns[region] = (left, right)
        left = right + GAP_X
    rows = 1 + max(layers.values(), default=0)
    height = 2 * MARGIN + HEADING + rows * (BOX_HEIGHT + GAP_Y)
    return places, columns, (left - GAP_X + MARGIN, height)


def _edge(start: Place, end: Place) -> str:
    """Return a curve from the bottom of one box to the top of another."""
    x1, y1 = start[0] + BOX_WIDTH // 2, start[1] + BOX_HEIGHT
    x2, y2 = end[0] + BOX_WIDTH // 2, end[1]
    bend = max((y2 - y1) // 2, GAP_Y // 2)
    return f'<path class="edge" d="M{x1} {y1} C{x1} {y1 + bend} {x2} {y2 - bend} {x2} {y2}"/>'
