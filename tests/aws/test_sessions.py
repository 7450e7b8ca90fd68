"""The AWS clients: one for each service and region, and what importing them loads."""

import pkgutil
import subprocess
import sys

import deploytool.aws
from deploytool.aws.sessions import Clients, Endpoint

MODULES = [module.name for module in pkgutil.iter_modules(deploytool.aws.__path__)]


def test_a_client_is_created_once_for_each_service_and_region() -> None:
    """A local cloud's clients need no network and no settings of the user."""
    clients = Clients(Endpoint("http://127.0.0.1:1", "key", "secret"))
    east = clients.get("ssm", "us-east-1")
    assert east.meta.endpoint_url == "http://127.0.0.1:1"
    assert clients.get("ssm", "us-east-1") is east
    assert clients.get("ssm", "us-west-2") is not east
    assert clients.get("s3", "us-east-1") is not east


def test_the_adapters_load_neither_boto3_nor_the_stubs() -> None:
    """The stubs are a development dependency, and loading boto3 takes time."""
    imports = "".join(f"import deploytool.aws.{name}\n" for name in MODULES)
    script = imports + (
        "import sys\n"
        "print([name for name in sys.modules if name.startswith(('boto3', 'mypy_boto3'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
