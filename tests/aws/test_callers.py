"""Who calls and where the calls go, asked of real sessions of botocore."""

from collections.abc import Callable
from pathlib import Path

import pytest

from deploytool.aws.callers import SERVICES, configured_endpoints, find_caller
from deploytool.aws.limits import QUICK
from deploytool.aws.parameters import ParameterLocks
from deploytool.aws.sessions import Clients
from deploytool.core.errors import CloudRefused
from tests.aws.apis import accepting, answering, forget_aws, refusing
from tests.aws.test_sessions import PARAMETER

IDENTITY = """<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/me</Arn><UserId>U</UserId>
<Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"""
ERROR = """<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error>
<Code>{}</Code><Message>it says</Message></Error></ErrorResponse>"""
REGIONS = ("us-west-2", "us-east-1")
Set = Callable[..., None]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Set:
    """Return what sets variables, and with `config` the user's file. The user has keys."""

    def settings(config: str = "", **variables: str) -> None:
        (tmp_path / "config").write_text(config)
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    forget_aws(monkeypatch)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    return settings


def test_sts_says_who_calls(settings: Set) -> None:
    """It is asked once, in the first of the regions."""
    with answering(200, IDENTITY) as sts:
        settings(AWS_ENDPOINT_URL_STS=sts.url)
        caller = find_caller(Clients(limits=QUICK), REGIONS)
    assert (caller.account, caller.who) == ("123456789012", "user me")
    assert [region for region, _, _ in sts.requests] == ["us-west-2"]


def test_the_next_region_is_asked_when_one_does_not_answer(settings: Set) -> None:
    """A 503 is no answer about the credentials."""
    with answering(200, IDENTITY, dead=("us-west-2",)) as sts:
        settings(AWS_ENDPOINT_URL_STS=sts.url)
        assert find_caller(Clients(limits=QUICK), REGIONS).account == "123456789012"


def test_an_sts_that_does_not_answer_keeps_nobody_from_working(settings: Set) -> None:
    """The caller is unknown, and the region counts as alive: its other services may answer."""
    with refusing() as sts, answering(200, PARAMETER) as ssm:
        settings(AWS_ENDPOINT_URL_STS=sts.url, AWS_ENDPOINT_URL_SSM=ssm.url)
        clients = Clients(limits=QUICK)
        caller = find_caller(clients, REGIONS)
        assert sts.url in caller.unknown
        assert ParameterLocks(clients).read("us-west-2", "name") == "found"
        assert ParameterLocks(clients).read("us-east-1", "name") == "found"


def test_a_silent_sts_is_asked_once_in_each_region(settings: Set) -> None:
    """A command on the day must not wait long for what it only shows."""
    with accepting(close=True) as sts:
        settings(AWS_ENDPOINT_URL_STS=sts.url)
        assert find_caller(Clients(limits=QUICK), REGIONS).unknown
        assert sts.connections == 2


def test_an_endpoint_policy_that_denies_sts_keeps_nobody_from_working(settings: Set) -> None:
    """A VPC endpoint may have a policy that denies the call."""
    with answering(403, ERROR.format("AccessDenied")) as sts:
        settings(AWS_ENDPOINT_URL_STS=sts.url)
        assert "AccessDenied" in find_caller(Clients(limits=QUICK), REGIONS).unknown


def test_a_role_that_cannot_be_assumed_ends_the_command(
    settings: Set, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing can be done without its credentials, whatever the code."""
    config = "[profile x]\nrole_arn = arn:aws:iam::123456789012:role/x\nsource_profile = keys\n"
    config += "[profile keys]\naws_access_key_id = AKIA\naws_secret_access_key = s\n"
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with answering(403, ERROR.format("AccessDenied")) as sts:
        settings(config, AWS_PROFILE="x", AWS_ENDPOINT_URL_STS=sts.url)
        with pytest.raises(CloudRefused, match="AccessDenied"):
            find_caller(Clients(limits=QUICK), REGIONS)
    assert "Action=AssumeRole&" in sts.requests[0][2]


@pytest.mark.parametrize("code", ["ExpiredToken", "InvalidClientTokenId", "RequestExpired"])
def test_refused_credentials_end_the_command(settings: Set, code: str) -> None:
    """Before anything is changed."""
    with answering(403, ERROR.format(code)) as sts:
        settings(AWS_ENDPOINT_URL_STS=sts.url)
        with pytest.raises(CloudRefused, match="who is calling") as caught:
            find_caller(Clients(limits=QUICK), REGIONS)
    assert caught.value.hint


def test_the_services_are_those_that_clients_are_made_for() -> None:
    """A new overload of `Clients.get` adds its service."""
    assert {"cloudformation", "route53", "ssm"} <= set(SERVICES)
    assert len(SERVICES) >= 10


def test_a_user_who_sets_no_address_has_none(settings: Set) -> None:
    """AWS's own addresses are not listed."""
    settings("[default]\nregion = eu-west-1\n")
    assert configured_endpoints("us-east-1") == {}


def test_the_addresses_come_from_variables_profiles_and_services(settings: Set) -> None:
    """Botocore decides which of them wins, and AWS_IGNORE_CONFIGURED_ENDPOINT_URLS counts."""
    config = "[default]\nendpoint_url = http://a\nservices = s\n"
    config += "[services s]\nssm =\n  endpoint_url = http://b\n"
    settings(config)
    addresses = configured_endpoints("us-east-1")
    assert (addresses["ssm"], addresses["iam"]) == ("http://b", "http://a")

    settings(config, AWS_ENDPOINT_URL_IAM="http://c")
    assert configured_endpoints("us-east-1")["iam"] == "http://c"

    settings(config, AWS_IGNORE_CONFIGURED_ENDPOINT_URLS="true")
    addresses = configured_endpoints("us-east-1")
    assert addresses["ssm"] == "https://ssm.us-east-1.amazonaws.com"
