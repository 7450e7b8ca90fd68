"""Artifacts are built before they are packaged, for the platform of their function."""

import io
import shutil
import tarfile
from itertools import pairwise
from pathlib import Path

import pytest

from deploytool.core.errors import DeploytoolError, InputError, InputProblems
from deploytool.core.project.graphparser import parse_graph_file
from deploytool.core.project.installed import beside
from deploytool.core.project.package import Files
from deploytool.core.project.platform import Platform, platforms_of
from deploytool.core.project.recipes import pip_command, uv_command
from deploytool.core.project.template import parse_template
from deploytool.files.requirements import missing_packages
from tests.files.conftest import Sample
from tests.files.wheels import write_wheel

ELF_ARM = b"\x7fELF" + bytes(14) + (183).to_bytes(2, "little")
ELF_X86 = b"\x7fELF" + bytes(14) + (62).to_bytes(2, "little")


@pytest.fixture
def wheels(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels, the only place where pip finds any."""
    folder = sample.root / "wheels"
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    sample.write("handler.py")
    sample.write("requirements.txt", "demo==1.0\n")
    return folder


def test_python_packages_are_of_the_functions_platform(sample: Sample, wheels: Path) -> None:
    """The wheels are those for the function's Python, processor and glibc, whatever runs pip."""
    arm = "demo/_native.cpython-313-aarch64-linux-gnu.so"
    x86 = "demo/_native.cpython-313-x86_64-linux-gnu.so"
    write_wheel(wheels, "cp313-cp313-manylinux_2_28_aarch64", {arm: ELF_ARM})
    write_wheel(wheels, "cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64", {x86: ELF_X86})
    write_wheel(
        wheels, "cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64", {"demo/old.py": b""}
    )

    contents = sample.files().contents
    assert contents[arm] == ELF_ARM
    assert x86 not in contents
    assert "handler.py" in contents


def test_an_old_runtime_gets_no_wheel_for_a_newer_glibc(sample: Sample, wheels: Path) -> None:
    """Python 3.11 runs on Amazon Linux 2 (glibc 2.26), which cannot load manylinux_2_28."""
    sample.runtime = "python3.11"
    write_wheel(wheels, "cp311-cp311-manylinux_2_28_aarch64", {"demo/new.py": b""})

    with pytest.raises(InputError) as error:
        sample.package()

    assert error.value.exit_code == 2
    assert "artifacts.function.build: " in str(error.value)
    assert "No matching distribution found for demo==1.0" in str(error.value)


def test_in_a_local_cloud_packages_are_of_this_machine(sample: Sample, wheels: Path) -> None:
    """A local cloud runs the function with this Python, so it gets packages for it."""
    arm = "demo/_native.cpython-313-aarch64-linux-gnu.so"
    write_wheel(wheels, "cp313-cp313-manylinux_2_28_aarch64", {arm: ELF_ARM})
    write_wheel(wheels, "py3-none-any", {"demo/__init__.py": b""})

    contents = sample.files(local=True).contents
    assert "demo/__init__.py" in contents
    assert arm not in contents


def test_what_is_installed_is_equal_on_every_machine(sample: Sample, wheels: Path) -> None:
    """Scripts with this machine's Python in them and notes of the installer are left out."""
    points = b"[console_scripts]\ndemo = demo:main\n"
    info = "demo-1.0.dist-info"
    write_wheel(wheels, "py3-none-any", {"demo.py": b"", f"{info}/entry_points.txt": points})

    contents = sample.files().contents
    assert set(contents) == {
        "demo.py",
        "handler.py",
        "requirements.txt",
        f"{info}/METADATA",
        f"{info}/RECORD",
        f"{info}/WHEEL",
        f"{info}/entry_points.txt",
    }
    assert b"bin/" not in contents[f"{info}/RECORD"]


def test_a_package_that_pip_leaves_out_is_named() -> None:
    """Conditions are judged by the Python that runs pip (pypa/pip#11664): what it lacks is named."""
    metadata = (
        "Name: Demo\n"
        "Requires-Dist: extra.package>=2; python_version >= '3.13'\n"
        "Requires-Dist: for-windows; sys_platform == 'win32'\n"
        "Requires-Dist: for-tests; extra == 'tests'\n"
        "Requires-Dist: older; python_version < '3.13'\n"
    )
    files = Files({"demo-1.0.dist-info/METADATA": metadata.encode()})
    requirements = (
        "# a comment\n--no-index\ndemo==1.0 --hash=sha256:00\narm; platform_machine == 'aarch64'\n"
    )

    missing = list(missing_packages(files, requirements, Platform("python3.13", "arm64")))

    assert [problem.partition("add ")[2] for problem in missing] == [
        "'arm' to requirements.txt, without a condition",
        "'extra.package>=2' to requirements.txt, without a condition",
    ]


def test_a_file_of_the_function_is_not_overwritten() -> None:
    """A file that a package installs too is a problem: one of the two would be lost."""
    own = Files({"demo.py": b"OWN = 1", "same.py": b""})
    installed = Files({"demo.py": b"THEIRS = 1", "same.py": b""})
    problems = InputProblems("stacks.yaml")

    beside(own, installed, "artifacts.function.build", problems)

    assert [problem.message for problem in problems.problems] == [
        "demo.py is in the folder and in what requirements.txt installs"
    ]


@pytest.mark.parametrize(
    ("runtime", "artifact", "problem"),
    [
        ({"Fn::FindInMap": ["M", "a", "b"]}, {}, "add `runtime: python3.13`"),
        ("nodejs22.x", {}, "has the runtime nodejs22.x, which this build is not for"),
    ],
)
def test_the_platform_must_be_known(
    sample: Sample, wheels: Path, runtime: object, artifact: dict[str, str], problem: str
) -> None:
    """Packages for an unknown platform may not load, so the runtime must be known."""
    sample.runtime = runtime
    sample.artifact = artifact

    with pytest.raises(InputError, match=problem):
        sample.package()


def test_a_parameter_of_the_template_may_name_the_runtime() -> None:
    """What the graph file gives counts, else the default of the parameter."""
    template = parse_template(
        """
Parameters: {CodeKey: {Type: String}, Runtime: {Type: String, Default: python3.12}}
Resources:
  Function:
    Type: AWS::Lambda::Function
    Properties: {Runtime: !Ref Runtime, Code: {S3Bucket: b, S3Key: !Ref CodeKey}}
""",
        "code.yaml",
    )
    graph = """
stacks:
  code:
    template: code.yaml
    scope: regional
    parameters: {CodeKey: {artifact: function, part: key}%s}
"""

    def platforms(more: str) -> set[Platform]:
        file = parse_graph_file(graph % more, "stacks.yaml")
        return platforms_of("function", file, {"code.yaml": template})

    assert platforms("") == {Platform("python3.12", "x86_64")}
    assert platforms(", Runtime: python3.14") == {Platform("python3.14", "x86_64")}
    assert platforms(", Runtime: {setting: runtime}") == {Platform("", "x86_64")}


def test_a_function_of_sam_has_a_platform_too() -> None:
    """Its runtime may stand in Globals, for every function of the template."""
    template = parse_template(
        """
Transform: AWS::Serverless-2016-10-31
Parameters: {CodeKey: {Type: String}}
Globals: {Function: {Runtime: python3.13}}
Resources:
  Function:
    Type: AWS::Serverless::Function
    Properties: {Architectures: [arm64], CodeUri: {Bucket: b, Key: !Ref CodeKey}}
""",
        "code.yaml",
    )
    graph = """
stacks:
  code: {template: code.yaml, scope: regional, parameters: {CodeKey: {artifact: f, part: key}}}
"""
    found = platforms_of("f", parse_graph_file(graph, "stacks.yaml"), {"code.yaml": template})
    assert found == {Platform("python3.13", "arm64")}


def test_both_installers_are_asked_for_the_functions_platform() -> None:
    """Each glibc up to the function's is named for pip; uv takes the newest level that it knows."""
    pip = pip_command(Platform("python3.11", "x86_64"), "python", "out")
    platforms = [value for name, value in pairwise(pip) if name == "--platform"]
    assert platforms[0] == "manylinux_2_26_x86_64"
    assert platforms[-2:] == ["manylinux_2_5_x86_64", "manylinux2014_x86_64"]
    assert "3.11" in pip

    uv = uv_command(Platform("python3.13", "arm64"), "python", "out")
    assert uv[-3:] == ["3.13", "--python-platform", "aarch64-manylinux_2_34"]
    assert "--python-platform" not in uv_command(
        Platform("python3.13", "arm64", local=True), "p", "o"
    )


def test_a_module_for_another_python_is_refused(sample: Sample) -> None:
    """A vendored extension module that the function cannot import is found before it is deployed."""
    sample.write("demo/_a.cpython-311-aarch64-linux-gnu.so", ELF_ARM)
    sample.write("demo/_b.abi3.so", ELF_X86)
    sample.write("demo/_c.cpython-313-darwin.so", b"\xcf\xfa\xed\xfe")
    sample.write("demo/libother.so", ELF_X86)

    with pytest.raises(InputError) as error:
        sample.package()

    text = str(error.value)
    assert "_a.cpython-311-aarch64-linux-gnu.so: is not for python3.13" in text
    assert "_b.abi3.so: is for x86_64, and the function runs on Linux and aarch64" in text
    assert "_c.cpython-313-darwin.so: is for another system than Linux" in text
    assert "libother" not in text


def test_a_command_runs_in_a_copy_of_the_folder(sample: Sample) -> None:
    """The folder is not changed, and what the command makes in `output` is packaged."""
    sample.write("source.txt", "hello\n")
    sample.artifact = {
        "build": "mkdir dist && tr a-z A-Z < source.txt > dist/result.txt && env > dist/env.txt",
        "output": "dist",
    }

    contents = sample.files().contents
    assert contents["result.txt"] == b"HELLO\n"
    assert not (sample.folder / "dist").exists()
    variables = contents["env.txt"].decode().splitlines()
    assert "DEPLOYTOOL_RUNTIME=python3.13" in variables
    assert "DEPLOYTOOL_ARCHITECTURE=arm64" in variables
    assert "DEPLOYTOOL_LOCAL=" in variables
    assert f"DEPLOYTOOL_SOURCE={sample.folder}" in variables


def test_equal_inputs_are_built_once(sample: Sample) -> None:
    """Another run takes what was built. A changed file, command or platform builds again."""
    sample.write("source.txt", "1")
    sample.artifact = {"build": "cp source.txt result.txt"}
    assert sample.package() == sample.package()
    assert len(sample.said) == 1

    sample.write("source.txt", "2")
    assert sample.files().contents["result.txt"] == b"2"
    sample.artifact["build"] = "cp source.txt other.txt"
    assert "other.txt" in sample.files().contents
    sample.architectures = ["x86_64"]
    sample.package()
    assert len(sample.said) == 4


def test_a_command_that_needs_no_code_builds_nothing(sample: Sample) -> None:
    """`status` or `failover` must not run a build, nor fail because one would."""
    sample.write("source.txt")
    sample.artifact = {"build": "exit 1"}

    package = sample.package(runs=False)
    assert sample.said == []
    with pytest.raises(DeploytoolError, match="artifact function is not built"):
        _ = package.data


def test_a_command_that_needs_no_code_reads_no_folder(sample: Sample) -> None:
    """A file that cannot be packaged keeps nobody from moving traffic."""
    sample.write("handler.py")
    (sample.folder / "link").symlink_to("nowhere")

    assert sample.package(runs=False, reads=False).name == "function"


def test_a_command_that_fails_is_shown(sample: Sample) -> None:
    """The end of its output is in the message, and nothing of it is kept."""
    sample.write("source.txt")
    sample.artifact = {"build": "echo what went wrong; exit 3"}

    for _ in range(2):
        with pytest.raises(InputError, match="ended with exit code 3:\nwhat went wrong"):
            sample.package()


@pytest.mark.parametrize(
    ("artifact", "problem"),
    [
        ({"build": 1}, "artifacts.function.build: must be a command"),
        ({"build": "true", "output": "../x"}, "must be a folder below the artifact's own"),
        ({"output": "dist"}, "needs a command that fills it"),
        ({"architecture": "arm"}, "must be one of arm64, x86_64"),
        ({"ignore": "*.md"}, "must be a list of patterns"),
        ({"runtim": "x"}, "did you mean 'runtime'?"),
        ({"build": "true", "output": "dist"}, "left no file in dist"),
    ],
)
def test_what_is_written_wrong_is_reported(
    sample: Sample, artifact: dict[str, object], problem: str
) -> None:
    """Each key of an artifact is checked, and the message says what to write."""
    sample.write("handler.py")
    sample.artifact = artifact

    with pytest.raises(InputError) as error:
        sample.package()
    assert problem in str(error.value)


def test_two_recipes_need_a_decision(sample: Sample) -> None:
    """A folder with both kinds of requirements says which, or neither."""
    sample.write("requirements.txt", "")
    sample.write("package-lock.json", "{}")
    with pytest.raises(InputError, match="say with a command which to install"):
        sample.package()

    sample.artifact = {"build": False}
    assert set(sample.files().contents) == {"requirements.txt", "package-lock.json"}


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
def test_packages_of_a_lock_file_are_installed(sample: Sample) -> None:
    """`npm ci` fills node_modules without development packages; the folder's own is not used."""
    sample.runtime = "nodejs22.x"
    sample.write("index.js", "exports.handler = async () => require('demo')\n")
    sample.write("demo.tgz", _npm_package("demo"))
    sample.write(
        "package.json",
        '{"name": "f", "version": "1.0.0", "dependencies": {"demo": "file:demo.tgz"}}',
    )
    sample.write("package-lock.json", _LOCK)
    sample.write("node_modules/stale/index.js")

    contents = sample.files().contents
    assert contents["node_modules/demo/index.js"] == b"module.exports = 1\n"
    assert "node_modules/stale/index.js" not in contents
    assert "node_modules/.package-lock.json" not in contents
    assert "--cpu=arm64 --libc=glibc" in sample.said[0]


_LOCK = """{
  "name": "f", "version": "1.0.0", "lockfileVersion": 3, "requires": true,
  "packages": {
    "": {"name": "f", "version": "1.0.0", "dependencies": {"demo": "file:demo.tgz"}},
    "node_modules/demo": {"version": "1.0.0", "resolved": "file:demo.tgz"}
  }
}
"""


def _npm_package(name: str) -> bytes:
    files = {
        "package/package.json": f'{{"name": "{name}", "version": "1.0.0"}}'.encode(),
        "package/index.js": b"module.exports = 1\n",
    }
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for path, content in files.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
