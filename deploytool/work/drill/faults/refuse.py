"""The primary's edge refuses connections."""

from deploytool.work.drill.faults._edge import BrokenEdge


class Refused(BrokenEdge):
    """A check fails at once, and so does a client."""

    name = "refuse"
    condition = "refusing"


FAULT = Refused
