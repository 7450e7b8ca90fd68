"""Time limits on a machine that has other work."""

import os

MOST = 4.0  # a limit that grows further would let a hanging connection pass


def on_this_machine(seconds: float) -> float:
    """Return a limit that holds on an idle machine, longer where the processors are shared."""
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    return seconds * min(max(1.0, load), MOST)
