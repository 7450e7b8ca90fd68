"""The report of a long drill at 50 probes a second, as headless Chromium shows it."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from deploytool.core.drill.history import (
    FRESH_CLIENT,
    DnsAnswered,
    DrillEnded,
    DrillStarted,
    Event,
    FaultInjected,
    FaultInjecting,
    FaultRestored,
    FaultRestoring,
    HealthSeen,
    Served,
    name_server_lane,
    to_line,
)
from deploytool.core.drill.scenario import Scenario
from deploytool.core.project.drill_settings import Objectives
from deploytool.core.route53.health import CheckerObservation, HealthCheck, HealthCheckConfig

EAST, WEST = "us-east-1", "us-west-2"
ADDRESS = {EAST: "192.0.2.1", WEST: "192.0.2.2"}
PROBES = 50  # a second
SECONDS = 150  # of the drill
STARTED = DrillStarted(
    0.0, 1, "0.1.0", "2026-01-01T00:00:00+00:00", "simulated", 1.0, "dev", "dev.example.com", "/v1", EAST, WEST,
    by_inverting=True, attempt=0.0, scenario=Scenario(client_interval=1 / PROBES), objectives=Objectives(),
    health_check=HealthCheck("check", 1, HealthCheckConfig("HTTPS", request_interval=10)), name_servers=("ns-1",),
    resolvers=("r",),
)  # fmt: skip
CHECKERS = tuple(
    CheckerObservation(region, "192.0.2.9", healthy=True, status="200")
    for region in ("us-east-1", "eu-west-1")
)


def _history() -> list[Event]:
    """Return a history in which every other request of half a minute fails.

    One lane then has thousands of changes.
    """
    events: list[Event] = [
        FaultInjecting(19.9, "health-check"),
        FaultInjected(20.0),
        FaultRestoring(89.9),
    ]
    events += [
        FaultRestored(90.0, verified=True),
        DrillEnded(float(SECONDS)),
        HealthSeen(1.0, checkers=CHECKERS),
    ]
    for number in range(1, PROBES * SECONDS - 1):
        at = number / PROBES
        region = WEST if 50 <= at < 120 else EAST
        served = Served(at - 0.01, at, FRESH_CLIENT, ADDRESS[region], 200, region)
        if 22 <= at < 49 and number % 2:
            served = Served(at - 0.01, at, FRESH_CLIENT, ADDRESS[region], failure="timeout")
        events += [
            served,
            DnsAnswered(at - 0.01, at, name_server_lane("ns-1"), "NOERROR", (ADDRESS[region],), 60),
        ]
    return [STARTED, *sorted(events, key=lambda event: event.at)]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The drill.html that `deploytool report` writes."""
    folder = tmp_path_factory.mktemp("report")
    (folder / "history.jsonl").write_text("\n".join(map(to_line, _history())) + "\n")
    command = [sys.executable, "-m", "deploytool", "report", "history.jsonl", "--report-dir", "."]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "drill.html"


def chromium(page: Path, *options: str) -> str:
    """Open a page in Chromium and return what it prints.

    It has a profile of its own and cannot resolve any name.
    """
    program = shutil.which("chromium")
    if program is None:
        give_up = pytest.fail if os.environ.get("CI") else pytest.skip
        give_up("chromium is not installed")
    with tempfile.TemporaryDirectory() as profile:
        command = [
            program,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            f"--user-data-dir={profile}",
            "--window-size=1200,1600",
        ]
        done = subprocess.run(
            [*command, *options, page.as_uri()],
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


class _Attributes(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_the_page_is_one_small_file_that_fetches_nothing(page: Path) -> None:
    """It is below 1 MB and has no script and no address to fetch; its policy forbids fetching."""
    html = page.read_text()
    assert len(html) < 1_000_000
    parser = _Attributes()
    parser.feed(html)
    assert not {"script", "iframe", "object", "embed", "noscript"} & {tag for tag, _ in parser.tags}
    for tag, attributes in parser.tags:
        for name in ("src", "href", "xlink:href", "srcset", "action", "data", "poster"):
            assert attributes.get(name) in (None, "", "data:,"), (tag, attributes)
        assert not any(name.startswith("on") for name in attributes), tag
    assert not re.search(r"@import|url\((?!#)", html)
    assert "default-src 'none'" in html


def test_the_page_has_the_picture(page: Path) -> None:
    """The DOM has both regions' segments, the failed ones, the fault and a description."""
    dom = chromium(page, "--dump-dom")
    picture = dom[dom.index('class="picture"') :]
    picture = picture[: picture.index("</svg>")]
    for expected in (
        "region0",
        "region1",
        "failed",
        "fault injected",
        "restored, 70.0 s",
        "<desc",
        "timeout at times",
    ):
        assert expected in picture, expected


@pytest.mark.parametrize(
    ("options", "colours"),
    [
        ((), ("#0072b2", "#e69f00", "#ffffff")),
        (("--blink-settings=preferredColorScheme=0",), ("#56b4e9", "#e69f00", "#0f1318")),
    ],
    ids=["light", "dark"],
)
def test_the_picture_is_drawn(
    page: Path, tmp_path: Path, options: tuple[str, ...], colours: tuple[str, ...]
) -> None:
    """A screenshot has the colours of both regions and of the background, light or dark."""
    shot = tmp_path / "shot.png"
    chromium(page, f"--screenshot={shot}", *options)
    with Image.open(shot) as image:
        pixels = image.convert("RGB")
    counts = {colour: count for count, colour in pixels.getcolors(pixels.width * pixels.height)}
    for colour in colours:
        rgb = tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5))
        assert counts.get(rgb, 0) > 2_000, colour
