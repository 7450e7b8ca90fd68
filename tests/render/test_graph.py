"""Drawings of the stacks."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from deploytool.cli import main
from deploytool.core.project.graph import Graph
from deploytool.core.project.starter import Answers, config_text
from deploytool.files.project import load_project
from deploytool.render.graph import mermaid_lines, svg_lines

ROOT = Path(__file__).resolve().parents[2]
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The shipped project."""
    answers = Answers("hello", "example.com", ("us-east-1", "us-west-2"))
    (tmp_path / "deploytool.toml").write_text(config_text(answers))
    for name in ("infra", "lambda"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path / "deploytool.toml"


@pytest.fixture
def graph(config: Path) -> Graph:
    return load_project(config).graph("dev")


def test_mermaid_has_every_stack_and_every_edge(graph: Graph) -> None:
    """A group for each region, which says what it is."""
    text = "\n".join(mermaid_lines(graph))
    assert text.startswith("flowchart TD\n")
    assert text.count('["') - text.count("subgraph") == len(graph.nodes)
    assert text.count("-->") == sum(len(graph.needs_of(node)) for node in graph.nodes)
    assert '["us-east-1, primary"]' in text


def test_the_picture_is_well_formed_and_no_box_covers_another(graph: Graph) -> None:
    """Each box is inside the picture and in the column of its region."""
    root = ET.fromstring("\n".join(svg_lines(graph)))
    width, height = int(root.get("width", "0")), int(root.get("height", "0"))
    boxes = []
    for rect in root.iter(f"{SVG}rect"):
        if rect.get("class") == "stack":
            boxes.append([int(rect.get(key, "0")) for key in ("x", "y", "width", "height")])
    assert len(boxes) == len(graph.nodes)
    for number, (x, y, w, h) in enumerate(boxes):
        assert 0 <= x <= width - w
        assert 0 <= y <= height - h
        for other_x, other_y, _, _ in boxes[number + 1 :]:
            assert abs(x - other_x) >= w or abs(y - other_y) >= h


def test_a_stack_stands_below_what_it_waits_for(graph: Graph) -> None:
    """So the picture is read from the top."""
    for path in re.findall(r'd="M\d+ (\d+) C.* (\d+)"', "\n".join(svg_lines(graph))):
        assert int(path[0]) < int(path[1])


def test_it_is_written_to_a_file(config: Path, tmp_path: Path) -> None:
    """A folder that does not exist is bad input."""
    words = ["graph", "--stage", "dev", "--format", "svg", "--config", str(config), "--out"]
    assert main([*words, str(tmp_path / "g.svg")]) == 0
    assert (tmp_path / "g.svg").read_text().startswith("<svg")
    assert main([*words, str(tmp_path / "none" / "g.svg")]) == 2
