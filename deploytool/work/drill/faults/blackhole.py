"""The primary's edge does not answer at all."""

from deploytool.work.drill.faults._edge import BrokenEdge


class Blackholed(BrokenEdge):
    """A check fails by its time limit for the connection, 4 s; a client by its own."""

    name = "blackhole"
    condition = "blackholed"
    attempt = 4.0


FAULT = Blackholed
