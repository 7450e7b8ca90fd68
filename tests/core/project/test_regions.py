"""Which regions a project may name: those of the partition aws."""

import json
import re
from pathlib import Path

import botocore
import pytest

from deploytool.core.project.regions import partition_of, region_problem

PARTITIONS = json.loads(
    (Path(botocore.__file__).parent / "data" / "partitions.json").read_text(encoding="utf-8")
)["partitions"]
REGIONS = [
    (region, partition["id"])
    for partition in PARTITIONS
    for region in partition["regions"]
    if re.search(r"\d$", region)
]


@pytest.mark.parametrize(("region", "partition"), REGIONS)
def test_every_region_of_botocore_has_its_partition(region: str, partition: str) -> None:
    """Only those of aws are accepted; the message names the partition of the others."""
    assert partition_of(region) == partition
    problem = region_problem(region)
    assert (problem == "") is (partition == "aws")
    assert problem == "" or f"the partition {partition}," in problem


@pytest.mark.parametrize("region", ["oregon", "", "us-east", "US-EAST-1", "us-east-1a", None, 1])
def test_what_is_no_name_of_a_region_is_refused(region: object) -> None:
    """With an example of one."""
    assert "write it like us-east-1" in region_problem(region)
