"""The primary's edge answers 503."""

from deploytool.work.drill.faults._edge import BrokenEdge


class Failing(BrokenEdge):
    """A check fails at once; a client gets an answer, and no good one."""

    name = "error"
    condition = "failing"


FAULT = Failing
