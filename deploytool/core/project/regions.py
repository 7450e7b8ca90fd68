"""Which regions a project may name. Pure.

A partition is a group of regions with accounts, an IAM and a Route 53 of its own (whitepaper "AWS Fault
Isolation Boundaries", "Partitions"). deploytool works in the partition `aws`. What it deploys cannot
serve in the others, or is not known to:

- AWS GovCloud has no public hosted zones (GovCloud User Guide, "Amazon Route 53").
- In the China regions each custom domain name of API Gateway needs an ICP licence, TestDNSAnswer is
  missing, and Route 53's control plane is in cn-northwest-1 ("Getting Started with Amazon Web Services
  in China").
"""

import re

# The names of regions: us-east-1, us-gov-west-1, eusc-de-east-1. Whether one exists, AWS decides.
REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-[0-9]")

# The regions of the other partitions, by the beginning of their names (botocore, partitions.json).
OTHER_PARTITIONS = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "eusc-": "aws-eusc",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "us-isof-": "aws-iso-f",
    "eu-isoe-": "aws-iso-e",
}


def partition_of(region: str) -> str:
    """Return the partition of a region."""
    for beginning, partition in OTHER_PARTITIONS.items():
        if region.startswith(beginning):
            return partition
    return "aws"


def region_problem(region: object) -> str:
    """Return what is wrong with the name of a region and how to fix it, empty if nothing is."""
    if not isinstance(region, str) or not REGION.fullmatch(region):
        return f"'{region}' is not an AWS region; write it like us-east-1"
    partition = partition_of(region)
    if partition != "aws":
        return (
            f"'{region}' is in the partition {partition}, where deploytool does not work;"
            " name a region of the partition aws, like us-east-1"
        )
    return ""
