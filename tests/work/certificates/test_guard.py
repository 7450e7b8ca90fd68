"""The checks of CAA records and delegation before a certificate is requested."""

from typing import Any

import pytest

from deploytool.core.stacks.events import CertificateDoubtful, DelegationMissing
from tests.work.certificates.world import CERT, DOMAIN, OTHER, OURS, World


def started(stacks: Any) -> list[str]:
    """Return the stacks that were started, in order."""
    return [name.removeprefix("hello-dev-") for _, _, name, _ in stacks.history]


class TestGuard:
    """The checks before a certificate is requested."""

    def test_good_delegation(self, run: Any, stacks: Any) -> None:
        """The certificate of a delegated zone is requested, and nothing is reported."""
        outcome, events = run()
        assert outcome.ok
        assert started(stacks) == ["zone", "certificate"]
        assert not any(
            isinstance(event, DelegationMissing | CertificateDoubtful) for event in events
        )

    def test_new_zone_is_waited_for(self, run: Any, stacks: Any, world: World) -> None:
        """The run waits for the delegation of its own zone and reports each change of it."""

        def delegated(now: float) -> tuple[str, ...]:
            if now < 10:
                return ()
            return (OTHER,) if now < 20 else (OURS,)

        world.delegated = delegated
        outcome, events = run()
        assert outcome.ok
        reports = [event for event in events if isinstance(event, DelegationMissing)]
        assert [OTHER.rstrip(".") in report.problem for report in reports] == [False, True]
        # Servers that answer for the domain now have other records of it, perhaps.
        assert [bool(report.precaution) for report in reports] == [False, True]
        assert "copy every other record" in reports[1].precaution
        assert reports[0].name_servers == (OURS.rstrip("."),)
        assert "example.com. at ns.example" in reports[0].problem
        requested = next(at for at, _, name, _ in stacks.history if name.endswith("certificate"))
        assert 20 <= requested <= 32

    def test_an_unchanged_delegation_is_reported_again_every_30_seconds(
        self, run: Any, world: World
    ) -> None:
        """A delegation that stays missing is reported every 30 s, not at every poll."""
        world.delegated = lambda now: () if now < 95 else (OURS,)
        _, events = run()
        reports = [event for event in events if isinstance(event, DelegationMissing)]
        assert 3 <= len(reports) <= 4

    def test_the_wait_ends_at_the_timeout(self, run: Any, stacks: Any, world: World) -> None:
        """After the timeout the stack fails, and its certificate is not requested."""
        world.delegated = lambda _: ()
        outcome, _ = run(timeout=40.0)
        assert "not delegated within 40 s" in outcome.failed[CERT]
        assert started(stacks) == ["zone"]
        assert 40 <= stacks.clock.now() < 55

    def test_old_zone_fails_at_once(self, run: Any, stacks: Any, world: World) -> None:
        """A zone of an earlier run that is delegated elsewhere fails at once, before a request."""
        world.delegated = lambda _: ()
        run(timeout=0.0)
        world.delegated = lambda _: (OTHER,)
        before = stacks.clock.now()
        outcome, _ = run()
        assert "will never validate" in outcome.failed[CERT]
        assert (
            "points dev.example.com to ns1.other.net, not to ns-1.awsdns-1.com"
            in outcome.failed[CERT]
        )
        assert (started(stacks), stacks.clock.now() - before < 5) == (["zone"], True)

    @pytest.mark.parametrize("down", [True, False])
    def test_uncertain_problems_do_not_stop_the_run(
        self, run: Any, world: World, down: bool
    ) -> None:
        """A parent that is unreachable or partly right is reported, and the run continues."""
        world.parent_down = down
        world.delegated = lambda _: (OURS, OTHER)
        outcome, events = run()
        (report,) = [event for event in events if isinstance(event, CertificateDoubtful)]
        assert outcome.ok
        assert ("did not answer" if down else "also to ns1.other.net") in report.text

    def test_white_label_name_servers(self, run: Any, stacks: Any, world: World) -> None:
        """The parent may name the zone's servers by names of the owner's: the addresses tell."""
        white_label = f"ns1.{DOMAIN}"
        world.delegated = lambda _: (f"{white_label}.",)
        world.addresses = {OURS.rstrip("."): "192.0.2.1", white_label: "192.0.2.1"}
        outcome, events = run(timeout=0.0)
        assert outcome.ok, outcome.failed
        assert started(stacks) == ["zone", "certificate"]
        assert not any(
            isinstance(event, DelegationMissing | CertificateDoubtful) for event in events
        )

    def test_other_servers_of_the_same_name_are_refused(self, run: Any, world: World) -> None:
        """A name below the domain alone proves nothing."""
        world.delegated = lambda _: (f"ns1.{DOMAIN}.",)
        world.addresses = {OURS.rstrip("."): "192.0.2.1", f"ns1.{DOMAIN}": "198.51.100.1"}
        outcome, _ = run(timeout=0.0)
        assert f"points {DOMAIN} to ns1.{DOMAIN}" in outcome.failed[CERT]

    @pytest.mark.parametrize("owner", ["example.com", DOMAIN])
    def test_caa(self, run: Any, stacks: Any, world: World, owner: str) -> None:
        """CAA records that exclude Amazon fail at once, on any ancestor and for a new zone too."""
        world.delegated = lambda _: ()
        world.caa = {owner: '0 issue "letsencrypt.org"'}
        outcome, _ = run()
        assert f"CAA records of {owner} allow letsencrypt.org" in outcome.failed[CERT]
        assert started(stacks) == ["zone"]

    def test_a_failing_lookup_of_caa_records_is_told(self, run: Any, world: World) -> None:
        """An authority may not issue while it cannot read them; ACM's own lookup decides."""
        world.caa_failing = "example.com"
        outcome, events = run()
        (report,) = [event for event in events if isinstance(event, CertificateDoubtful)]
        assert outcome.ok
        assert "the CAA records of example.com cannot be read (SERVFAIL)" in report.text
