"""The checks of what GitHub Actions needs in the account and in the repository."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from deploytool.core.doctor.finding import Finding
from deploytool.core.doctor.pipeline import (
    GitHub,
    judge_approval,
    judge_environment,
    judge_provider,
    judge_repository,
    judge_roles,
    judge_variables,
)
from deploytool.core.errors import DeploytoolError
from deploytool.core.project.config import Stage
from deploytool.core.stacks.stack import Stack
from deploytool.work.doctor.run import Once


@dataclass(frozen=True)
class Roles:
    """The stacks of the primary region, in which each stage's roles are, and their names."""

    stacks: Once[Mapping[str, Stack]]
    names: Mapping[str, str]  # of the stack of each stage, by stage

    def stack(self, stage: str) -> Stack | None:
        """Return the stack with the roles of a stage, None when there is none."""
        return self.stacks.get().get(self.names[stage])


@dataclass(frozen=True)
class Provider:
    """How the account's identity provider is read: its ARN, and the audiences of one."""

    find: Callable[[], str | None]
    audiences: Callable[[str], Collection[str]]


def check_roles(stage: str, roles: Roles) -> Iterator[Finding]:
    """Look at the stack with the roles of a stage."""
    yield judge_roles(stage, roles.names[stage], roles.stack(stage))


def check_provider(provider: Provider, roles: Roles) -> Iterator[Finding]:
    """Look for GitHub's identity provider in the account."""
    arn = provider.find()
    audiences = provider.audiences(arn) if arn else ()
    yield judge_provider(arn, audiences, is_needed=_any_roles(roles))


def check_environment(stage: Stage, github: GitHub) -> Iterator[Finding]:
    """Look at the environment of a stage's jobs."""
    yield judge_environment(stage.name, github.environment(stage.name))


def check_approval(stage: Stage, github: GitHub) -> Iterator[Finding]:
    """Look at the environment whose reviewers approve."""
    environment = github.environment(f"{stage.name}-approval")
    yield judge_approval(stage.name, environment, protected=stage.protected)


def check_variables(stage: Stage, github: GitHub, roles: Roles | None) -> Iterator[Finding]:
    """Compare the variables of an environment with the roles that exist, where these are known."""
    if github.environment(stage.name) is None:
        return  # the check of the environment says so
    of_environment = github.variables(stage.name)
    of_repository = github.variables()
    outputs = _outputs(stage.name, roles)
    yield judge_variables(stage.name, of_environment, of_repository, outputs)


def check_repository(stages: Collection[str], github: GitHub) -> Iterator[Finding]:
    """Look at the variables of the repository."""
    yield judge_repository(github.variables(), stages)


def _any_roles(roles: Roles) -> bool:
    try:
        return any(roles.stack(stage) is not None for stage in roles.names)
    except DeploytoolError:
        # The check of the roles says so
        return False


def _outputs(stage: str, roles: Roles | None) -> Mapping[str, str]:
    """Return the outputs of the stack with the roles, none when it is not known."""
    if roles is None:
        return {}
    try:
        stack = roles.stack(stage)
    except DeploytoolError:
        return {}
    return stack.outputs if stack is not None else {}
