"""The text of `deploytool local status`."""

from dataclasses import replace
from pathlib import Path

from deploytool.localcloud.control.status import CloudStatus, HealthCheckStatus
from deploytool.localcloud.state import Endpoint, State
from deploytool.render.local_cloud import status_lines

STATE = State(
    pid=7,
    speed=10.0,
    regions={"us-east-1": "127.0.0.11"},
    endpoint_url="http://127.0.0.1:4566",
    https_port=8443,
    dns=Endpoint("127.0.0.1", 5301),
    resolver=Endpoint("127.0.0.1", 5302),
    parent=Endpoint("127.0.0.1", 5303),
    ca=Path("/cloud/ca.pem"),
    directory=Path("/cloud"),
    started=0.0,
    delegate=True,
)


def lines_of(**changes: object) -> list[str]:
    """Return the lines for a status with these values."""
    values: dict[str, object] = {
        "state": STATE,
        "edges": {"us-east-1": "serving"},
        "apis": {"us-east-1": "answering"},
        "seconds": 1.0,
        "delegations": {},
        "health_checks": {},
        "calls": {},
        "calls_by_region": {},
        "throttled": {},
        "resident_mb": 90.4,
        "ministack": "1.5.33",
    }
    status = CloudStatus(**{**values, **changes})  # type: ignore[arg-type]
    return list(status_lines(status))


def test_it_prints_plain_text() -> None:
    """No line shows a Python value, like a dictionary or a list."""
    lines = lines_of(
        delegations={"dev.example.com.": ("ns-1.awsdns-1.com.", "ns-2.awsdns-2.net.")},
        health_checks={"hc-1": HealthCheckStatus(healthy=True, checkers=16, checkers_healthy=15)},
        calls={"route53.GetHostedZone": 3, "acm.ListCertificates": 12},
        apis={"us-east-1": "hanging", "us-west-2": "answering"},
        calls_by_region={"us-east-1": {"route53.GetHostedZone": 3, "acm.ListCertificates": 12}},
    )
    assert not [line for line in lines if any(character in line for character in "{}[]'")]
    assert "name server    127.0.0.1:5301 (UDP and TCP)" in lines
    assert "  us-east-1      https://127.0.0.11:8443  serving" in lines
    assert "  us-east-1      hanging        15 calls" in lines
    assert "  us-west-2      answering       0 calls" in lines
    assert "  hc-1  healthy (15 of 16 checkers report healthy)" in lines
    assert "  dev.example.com to ns-1.awsdns-1.com, ns-2.awsdns-2.net" in lines
    assert [line.split() for line in lines[-2:]] == [
        ["acm.ListCertificates", "12"],
        ["route53.GetHostedZone", "3"],
    ]


def test_an_empty_section_is_one_line() -> None:
    """A cloud without health checks, delegations and calls says so."""
    assert lines_of()[-3:] == [
        "health checks  none",
        "delegations    none",
        "AWS calls      none",
    ]


def test_what_was_throttled_is_shown_with_quotas() -> None:
    """A cloud with quotas shows the operations that it throttled, any other has no such section."""
    throttled = {"route53.GetHealthCheckStatus": 2}
    lines = lines_of(state=replace(STATE, quotas=True), throttled=throttled)
    assert lines[-2] == "throttled"
    assert lines[-1].split() == ["route53.GetHealthCheckStatus", "2"]
    assert not any("throttled" in line for line in lines_of(throttled=throttled))
