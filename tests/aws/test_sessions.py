"""The AWS clients: one for each service and region, and what importing them loads."""

import os
import pkgutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import deploytool.aws
from deploytool.aws.breaker import Breaker
from deploytool.aws.credentials import Sessions
from deploytool.aws.limits import QUICK
from deploytool.aws.parameters import ParameterLocks
from deploytool.aws.sessions import Clients, Endpoint
from deploytool.core.errors import ApiUnavailable
from tests.aws.apis import Api, answering

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


PARAMETER = {"Parameter": {"Value": "found"}}
CREDENTIALS = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<AssumeRoleResult><Credentials><AccessKeyId>GIVEN</AccessKeyId><SecretAccessKey>s</SecretAccessKey>
<SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>
</AssumeRoleResult></AssumeRoleResponse>"""
WEB_CREDENTIALS = CREDENTIALS.replace("AssumeRole", "AssumeRoleWithWebIdentity")
PROFILES = """
[default]
region = us-east-1
sts_regional_endpoints = legacy
[profile deployer]
role_arn = arn:aws:iam::123456789012:role/deployer
source_profile = keys
region = us-east-1
sts_regional_endpoints = legacy
[profile keys]
aws_access_key_id = SOURCE
aws_secret_access_key = s
"""


@pytest.fixture
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile that assumes a role, whose own region is us-east-1, for a user without settings."""
    for name in tuple(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    (tmp_path / "config").write_text(PROFILES)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_PROFILE", "deployer")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def point_at(monkeypatch: pytest.MonkeyPatch, sts: Api, ssm: Api) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", sts.url)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", ssm.url)


def regions(api: Api) -> list[str]:
    return [region for region, _, _ in api.requests]


@pytest.mark.usefixtures("profile")
def test_a_role_is_assumed_in_the_region_that_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither in us-east-1 nor in the profile's region, and once for all regions."""
    with answering(200, CREDENTIALS) as sts, answering(200, PARAMETER) as ssm:
        point_at(monkeypatch, sts, ssm)
        locks = ParameterLocks(Clients(limits=QUICK))
        assert locks.read("us-west-2", "name") == "found"
        assert locks.read("eu-west-1", "name") == "found"
    assert regions(sts) == ["us-west-2"]
    assert "Action=AssumeRole&" in sts.requests[0][2]
    assert regions(ssm) == ["us-west-2", "eu-west-1"]


@pytest.mark.usefixtures("profile")
def test_the_other_region_gives_credentials_when_one_does_not_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The dead region is down with its STS; its other services are not even asked."""
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    dead = ("us-east-1",)
    with answering(200, CREDENTIALS, dead=dead) as sts, answering(200, PARAMETER) as ssm:
        point_at(monkeypatch, sts, ssm)
        locks = ParameterLocks(Clients(limits=QUICK))
        with pytest.raises(ApiUnavailable, match="us-east-1") as caught:
            locks.read("us-east-1", "name")
        assert caught.value.region == "us-east-1"
        assert locks.read("us-west-2", "name") == "found"
    assert regions(sts) == ["us-east-1", "us-east-1", "us-west-2"]
    assert regions(ssm) == ["us-west-2"]


@pytest.mark.usefixtures("profile")
def test_a_web_identity_is_exchanged_in_the_region_that_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in GitHub Actions without its own action for credentials."""
    (tmp_path / "token").write_text("token")
    monkeypatch.delenv("AWS_PROFILE")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/deployer")
    with answering(200, WEB_CREDENTIALS) as sts, answering(200, PARAMETER) as ssm:
        point_at(monkeypatch, sts, ssm)
        clients = Clients(limits=QUICK)
        assert ParameterLocks(clients).read("us-west-2", "name") == "found"
        given = clients.get("ssm", "us-west-2")._request_signer._credentials
        assert given.method == "assume-role-with-web-identity"
    assert len(sts.requests) == 1  # such a call is not signed
    assert "Action=AssumeRoleWithWebIdentity&" in sts.requests[0][2]


class StopAskingError(Exception):
    """Ends a call before it is sent."""


@pytest.mark.usefixtures("profile")
@pytest.mark.parametrize("region", ["us-west-2", "eu-west-1"])
def test_no_region_asks_the_global_endpoint_of_sts(region: str) -> None:
    """A profile with sts_regional_endpoints = legacy would."""
    urls: list[str] = []

    def before_send(request: Any, **_: object) -> None:
        urls.append(request.url)
        raise StopAskingError

    session = Sessions(Breaker(), local=False).get(region)
    client = session.create_client(
        "sts", region_name=region, aws_access_key_id="x", aws_secret_access_key="x"
    )
    client.meta.events.register("before-send", before_send)
    with pytest.raises(StopAskingError):
        client.get_caller_identity()
    assert set(urls) == {f"https://sts.{region}.amazonaws.com/"}


@pytest.mark.usefixtures("profile")
def test_credentials_that_sts_does_not_give_need_one_session(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A process that gives credentials, or an instance, is asked once."""
    monkeypatch.setenv("AWS_PROFILE", "keys")
    sessions = Sessions(Breaker(), local=False)
    assert sessions.get("us-east-1") is sessions.get("us-west-2")

    monkeypatch.setenv("AWS_PROFILE", "deployer")
    sessions = Sessions(Breaker(), local=False)
    assert sessions.get("us-east-1") is not sessions.get("us-west-2")
