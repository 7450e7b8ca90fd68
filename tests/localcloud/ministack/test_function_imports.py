"""What a function in Python can import: its zip, the standard library and the runtime's SDK."""

import io
import json
import platform
import zipfile
from typing import Any

import pytest

from tests.localcloud.conftest import Aws

HANDLER = """
import importlib
def handler(event, context):
    found = {}
    for name in event["modules"]:
        try:
            found[name] = importlib.import_module(name).__file__ or ""
        except ImportError as error:
            found[name] = f"ImportError: {error}"
    return found
"""


VERSION = """
import platform
def handler(event, context):
    return platform.python_version()
"""


def _zip(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return buffer.getvalue()


def test_a_function_imports_its_zip_and_the_runtimes_sdk(aws: Aws) -> None:
    """Packages of this machine are not there, as on AWS, where the zip must hold them.

    Source: Lambda Developer Guide, "Working with .zip file archives for Python Lambda functions": the
    runtime includes the SDK for Python and its dependencies; a function's other ones are in its zip.
    A version of the SDK in the zip counts before the runtime's.
    """
    client = aws.client("lambda")
    code = _zip({"index.py": HANDLER, "demo/__init__.py": "", "jmespath.py": ""})
    client.create_function(
        FunctionName="imports",
        Runtime="python3.13",
        Handler="index.handler",
        Role="arn:aws:iam::000000000000:role/x",
        Code={"ZipFile": code},
    )
    modules = [
        "demo",
        "boto3",
        "botocore.session",
        "sqlite3",
        "jmespath",
        "yaml",
        "deploytool",
        "dns",
    ]

    answer = client.invoke(FunctionName="imports", Payload=json.dumps({"modules": modules}))
    found: dict[str, Any] = json.loads(answer["Payload"].read())

    client.delete_function(FunctionName="imports")
    assert "/code/demo/" in found["demo"]
    assert "/boto3/" in found["boto3"]
    assert "ImportError" not in found["botocore.session"]
    assert "ImportError" not in found["sqlite3"]
    assert "/code/jmespath.py" in found["jmespath"]
    for name in ("yaml", "deploytool", "dns"):
        assert found[name].startswith("ImportError: No module named")


@pytest.mark.difference
def test_a_function_runs_with_this_machines_python(aws: Aws) -> None:
    """A local function runs with the Python of deploytool. On AWS the runtime decides.

    Source: Lambda Developer Guide, "Lambda runtimes".
    """
    client = aws.client("lambda")
    client.create_function(
        FunctionName="version",
        Runtime="python3.9",
        Handler="index.handler",
        Role="arn:aws:iam::000000000000:role/x",
        Code={"ZipFile": _zip({"index.py": VERSION})},
    )
    answer = json.loads(client.invoke(FunctionName="version")["Payload"].read())
    client.delete_function(FunctionName="version")
    assert answer == platform.python_version()
