"""deploytool restore: put right what an interrupted drill left behind, from any machine and as
often as one likes.
"""

from argparse import Namespace

from deploytool.commands._common import opened
from deploytool.services import deployed_service, drill_ports
from deploytool.work.drill.restore import restore
from deploytool.work.drill.undo import in_words


def run(args: Namespace) -> int:
    """0 when everything is as the drill found it, restored or already so."""
    with opened(args) as found:
        service = deployed_service(found.project, found.graph, found.target)
        done = restore(drill_ports(found.target, found.project, service), service)
        words = list(map(in_words, done.steps))
        found.terminal.document(
            {"restored": bool(words), "calls": words, "drill": done.record and done.record.drill_id}
        )
        if done.record:
            found.terminal.say(
                f"Drill {done.record.drill_id} ({done.record.fault}), begun {done.record.started}, is undone:"
            )
        for each in words:
            found.terminal.say(f"  {each}")
        found.terminal.say(
            "Restored, and verified."
            if words
            else "Nothing to restore: no drill has left anything."
        )
        return 0
