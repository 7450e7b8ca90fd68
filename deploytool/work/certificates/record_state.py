"""Finds out why ACM does not see a validation record: the zone, the resolver and the parent."""

from functools import cache

from deploytool.core.certificates.certificate import (
    CertificateRequest,
    ValidationRecord,
    describe_record,
)
from deploytool.core.certificates.ports import CertificatePorts, DnsReply, ZoneInfo
from deploytool.core.errors import DeploytoolError, ProbeFailed
from deploytool.core.route53.delegation import Delegated
from deploytool.work.certificates.parent import judge_delegation


class RecordStates:
    """Describes validation records as DNS shows them now. Each hosted zone is read once."""

    def __init__(self, ports: CertificatePorts) -> None:
        self._ports = ports
        self._read_zone = cache(ports.zones.get)

    def describe(self, request: CertificateRequest, record: ValidationRecord) -> str:
        """Return the state of a record in one line. Raises DeploytoolError when AWS refuses."""
        zone = None
        in_zone = None
        zone_id = request.zones.get(record.domain)
        if zone_id:
            zone = self._read_zone(zone_id)
            try:
                in_zone = self._values_in_zone(zone, record.name)
            except DeploytoolError as error:
                return f"the hosted zone's name server gives no answer: {error}"

        resolved = self._resolve(record.name)
        resolves = isinstance(resolved, list) and bool(resolved)

        # The parent is of interest only for a record that the zone has and the public cannot see.
        parent_problem = ""
        if zone and in_zone and not resolves:
            verdict, description = judge_delegation(self._ports, zone)
            if not isinstance(verdict, Delegated):
                parent_problem = description
        return describe_record(record, in_zone, resolved, parent_problem)

    def _values_in_zone(self, zone: ZoneInfo, name: str) -> list[str]:
        """Return the CNAME values of a name at the zone's own name server.

        Raises DeploytoolError when the server does not answer.
        """
        server = self._ports.locate(zone.name_servers[0])
        return _cname_values(self._ports.dns.ask(server, name, "CNAME", recurse=False))

    def _resolve(self, name: str) -> list[str] | str:
        """Return the CNAME values that the resolver gives, or why it gives no answer."""
        try:
            reply = self._ports.dns.ask(self._ports.resolver, name, "CNAME", recurse=True)
        except ProbeFailed as error:
            return f"the resolver gives no answer: {error}"

        if reply.rcode not in ("NOERROR", "NXDOMAIN"):
            return f"it does not resolve ({reply.rcode})"
        return _cname_values(reply)


def _cname_values(reply: DnsReply) -> list[str]:
    return [record.value for record in reply.answer if record.type == "CNAME"]
