"""Every way to sign in that the AWS CLI has: it works, or ends with exit code 3 and what helps.

Real sessions of botocore on real files of a home folder, against servers on loopback.
"""

import hashlib
import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from deploytool.aws.limits import QUICK
from deploytool.aws.parameters import ParameterLocks
from deploytool.aws.sessions import Clients, Endpoint
from deploytool.core.errors import CloudRefused
from tests.aws.apis import Api, answering
from tests.aws.test_sessions import CREDENTIALS, PARAMETER, WEB_CREDENTIALS

ROLE = "arn:aws:iam::111122223333:role/x"
START = "https://corp.awsapps.example/start"
NEVER, LONG_AGO = "2099-01-01T00:00:00Z", "2020-01-01T00:00:00Z"
GIVEN = {
    "Version": 1,
    "AccessKeyId": "AKIA",
    "SecretAccessKey": "s",
    "SessionToken": "t",
    "Expiration": NEVER,
}
ROLE_CREDENTIALS = {
    "roleCredentials": {
        "accessKeyId": "AKIA",
        "secretAccessKey": "s",
        "sessionToken": "t",
        "expiration": 4070908800000,
    }
}

CONFIG = f"""
[profile old]
sso_start_url = {START}
sso_region = us-east-1
sso_account_id = 111122223333
sso_role_name = Dev
[sso-session corp]
sso_start_url = {START}
sso_region = us-east-1
[profile session]
sso_session = corp
sso_account_id = 111122223333
sso_role_name = Dev
[profile over-session]
role_arn = {ROLE}
source_profile = session
[profile half]
sso_account_id = 111122223333
sso_role_name = Dev
sso_session = corp2
[profile failing]
credential_process = /bin/false
[profile missing]
credential_process = /no/such/tool get
[profile chatty]
credential_process = /bin/echo hello
[profile unclosed]
credential_process = /bin/echo 'hello
[profile good]
credential_process = /bin/cat FOLDER/given.json
[profile nobody]
role_arn = {ROLE}
source_profile = gone
[profile loop]
role_arn = {ROLE}
source_profile = loop2
[profile loop2]
role_arn = {ROLE}
source_profile = loop
[profile login]
login_session = arn:aws:iam::111122223333:user/me
[profile mfa]
role_arn = {ROLE}
mfa_serial = arn:aws:iam::111122223333:mfa/me
source_profile = keys
[profile over-mfa]
role_arn = {ROLE}2
source_profile = mfa
[profile keys]
aws_access_key_id = AKIAX
aws_secret_access_key = y
[profile half-keys]
aws_access_key_id = AKIAX
[profile odd]
aws_access_key_id = AKIAX
aws_secret_access_key = y
defaults_mode = often
"""


@dataclass
class Home:
    """A user's home folder, and the servers that play AWS."""

    folder: Path
    apis: Mapping[str, Api]
    environment: dict[str, str] = field(default_factory=dict)

    def variables(self, **more: str) -> dict[str, str]:
        """The variables of the user: the servers, and nothing of the person who runs the tests."""
        endpoints = {f"AWS_ENDPOINT_URL_{service}": api.url for service, api in self.apis.items()}
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "HOME": str(self.folder),
            "AWS_EC2_METADATA_DISABLED": "true",
            **endpoints,
            **more,
        }

    def keep_token(self, name: str, expires: str, text: str = "") -> None:
        """Keep a token of IAM Identity Center, as `aws sso login` does."""
        token = {
            "startUrl": START,
            "region": "us-east-1",
            "accessToken": "token",
            "expiresAt": expires,
        }
        digest = hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()
        file = self.folder / ".aws" / "sso" / "cache" / f"{digest}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text or json.dumps(token))

    def sign_in(self, *users: dict[str, str]) -> list[dict[str, Any]]:
        """Sign in as each user, in one process without a terminal."""
        with self.start(users, subprocess.DEVNULL) as process:
            return ended_of(process)

    def type_code(self, user: dict[str, str], code: str) -> dict[str, Any]:
        """Sign in as a user who types a code in a terminal when asked for it."""
        controller, terminal = pty.openpty()
        try:
            with self.start([user], terminal) as process:
                assert process.stderr is not None
                asked = process.stderr.read(len("Enter MFA code"))
                assert asked == "Enter MFA code"
                os.write(controller, f"{code}\n".encode())
                [ended] = ended_of(process)
        finally:
            os.close(terminal)
            os.close(controller)
        return ended

    def start(self, users: Sequence[dict[str, str]], stdin: int) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.aws.signing_in", json.dumps(users)],
            env=self.variables(),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )


def ended_of(process: subprocess.Popen[str]) -> list[dict[str, Any]]:
    """Return how the users of a process ended."""
    out, error = process.communicate(timeout=60)
    assert process.returncode == 0, error
    ended: list[dict[str, Any]] = json.loads(out)
    return ended


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    (tmp_path / ".aws").mkdir()
    config = CONFIG.replace("FOLDER", str(tmp_path))
    (tmp_path / ".aws" / "config").write_text(config)
    (tmp_path / "given.json").write_text(json.dumps(GIVEN))
    with ExitStack() as stack:
        yield Home(
            tmp_path,
            {
                "SSM": stack.enter_context(answering(200, PARAMETER)),
                "SSO": stack.enter_context(answering(200, ROLE_CREDENTIALS)),
                "STS": stack.enter_context(answering(200, CREDENTIALS)),
            },
        )


# The name of each user, the environment, a part of the message and one of the hint.
REFUSED: dict[str, tuple[dict[str, str], str, str]] = {
    "nobody signed in": ({}, "Unable to locate credentials", "aws login"),
    "SSO without a token": ({"AWS_PROFILE": "old"}, "SSO", "aws sso login --profile old"),
    "SSO session without a token": (
        {"AWS_PROFILE": "session"},
        "Token",
        "aws sso login --profile session",
    ),
    "a role over an SSO session": (
        {"AWS_PROFILE": "over-session"},
        "Token",
        "aws sso login --profile session",
    ),
    "an SSO session that is not there": (
        {"AWS_PROFILE": "half"},
        "sso-session does not exist",
        "fix the profile half",
    ),
    "a process that fails": ({"AWS_PROFILE": "failing"}, "custom-process", "/bin/false"),
    "a process that is not there": ({"AWS_PROFILE": "missing"}, "/no/such/tool", "/no/such/tool"),
    "a process that says no JSON": ({"AWS_PROFILE": "chatty"}, "connecting", "/bin/echo hello"),
    "a process with an open quote": ({"AWS_PROFILE": "unclosed"}, "quotation", "/bin/echo"),
    "a source profile that is not there": ({"AWS_PROFILE": "nobody"}, "gone", "fix the profile"),
    "profiles in a circle": ({"AWS_PROFILE": "loop"}, "Infinite loop", "fix the profile loop"),
    "a profile that is not there": ({"AWS_PROFILE": "gone"}, "gone", "the profiles there are"),
    "aws login": ({"AWS_PROFILE": "login"}, "login", ""),
    "an MFA code and no terminal": ({"AWS_PROFILE": "mfa"}, "no MFA code", "MFA code"),
    "an MFA code of a source profile": ({"AWS_PROFILE": "over-mfa"}, "no MFA code", "MFA code"),
    "half of the keys": ({"AWS_PROFILE": "half-keys"}, "Partial credentials", "aws configure"),
    "half of the keys in variables": (
        {"AWS_ACCESS_KEY_ID": "AKIA"},
        "Partial credentials",
        "AWS_ACCESS_KEY_ID",
    ),
    "defaults of one's own": ({"AWS_PROFILE": "odd"}, "often", "fix the setting"),
    "a number that is none": (
        {"AWS_PROFILE": "keys", "AWS_METADATA_SERVICE_TIMEOUT": "many"},
        "many",
        "AWS_ variables",
    ),
    "an endpoint that is none": (
        {"AWS_PROFILE": "keys", "AWS_ENDPOINT_URL_SSM": "nonsense"},
        "nonsense",
        "AWS_ variables",
    ),
    "a container's address that is not allowed": (
        {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://example.com/get"},
        "Unsupported host",
        "AWS_ variables",
    ),
    "a token file that is not there": (
        {"AWS_ROLE_ARN": ROLE, "AWS_WEB_IDENTITY_TOKEN_FILE": "/no/such/token"},
        "/no/such/token",
        "id-token: write",
    ),
    "a token file without a role": (
        {"AWS_WEB_IDENTITY_TOKEN_FILE": "/no/such/token"},
        "AWS_ROLE_ARN",
        "fix",
    ),
}


def test_a_user_who_is_not_signed_in_learns_what_to_type(home: Home) -> None:
    """Exit code 3, never a bug of deploytool, and the command for the profile in use."""
    users = [environment for environment, _, _ in REFUSED.values()]
    for (name, case), ended in zip(REFUSED.items(), home.sign_in(*users), strict=True):
        _, message, hint = case
        assert ended["exit_code"] == 3, (name, ended)
        assert message in ended["error"], (name, ended)
        assert hint in ended["hint"], (name, ended)
        assert ended["hint"], (name, ended)


def test_an_old_token_and_a_damaged_one_want_a_new_sign_in(home: Home) -> None:
    """With a start URL in the profile, and with an SSO session."""
    users = [{"AWS_PROFILE": "old"}, {"AWS_PROFILE": "session"}]
    for expires, text in ((LONG_AGO, ""), (NEVER, "{")):
        home.keep_token(START, expires, text)
        home.keep_token("corp", expires, text)
        for user, ended in zip(users, home.sign_in(*users), strict=True):
            assert ended["exit_code"] == 3, ended
            assert f"aws sso login --profile {user['AWS_PROFILE']}" in ended["hint"], ended


def test_a_user_who_is_signed_in_can_work(home: Home) -> None:
    """SSO old and new, a role over it, a process, keys in a profile and in variables."""
    home.keep_token(START, NEVER)
    home.keep_token("corp", NEVER)
    names = ("old", "session", "over-session", "good", "keys")
    users: list[dict[str, str]] = [{"AWS_PROFILE": name} for name in names]
    users.append({"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "s"})
    for ended in home.sign_in(*users):
        assert ended == {"value": "found", "exit_code": 0}
    assert len(home.apis["SSO"].requests) == 3
    assert len(home.apis["STS"].requests) == 1


def test_a_web_identity_can_work(home: Home) -> None:
    """As in GitHub Actions, and in a pod of EKS."""
    (home.folder / "token").write_text("token")
    user = {"AWS_ROLE_ARN": ROLE, "AWS_WEB_IDENTITY_TOKEN_FILE": str(home.folder / "token")}
    with answering(200, WEB_CREDENTIALS) as sts:
        [ended] = home.sign_in(user | {"AWS_ENDPOINT_URL_STS": sts.url})
    assert ended == {"value": "found", "exit_code": 0}


def test_a_container_can_work(home: Home) -> None:
    """As in CodeBuild and ECS: an address gives the credentials. A refusal of it is no bug."""
    given = {"AccessKeyId": "AKIA", "SecretAccessKey": "s", "Token": "t", "Expiration": NEVER}
    with answering(200, given) as good, answering(403, {"message": "denied"}) as bad:
        users = [{"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{api.url}/get"} for api in (good, bad)]
        works, fails = home.sign_in(*users)
    assert works == {"value": "found", "exit_code": 0}
    assert (fails["exit_code"], bool(fails["hint"])) == (3, True), fails


def test_an_mfa_code_is_asked_for_once(home: Home) -> None:
    """In a terminal. The next command, without one, uses what the first has kept."""
    typed = home.type_code({"AWS_PROFILE": "mfa"}, "123456")
    assert typed == {"value": "found", "exit_code": 0}
    assert "TokenCode=123456" in home.apis["STS"].requests[0][2]

    [later] = home.sign_in({"AWS_PROFILE": "mfa"})
    assert later == {"value": "found", "exit_code": 0}
    assert len(home.apis["STS"].requests) == 1
    [kept] = (home.folder / ".aws" / "cli" / "cache").iterdir()
    assert kept.stat().st_mode & 0o077 == 0

    kept.write_text("{")
    [damaged] = home.sign_in({"AWS_PROFILE": "mfa"})
    assert damaged["exit_code"] == 3
    assert "MFA code" in damaged["hint"]


# A file that does not parse, and what the hint says of it.
BROKEN = [
    ("[default\nregion = us-east-1\n", "line 1 stands before the first [section]"),
    ("aws_secret_access_key = hidden\n", "line 1 stands before the first [section]"),
    ("[default]\nregion = us-east-1\n<<<<<<< HEAD\n", "line 3 is neither"),
    ("[default]\n[default]\n", "line 2 begins [default] again"),
    ("[default]\nregion = a\nregion = b\n", "line 3 sets region of [default] again"),
    ("[default]\ns3 =\n  nothing\n", "a nested setting is not NAME = VALUE"),
    (b"[default]\nregion = \xff\n", "it is not UTF-8 text"),
]


@pytest.mark.parametrize(("content", "hint"), BROKEN)
@pytest.mark.parametrize("file", ["config", "credentials"])
def test_a_file_that_does_not_parse_is_named_with_its_line(
    file: str,
    content: str | bytes,
    hint: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The line itself is not shown: it may be a secret."""
    data = content if isinstance(content, bytes) else content.encode()
    use_files(tmp_path, monkeypatch, **{file: data})
    with pytest.raises(CloudRefused) as caught:
        Clients(limits=QUICK).get("ssm", "us-west-2")
    assert str(tmp_path / file) in caught.value.hint
    assert hint in caught.value.hint
    assert "hidden" not in f"{caught.value}{caught.value.hint}"


def use_files(folder: Path, monkeypatch: pytest.MonkeyPatch, **contents: bytes) -> None:
    """Make these files the user's, who has no variable of AWS."""
    for name in tuple(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    for variable, file in (
        ("AWS_CONFIG_FILE", "config"),
        ("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
    ):
        monkeypatch.setenv(variable, str(folder / file))
        if file in contents:
            (folder / file).write_bytes(contents[file])
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


# What a user may have set, each of which stops a session that reads it.
SURROUNDINGS = {
    "AWS_PROFILE": "gone",
    "AWS_DEFAULT_PROFILE": "gone",
    "AWS_RETRY_MODE": "often",
    "AWS_DEFAULTS_MODE": "often",
    "AWS_MAX_ATTEMPTS": "many",
    "AWS_METADATA_SERVICE_TIMEOUT": "long",
    "AWS_STS_REGIONAL_ENDPOINTS": "somewhere",
    "AWS_USE_FIPS_ENDPOINT": "true",
    "AWS_USE_DUALSTACK_ENDPOINT": "true",
    "AWS_CA_BUNDLE": "/no/such/file",
    "AWS_REQUEST_CHECKSUM_CALCULATION": "sometimes",
    "AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES": "big",
    "AWS_ACCOUNT_ID_ENDPOINT_MODE": "sometimes",
    "AWS_ENDPOINT_URL": "nonsense",
    "AWS_ENDPOINT_URL_SSM": "nonsense",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/no/such/token",
    "AWS_ROLE_ARN": ROLE,
    "AWS_ACCESS_KEY_ID": "half",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "http_proxy": "http://127.0.0.1:9",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "ALL_PROXY": "socks5://127.0.0.1:9",
}


@pytest.mark.parametrize("content", [content for content, _ in BROKEN])
def test_nothing_of_the_user_s_touches_a_local_cloud(
    content: str | bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a broken file nor a variable: a local cloud has credentials and an address of its own."""
    data = content if isinstance(content, bytes) else content.encode()
    use_files(tmp_path, monkeypatch, config=data, credentials=data)
    for name, value in SURROUNDINGS.items():
        monkeypatch.setenv(name, value)
    with answering(200, PARAMETER) as ssm:
        clients = Clients(Endpoint(ssm.url, "local", "secret"), QUICK)
        assert ParameterLocks(clients).read("us-west-2", "name") == "found"
        assert clients.get("s3", "us-east-1").meta.endpoint_url == ssm.url
        assert clients.get("cloudformation", "us-east-1").meta.endpoint_url == ssm.url
