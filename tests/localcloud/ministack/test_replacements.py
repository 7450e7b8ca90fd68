"""What deploytool replaces in MiniStack and reads of it: declared, present and fitting."""

import ast
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from deploytool.core.errors import DeploytoolError
from deploytool.localcloud.ministack import emulator, names, patches
from deploytool.localcloud.ministack.patches.replace import (
    PatchDoesNotFit,
    Patcher,
    check_fits,
    patching,
)

FOLDER = Path(emulator.__file__).parent

# Installs every patch into the MiniStack that is installed, without serving it.
INSTALL = """
import sys, threading, time
from pathlib import Path
from deploytool.localcloud.clock import Calendar, CloudClock
from deploytool.localcloud.durations import Durations
from deploytool.localcloud.ministack import emulator, patches
from deploytool.localcloud.ministack.patches.permissions import AccessLog
from deploytool.localcloud.quotas import RequestQuotas

emulator.prepare_environment(Path(sys.argv[1]), 4566, "us-east-1", enforce_iam=True)
around = patches.Surroundings(
    state=None, regions=("us-east-1",), api_condition=lambda region: "answering",
    resolve=lambda name, type_: (), health=None, respond=None,
    calendar=Calendar(CloudClock(time=time.monotonic), 0.0), speed=1.0,
    closing=threading.Event(), on_health_check=lambda: None,
    durations=Durations({"AWS::IAM::Role": 1.0}), enforce_iam=True, access=AccessLog(),
    quotas=RequestQuotas(), clock=CloudClock(time=time.monotonic),
)
patches.install(emulator.load(), around)
"""


def fake(**modules: Any) -> Any:
    """Return a MiniStack with these modules alone."""
    return SimpleNamespace(**modules)


def double(value: int) -> int:
    return 2 * value


class TestTable:
    """The tables against the source code and against the installed MiniStack."""

    def test_every_patch_fits_the_installed_ministack(self, tmp_path: Path) -> None:
        """All that `TABLE` and `NAMES` declare exists, and each replacement's signature fits."""
        command = [sys.executable, "-c", INSTALL, str(tmp_path)]
        result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert result.returncode == 0, result.stderr

    def test_each_patch_has_a_reason(self) -> None:
        """The table names a module of the folder for each patch, and says why."""
        for module, declared in patches.TABLE.items():
            assert (FOLDER / "patches" / f"{module}.py").is_file()
            assert all(declared.values())

    def test_every_module_with_patches_is_in_the_table(self) -> None:
        """A module that declares patches cannot be left out of the table."""
        declaring = {
            path.stem
            for path in (FOLDER / "patches").glob("*.py")
            if "\nPATCHES = {" in path.read_text(encoding="utf-8")
        }
        assert declaring == set(patches.TABLE)

    def test_every_private_name_is_declared(self) -> None:
        """The source code reads no private name of MiniStack that is missing from the table."""
        declared = {
            part for listed in names.NAMES.values() for n in listed for part in n.split(".")
        }
        for patched in patches.TABLE.values():
            declared |= {target.rpartition(".")[2] for target in patched}
        undeclared = {}
        for path in FOLDER.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if _is_private_read(node) and node.attr not in declared:  # type: ignore[attr-defined]
                    undeclared[path.name] = node.attr  # type: ignore[attr-defined]
        assert undeclared == {}

    def test_every_declared_name_is_used(self) -> None:
        """A name that nothing reads any more leaves the table."""
        source = "".join(
            path.read_text(encoding="utf-8")
            for path in [*FOLDER.rglob("*.py"), FOLDER.parent / "cloud.py"]
            if path.name != "names.py"
        )
        unused = [
            name
            for listed in names.NAMES.values()
            for name in listed
            if f".{name.rpartition('.')[2]}" not in source
        ]
        assert unused == []


def _is_private_read(node: ast.AST) -> bool:
    """Return whether a node reads a private attribute of something other than self."""
    if not isinstance(node, ast.Attribute) or not node.attr.startswith("_"):
        return False
    of_self = isinstance(node.value, ast.Name) and node.value.id == "self"
    return not of_self and not node.attr.startswith("__")


class TestPatcher:
    """A patch that would change nothing is an error."""

    def test_replaces_and_returns_the_original(self) -> None:
        """The replacement takes the name, and the original is there to be called by it."""
        acm = SimpleNamespace(double=double)
        with patching(fake(acm=acm), {"acm.double": "a reason"}) as patcher:
            original = patcher.replace("acm.double", lambda value: original(value) + 1)
        assert acm.double(3) == 7
        assert patcher.done == ["acm.double"]

    def test_a_name_that_is_gone(self) -> None:
        """The message names the missing name and the version that is supported."""
        patcher = Patcher(fake(acm=SimpleNamespace()), {"acm.double": "a reason"})
        with pytest.raises(PatchDoesNotFit, match=r"MiniStack acm has no double; .* 1\.5\.33"):
            patcher.replace("acm.double", double)

    def test_a_class_that_is_gone(self) -> None:
        """The owner of a name is checked too."""
        patcher = Patcher(fake(acm=SimpleNamespace()), {})
        with pytest.raises(PatchDoesNotFit, match=r"MiniStack has no acm\.Worker"):
            patcher.replace("acm.Worker.run", double)

    def test_an_undeclared_replacement(self) -> None:
        """What the module's PATCHES does not list cannot be replaced."""
        patcher = Patcher(fake(acm=SimpleNamespace(double=double)), {})
        with pytest.raises(PatchDoesNotFit, match="not declared"):
            patcher.replace("acm.double", double)

    def test_a_declared_patch_that_is_not_installed(self) -> None:
        """What PATCHES lists has to be replaced."""
        with (
            pytest.raises(PatchDoesNotFit, match=r"not replaced: acm\.double"),
            patching(fake(), {"acm.double": "a reason"}),
        ):
            pass

    def test_resource_types(self) -> None:
        """An operation must exist to be replaced, and a type must be unknown to be added."""
        handlers = {"AWS::A::B": {"create": lambda logical_id, props, stack_name: None}}
        provisioners = SimpleNamespace(_RESOURCE_HANDLERS=handlers)
        patcher = Patcher(fake(provisioners=provisioners), {})
        with pytest.raises(PatchDoesNotFit, match="has no AWS::A::C"):
            patcher.replace_operation("AWS::A::C", "create", double)
        with pytest.raises(PatchDoesNotFit, match="AWS::A::B has no update"):
            patcher.replace_operation("AWS::A::B", "update", double)
        with pytest.raises(PatchDoesNotFit, match="does not take its arguments"):
            patcher.replace_operation("AWS::A::B", "create", double)
        with pytest.raises(PatchDoesNotFit, match="has a AWS::A::B of its own"):
            patcher.add_resource_type("AWS::A::B", {})

    def test_an_action_that_is_gone(self) -> None:
        """An API action must exist to be replaced."""
        patcher = Patcher(fake(cloudformation=SimpleNamespace(_ACTION_HANDLERS={})), {})
        with pytest.raises(PatchDoesNotFit, match="no action CreateStack"):
            patcher.replace_action("CreateStack", double)


async def double_later(value: int) -> int:
    return 2 * value


@pytest.mark.parametrize(
    ("original", "replacement", "problem"),
    [
        (double, lambda number: number, "no parameter value"),
        (double, lambda: 0, "does not take its arguments"),
        (double, lambda value, more: value, "does not take its arguments"),
        (double, double_later, "async"),
        (lambda value, *, region="": value, double, "no parameter region"),
        (10, "10", "is a int"),
    ],
)
def test_a_replacement_that_does_not_fit(original: Any, replacement: Any, problem: str) -> None:
    """Parameters, their names, being async and the type of a value are compared."""
    with pytest.raises(PatchDoesNotFit, match=problem):
        check_fits("acm.double", original, replacement)


@pytest.mark.parametrize(
    ("original", "replacement"),
    [
        (double, lambda value: value),
        (double, lambda *arguments, **options: 0),
        (double, lambda value, more=0: value),
        (double_later, double_later),
        (10, 0.25),
    ],
)
def test_a_replacement_that_fits(original: Any, replacement: Any) -> None:
    """A replacement may take more than the original, if that is optional."""
    check_fits("acm.double", original, replacement)


def test_names_that_are_gone() -> None:
    """The error lists every missing name at once."""
    modules = {
        module: SimpleNamespace(
            **dict.fromkeys([n.split(".")[0] for n in listed], SimpleNamespace())
        )
        for module, listed in names.NAMES.items()
    }
    with pytest.raises(
        DeploytoolError,
        match=r"no provisioners\._lambda_svc\._functions, provisioners\._lambda_svc\._vpc",
    ):
        names.check_names(fake(**modules))
