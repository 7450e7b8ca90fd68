"""The cases: which input is made bad, how, and the command that reads it."""

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import yaml

from benchmarks.fuzz.attempt import Attempt, Ended
from benchmarks.fuzz.mutate import TOKENS, mutate_document, mutate_text
from deploytool.core.drill.history import Event, to_line
from deploytool.core.drill.scenario import Scenario
from deploytool.core.project.drill_settings import Objectives
from deploytool.core.project.template import parse_template
from deploytool.core.stacks.planfile import plan_basis, write_plan_file
from deploytool.files.builds import Building
from deploytool.files.history import HISTORY
from deploytool.files.project import load_project
from deploytool.simulated.world import World
from deploytool.work.drill.run import DrillContext, run_drill

ROOT = Path(__file__).resolve().parents[2]
CONFIG, GRAPH, PLAN = "deploytool.toml", "infra/stacks.yaml", "plan.json"
CONFIG_TEXT = """project = "hello"
domain = "example.com"
regions = ["us-east-1", "us-west-2"]
graph = "infra/stacks.yaml"

[tags]
team = "orders"

[stages.dev]

[stages.prod]
protected = true
domain = "api.example.com"
tags = { class = "critical" }

[stages.prod.settings]
request_interval = 10
failure_threshold = 3
zone = "new"
vpc = false
failback = "automatic"
alarms = []
search_string = ""
checker_regions = ["us-east-1", "us-west-2", "eu-west-1"]
permissions_boundary = "hello-prod-boundary"

[drill]
rate = 10
resolvers = ["1.1.1.1", "8.8.8.8"]
rto_seconds = 120
failed_share = 0.05
patience_seconds = 600
"""
# A profile of each kind that reads files or calls an endpoint, and nothing outside of this machine
AWS_CONFIG = """[default]
region = us-east-1
aws_access_key_id = AKIAEXAMPLE
aws_secret_access_key = secret-example

[profile role]
role_arn = arn:aws:iam::123456789012:role/x
source_profile = default
duration_seconds = 900

[profile process]
credential_process = false

[profile web]
role_arn = arn:aws:iam::123456789012:role/x
web_identity_token_file = token

[services local]
sts =
  endpoint_url = http://127.0.0.1:9
"""
VARIABLES: Mapping[str, tuple[str, ...]] = {
    "AWS_PROFILE": ("default", "role", "process", "web", "nope", ""),
    "AWS_REGION": ("us-east-1", "nope", "eu west 1", ""),
    "AWS_DEFAULT_REGION": ("us-east-1", "us-gov-west-1", "cn-north-1"),
    "AWS_ENDPOINT_URL": ("http://127.0.0.1:9", "127.0.0.1:9", "http://[", "ftp://127.0.0.1",
    "http://127.0.0.1:99999"),
    "AWS_ENDPOINT_URL_STS": ("http://127.0.0.1:9", "x", "http://127.0.0.1:9/\n"),
    "AWS_CONFIG_FILE": ("aws-config", "none", ".", "/dev/null"),
    "AWS_SHARED_CREDENTIALS_FILE": ("aws-config", "none", "."),
    "AWS_ACCESS_KEY_ID": ("AKIAEXAMPLE", "", "é"),
    "AWS_SECRET_ACCESS_KEY": ("secret-example", "", "é"),
    "AWS_SESSION_TOKEN": ("token-example", "a\nb", "é"),
    "AWS_CA_BUNDLE": ("none", ".", "aws-config"),
    "AWS_CFN_ROLE_ARN": ("arn:aws:iam::123456789012:role/x", "x", "arn:aws:iam::1:role/x", ""),
    "AWS_MAX_ATTEMPTS": ("1", "0", "x", "-1"),
    "AWS_RETRY_MODE": ("standard", "legacy", "nope"),
    "AWS_STS_REGIONAL_ENDPOINTS": ("regional", "nope"),
    "AWS_USE_FIPS_ENDPOINT": ("true", "nope"),
    "AWS_DEFAULTS_MODE": ("standard", "nope"),
    "AWS_WEB_IDENTITY_TOKEN_FILE": ("token", "none", "."),
    "AWS_ROLE_ARN": ("arn:aws:iam::123456789012:role/x", "x"),
    "DEPLOYTOOL_TARGET": ("local", "aws", "nope", ""),
    "DEPLOYTOOL_LOCAL_DIR": ("none", CONFIG, "/dev/null", "x" * 5000),
    "NO_COLOR": ("", "1"),
    "COLUMNS": ("80", "0", "-1", "x", "1"),
    "TERM": ("dumb", "", "\x1b"),
    "LANG": ("C", "nope"),
    "TZ": ("nope", "UTC"),
    "HTTPS_PROXY": ("http://127.0.0.1:9", "nope", "://"),
}  # fmt: skip
# Words of command lines. `local up` and `local run` would start a cloud, and `lint` takes seconds
COMMANDS = (
    "plan", "deploy", "status", "outputs", "check", "drill", "restore", "failover", "failback", "destroy",
    "bootstrap", "history", "report", "local status", "local down", "local env", "local break us-east-1", "nope", "",
)  # fmt: skip
OPTIONS = (
    "--stage dev", "--stage prod", "--stage nope", "--stage", "--region us-east-1", "--region nope", "--output json",
    "--output nope", "--config deploytool.toml", "--config none", "--config .", "--no-color", "--yes",
    "--wait 1", "--wait -1",
    "--wait nan", "--wait 1e999", "--stack api", "--stack nope", "--scope regional", "--plan-file plan.json",
    "--plan-file none", "--fault health-check", "--fault nope", "--rto-seconds 5", "--rto-seconds nan",
    "--failed-share 2",
    "--patience-seconds 0", "--rate 0", "--rate inf", "--report-dir reports", "--report-dir deploytool.toml",
    "--dry-run",
    "--no-guard", "--confirm x", "--reason x", "--timeout -5", "--delete-zone", "--repository a/b", "--repository x",
    "--show", "--role-arn x", "--markdown none/x.md", "--out none/x", "--express", "--adopt", "--repair", "--help",
    "--version", "--", "-x", "reports", "plan.json",
)  # fmt: skip
# The commands that read the whole project, and then want a cloud
READERS = ("status", "plan", "outputs", "deploy", "drill", "failover")
HUGE = 100 * 1024 * 1024  # bytes
DEEP = 100_000  # levels
MANY = 200_000  # keys


@dataclass
class Bench:
    """A folder with a good project, a history, a plan and a configuration of the AWS SDK.

    `corpus` has the inputs of each kind that led to an answer that no other had led to.
    """

    folder: Path
    corpus: dict[str, list[bytes]] = field(default_factory=dict)
    seen: set[bytes] = field(default_factory=set)

    def keep(self, kind: str, text: bytes, ended: Ended) -> None:
        """Keep an input for further mutations if its answer is new."""
        answer = re.sub(rb"\d+|'[^']*'|\"[^\"]*\"", b"_", ended.err[:2000] + ended.out[:500])
        if answer not in self.seen:
            self.seen.add(answer)
            self.corpus.setdefault(kind, []).append(text)

    def environment(self) -> dict[str, str]:
        """Return variables with which nothing leaves this machine."""
        return {
            "HOME": str(self.folder),
            "PATH": os.environ["PATH"],
            "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "secret-example",
            "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": str(self.folder / "aws-config"),
            "DEPLOYTOOL_LOCAL_DIR": str(self.folder / "no-cloud"),
            "DEPLOYTOOL_TRACEBACK": "1",
            "TMPDIR": str(self.folder),
        }


@dataclass(frozen=True)
class Case:
    """An attempt, and what it was made of: the kind of input, and the bad text."""

    kind: str
    text: bytes
    attempt: Attempt


def make_bench(folder: Path) -> Bench:
    """Make the folder."""
    for name in ("infra", "lambda"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / CONFIG).write_text(CONFIG_TEXT)
    (folder / "aws-config").write_text(AWS_CONFIG)
    (folder / "token").write_text("token-example")
    history = "".join(f"{line}\n" for line in _history())
    for name in ("one", "two"):
        drill = folder / "reports" / name
        drill.mkdir(parents=True)
        (drill / HISTORY).write_text(history)
    graph = load_project(folder / CONFIG, Building(reads=False)).graph("dev")
    (folder / PLAN).write_text(write_plan_file(plan_basis(graph, "local", {}), {}))
    return Bench(folder)


def _history() -> list[str]:
    events: list[Event] = []
    world = World()
    context = DrillContext("0", "2026-01-01T00:00:00+00:00", "simulated", 1.0)
    run_drill(world.drill_ports(), world.service, Scenario(), Objectives(), context, events.append)
    return [to_line(event) for event in events]


def make_case(bench: Bench, random: Random) -> Case:
    """Return a case. Its files are in place until `restored` ends."""
    kind = random.choice(_KINDS)
    return _MAKERS[kind](bench, random)


def _config(bench: Bench, random: Random) -> Case:
    return _file_case(bench, random, "config", CONFIG, _project_command(random), CONFIG)


def _graph(bench: Bench, random: Random) -> Case:
    return _file_case(bench, random, "graph", GRAPH, _project_command(random), GRAPH)


def _template(bench: Bench, random: Random) -> Case:
    names = sorted(path.name for path in (bench.folder / "infra").glob("*.yaml"))
    names.remove(Path(GRAPH).name)
    name = random.choice(names)
    # A stack that the stage leaves out is read all the same
    return _file_case(bench, random, name, f"infra/{name}", _project_command(random), name)


def _history_case(bench: Bench, random: Random) -> Case:
    name = f"reports/one/{HISTORY}"
    words = random.choice(
        (
            ["report", "reports/one"],
            ["report", "reports/one", "reports/two", "--report-dir", "reports/compared"],
            ["history", "--report-dir", "reports"],
        )
    )
    return _file_case(bench, random, "history", name, [*words, *_output(random)], HISTORY)


def _plan(bench: Bench, random: Random) -> Case:
    words = ["deploy", "--local", "--stage", "dev", "--plan-file", PLAN, *_output(random)]
    return _file_case(bench, random, "plan", PLAN, words, PLAN)


def _file_case(
    bench: Bench, random: Random, kind: str, name: str, words: list[str], place: str
) -> Case:
    path = bench.folder / name
    good = path.read_bytes()
    corpus = bench.corpus.get(kind, [])
    # Half of the cases go on from an input whose answer was new
    source = random.choice(corpus) if corpus and random.random() < 0.5 else good
    document = _parsed(name, good) if random.random() < 0.5 else None
    if document is None:
        text = mutate_text(source, random)
    else:
        text = json.dumps(mutate_document(document, random), default=str).encode()
        if kind == "history":
            text = _mutated_lines(good, random)
    path.write_bytes(text)
    # What a good file says may be a problem of another file that uses it
    places = (place, "infra/", CONFIG, "--stage")
    return Case(kind, text, Attempt(words, bench.folder, bench.environment(), places))


def _parsed(name: str, text: bytes) -> Any:  # noqa: ANN401  # any document
    """Return a file as a document, None when it is not made of one."""
    if name == GRAPH:
        return yaml.safe_load(text)
    if name.endswith(".json"):
        return json.loads(text)
    if name.endswith(".yaml"):
        return dict(parse_template(text.decode(), name).document)
    return {} if name.endswith(".jsonl") else None


def _mutated_lines(text: bytes, random: Random) -> bytes:
    """Return a history with one to three mutated events."""
    lines = text.splitlines()
    for _ in range(random.randint(1, 3)):
        at = random.randrange(min(len(lines), random.choice((1, 10, len(lines)))))
        lines[at] = json.dumps(mutate_document([json.loads(lines[at])], random)[0:1]).encode()[1:-1]
        if not lines[at].startswith(b"{"):
            break
    return b"\n".join(lines) + b"\n"


def _words(bench: Bench, random: Random) -> Case:
    words = random.choice(COMMANDS).split(" ")
    for _ in range(random.randint(0, 5)):
        words += random.choice(OPTIONS).split(" ")
    if random.random() < 0.5:
        word = random.choice(TOKENS).replace("\0", "")
        words.insert(random.randint(0, len(words)), word)
    environment = bench.environment() | {"DEPLOYTOOL_TARGET": "local"}
    attempt = Attempt(words, bench.folder, environment, ("",))
    return Case("words", " ".join(words).encode(), attempt)


def _environment(bench: Bench, random: Random) -> Case:
    environment = bench.environment()
    changed = random.sample(sorted(VARIABLES), random.randint(1, 4))
    for name in changed:
        value = random.choice(VARIABLES[name])
        if random.random() < 0.2 and name != "AWS_ENDPOINT_URL":
            value = mutate_text(value.encode(), random).decode(errors="ignore").replace("\0", "")
        environment[name] = value
    if random.random() < 0.3:
        text = mutate_text(AWS_CONFIG.encode(), random)
        (bench.folder / "aws-config").write_bytes(text)
    words = [random.choice(("status", "plan", "outputs", "restore")), "--stage", "dev"]
    text = json.dumps({name: environment[name] for name in changed}).encode()
    attempt = Attempt([*words, *_output(random)], bench.folder, environment, ("",))
    return Case("environment", text, attempt)


def _project_command(random: Random) -> list[str]:
    words = [random.choice(READERS), "--local", "--stage", random.choice(("dev", "prod"))]
    return [*words, *_output(random)]


def _output(random: Random) -> list[str]:
    return random.choice(([], [], ["--output", "json"]))


_MAKERS: Mapping[str, Callable[[Bench, Random], Case]] = {
    "config": _config,
    "graph": _graph,
    "template": _template,
    "history": _history_case,
    "plan": _plan,
    "words": _words,
    "environment": _environment,
}
_KINDS = (
    *["config"] * 5,
    *["graph"] * 5,
    *["template"] * 4,
    *["history"] * 3,
    *["plan"] * 1,
    *["words"] * 2,
    *["environment"] * 1,
)


@contextmanager
def restored(bench: Bench) -> Iterator[None]:
    """Put every file back that the block changes."""
    good = {path: path.read_bytes() for path in bench.folder.rglob("*") if path.is_file()}
    try:
        yield
    finally:
        for path in list(bench.folder.rglob("*")):
            if (path.is_symlink() or not path.is_dir()) and path not in good:
                path.unlink()
        for path, text in good.items():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path.is_symlink() or not path.is_file():
                path.unlink(missing_ok=True)
            if not path.exists() or path.read_bytes() != text:
                path.write_bytes(text)


def special_cases(bench: Bench) -> Iterator[Case]:
    """Yield a case for each strange file in the place of each input, one at a time."""
    inputs = {
        CONFIG: ["status", "--local", "--stage", "dev"],
        GRAPH: ["status", "--local", "--stage", "dev"],
        "infra/api.yaml": ["status", "--local", "--stage", "dev"],
        f"reports/one/{HISTORY}": ["report", "reports/one"],
        PLAN: ["deploy", "--local", "--stage", "dev", "--plan-file", PLAN],
    }
    for name, words in inputs.items():
        for title, make in _STRANGE.items():
            path = bench.folder / name
            path.unlink()
            make(path)
            attempt = Attempt(words, bench.folder, bench.environment(), (name, Path(name).name))
            yield Case(f"{title} as {name}", b"", attempt)


def _bomb(path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for level in range(1, 20):
        items = ", ".join([f"*a{level - 1}"] * 10)
        lines.append(f"a{level}: &a{level} [{items}]")
    path.write_text("\n".join(lines))


def _merge_bomb(path: Path) -> None:
    lines = ["a0: &a0 {x: 1}"]
    for level in range(1, 40):
        lines.append(f"a{level}: &a{level} {{<<: [*a{level - 1}, *a{level - 1}], y{level}: 1}}")
    path.write_text("\n".join(lines))


_STRANGE: Mapping[str, Callable[[Path], object]] = {
    "nothing": lambda path: path.write_bytes(b""),
    "NUL bytes": lambda path: path.write_bytes(b"\0" * 1000),
    "UTF-16": lambda path: path.write_bytes("a = 1\n".encode("utf-16")),
    "bad UTF-8": lambda path: path.write_bytes(b"project = \xff\xfe\n"),
    "a FIFO": os.mkfifo,
    "a directory": lambda path: path.mkdir(),
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a dangling link": lambda path: path.symlink_to("nowhere"),
    "a circle of links": lambda path: path.symlink_to(path.name),
    "no file": lambda _path: None,
    "an alias bomb": _bomb,
    "a merge bomb": _merge_bomb,
    "100 MB of text": lambda path: path.write_bytes(b"# 345678\n" * (HUGE // 9)),
    "100 MB of keys": lambda path: path.write_bytes(b"aaaaaa: 1\n" * (HUGE // 10)),
    "deep lists": lambda path: path.write_text("a = " + "[" * DEEP),
    "deep JSON": lambda path: path.write_text("[" * DEEP + "]" * DEEP),
    "deep mappings": lambda path: path.write_text('{"a":' * DEEP + "1" + "}" * DEEP),
    "deep blocks": lambda path: path.write_text("\n".join(" " * n + "a:" for n in range(1500))),
    "many keys": lambda path: path.write_text("".join(f"k{n}: 1\n" for n in range(MANY))),
    "many TOML keys": lambda path: path.write_text("".join(f"k{n} = 1\n" for n in range(MANY))),
    "a long line": lambda path: path.write_text("a: " + "x" * 3_000_000),
    "a huge number": lambda path: path.write_text('{"schema_version": ' + "9" * 100_000 + "}"),
}
