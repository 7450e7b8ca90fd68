"""The primary's edge answers too late."""

from deploytool.work.drill.faults._edge import BrokenEdge


class Slow(BrokenEdge):
    """A check fails by its time limit for the answer, 2 s; a patient client is served."""

    name = "slow"
    condition = "slow"
    attempt = 2.0


FAULT = Slow
