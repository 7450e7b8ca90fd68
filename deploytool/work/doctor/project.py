"""What the files of a project say, as findings: every problem is one."""

from collections.abc import Iterator

from deploytool.core.doctor.finding import Finding, Topic
from deploytool.core.errors import InputError, InputProblem


def findings_of(topic: Topic, error: InputError, known: set[InputProblem]) -> Iterator[Finding]:
    """Yield a finding for each problem that is not among the `known`, and add it to them.

    A problem of the graph file shows in every stage; it is said once.
    """
    hint = error.hint or "fix the file, then: deploytool lint"
    if not error.problems:
        yield topic.problem(str(error), hint)
    for problem in error.problems:
        if problem not in known:
            known.add(problem)
            yield topic.problem(str(problem), hint)
