"""Replace MiniStack's functions and resource handlers, and check that each replacement still fits.

MiniStack deletes and renames private names between versions. Setting a name that no longer exists
changes nothing and raises nothing, so every replacement goes through `Patcher`.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from deploytool.core.errors import DeploytoolError
from deploytool.localcloud.ministack.emulator import SUPPORTED_VERSION, MiniStack

# What a patch module replaces or adds, each with the reason. A key is one of
#   "acm.handle_request"              an attribute of one of the modules in `MiniStack`
#   "lambda_runtime.Worker.run"       an attribute of a class of such a module
#   "AWS::IAM::Role.create"           an operation of a CloudFormation resource handler
#   "AWS::IAM::OIDCProvider"          a CloudFormation resource type that MiniStack lacks
#   "CloudFormation:CreateStack"      the handler of a CloudFormation API action
Patches = Mapping[str, str]

Handler = dict[str, Any]


class PatchDoesNotFit(DeploytoolError):
    """The installed MiniStack has not what a patch replaces."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"{problem}; this deploytool is made for MiniStack {SUPPORTED_VERSION}")


class Patcher:
    """Replaces what one patch module declares. `done` lists the targets that were replaced."""

    def __init__(self, ministack: MiniStack, patches: Patches) -> None:
        self.ministack = ministack
        self.done: list[str] = []
        self._patches = patches

    def replace(self, target: str, replacement: Any) -> Any:
        """Replace an attribute of a MiniStack module or class and return the original.

        Raises PatchDoesNotFit when the attribute does not exist or the signatures differ.
        """
        owner_path, _, name = target.rpartition(".")
        owner = self._resolve(owner_path)
        if not hasattr(owner, name):
            raise PatchDoesNotFit(f"MiniStack {owner_path} has no {name}")

        original = getattr(owner, name)
        check_fits(target, original, replacement)
        setattr(owner, name, replacement)
        self._record(target)
        return original

    def replace_action(self, action: str, replacement: Callable[..., Any]) -> None:
        """Replace the handler of a CloudFormation API action."""
        handlers = self.ministack.cloudformation._ACTION_HANDLERS
        if action not in handlers:
            raise PatchDoesNotFit(f"MiniStack's CloudFormation has no action {action}")

        target = f"CloudFormation:{action}"
        check_fits(target, handlers[action], replacement)
        handlers[action] = replacement
        self._record(target)

    def handler(self, resource_type: str) -> Handler:
        """Return a copy of MiniStack's handler of a resource type."""
        handlers = self.ministack.provisioners._RESOURCE_HANDLERS
        if resource_type not in handlers:
            raise PatchDoesNotFit(f"MiniStack's CloudFormation has no {resource_type}")
        return dict(handlers[resource_type])

    def replace_operation(
        self, resource_type: str, operation: str, replacement: Callable[..., Any]
    ) -> None:
        """Replace an operation (`create`, `update`, `delete`) of a resource type's handler."""
        original = self.handler(resource_type).get(operation)
        if original is None:
            raise PatchDoesNotFit(f"MiniStack's {resource_type} has no {operation}")

        target = f"{resource_type}.{operation}"
        _check_positions(target, original, replacement)
        # The dictionary stays the same one: MiniStack may refer to it elsewhere.
        self.ministack.provisioners._RESOURCE_HANDLERS[resource_type][operation] = replacement
        self._record(target)

    def add_resource_type(self, resource_type: str, handler: Handler) -> None:
        """Add the handler of a resource type that MiniStack lacks."""
        handlers = self.ministack.provisioners._RESOURCE_HANDLERS
        if resource_type in handlers:
            raise PatchDoesNotFit(f"MiniStack's CloudFormation has a {resource_type} of its own")
        handlers[resource_type] = handler
        self._record(resource_type)

    def check_complete(self) -> None:
        """Raise PatchDoesNotFit when something that is declared was not replaced."""
        missing = sorted(set(self._patches) - set(self.done))
        if missing:
            raise PatchDoesNotFit(f"declared as patched and not replaced: {', '.join(missing)}")

    def _record(self, target: str) -> None:
        if target not in self._patches:
            raise PatchDoesNotFit(f"{target} is replaced and not declared in PATCHES")
        self.done.append(target)

    def _resolve(self, path: str) -> Any:
        value: Any = self.ministack
        for name in path.split("."):
            if not hasattr(value, name):
                raise PatchDoesNotFit(f"MiniStack has no {path}")
            value = getattr(value, name)
        return value


@contextmanager
def patching(ministack: MiniStack, patches: Patches) -> Iterator[Patcher]:
    """Install one patch module: at the end, everything that it declares has been replaced."""
    patcher = Patcher(ministack, patches)
    yield patcher
    patcher.check_complete()


def check_fits(target: str, original: Any, replacement: Any) -> None:
    """Raise PatchDoesNotFit unless the replacement can be used wherever the original is.

    A function takes the original's parameters, by position and by name, requires no others, and is
    a coroutine function when the original is one. A value has the original's kind: both are
    numbers, or both have one type.
    """
    if not callable(original):
        numbers = isinstance(original, int | float) and isinstance(replacement, int | float)
        if not numbers and type(original) is not type(replacement):
            raise PatchDoesNotFit(f"MiniStack {target} is a {type(original).__name__}")
        return

    if inspect.iscoroutinefunction(original) != inspect.iscoroutinefunction(replacement):
        raise PatchDoesNotFit(f"MiniStack {target} and its replacement differ in being async")

    _check_positions(target, original, replacement)
    expected = inspect.signature(original).parameters.values()
    accepted = inspect.signature(replacement).parameters
    takes_any_keyword = any(
        parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in accepted.values()
    )
    for parameter in expected:
        variadic = parameter.kind in (
            inspect.Parameter.VAR_POSITIONAL,
            inspect.Parameter.VAR_KEYWORD,
        )
        if not variadic and parameter.name not in accepted and not takes_any_keyword:
            raise PatchDoesNotFit(
                f"the replacement of MiniStack {target} has no parameter {parameter.name}"
            )


def _check_positions(target: str, original: Any, replacement: Any) -> None:
    """Check that calls with the original's fewest and most positional arguments are accepted."""
    parameters = inspect.signature(original).parameters.values()
    positional = [
        parameter
        for parameter in parameters
        if parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    ]
    required = [parameter for parameter in positional if parameter.default is parameter.empty]
    signature = inspect.signature(replacement)
    for arguments in (required, positional):
        try:
            signature.bind(*(parameter.name for parameter in arguments))
        except TypeError as error:
            raise PatchDoesNotFit(
                f"the replacement of MiniStack {target} does not take its arguments ({error})"
            ) from error
