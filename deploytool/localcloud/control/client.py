"""The client of the control API, for processes other than the cloud's own. Synchronous."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any

from deploytool.core.errors import DeploytoolError
from deploytool.localcloud.control import PREFIX
from deploytool.localcloud.control.status import CloudStatus
from deploytool.localcloud.edges.edge_state import EdgeState, parse_edge_state
from deploytool.localcloud.ministack.api_state import ApiCondition, parse_api_condition
from deploytool.localcloud.state import State

_TIMEOUT_SECONDS = 8.0


@dataclass(frozen=True)
class ControlClient:
    """Calls the control API of a running cloud.

    It is also the port through which a drill breaks a region's edge. Every method raises
    DeploytoolError when the cloud refuses the call or does not answer.
    """

    cloud: State

    def status(self) -> CloudStatus:
        """Return what the cloud's parts are doing now."""
        return CloudStatus.from_json(self.call("GET", "status"))

    def edge_state(self, region: str) -> EdgeState:
        """Return the state of a region's edge."""
        document = self.call("GET", f"regions/{region}")
        return parse_edge_state(document["condition"], document["seconds"])

    def condition(self, region: str) -> str:
        """Return what a client of a region's edge meets now."""
        return self.edge_state(region).condition

    def set_condition(self, region: str, condition: str, seconds: float = 0.0) -> None:
        """Set the condition of a region's edge (an EdgeCondition), and wait until it is in force.

        `seconds` is how many true seconds late a slow edge answers; 0 means the default.
        """
        self.call("POST", f"regions/{region}", {"condition": condition, "seconds": seconds})

    def api_condition(self, region: str) -> ApiCondition:
        """Return what a client of a region's AWS API meets now."""
        return parse_api_condition(self.call("GET", f"apis/{region}")["condition"])

    def set_api_condition(self, region: str, condition: ApiCondition) -> None:
        """Break or fix the AWS API of a region."""
        self.call("POST", f"apis/{region}", {"condition": condition})

    def event_log(self) -> dict[str, list[dict[str, Any]]]:
        """Return the events since the start; see `EventLog.to_json`."""
        events: dict[str, list[dict[str, Any]]] = self.call("GET", "event-log")
        return events

    def access_log(self) -> list[dict[str, Any]]:
        """Return the permissions that were asked for under IAM enforcement, oldest first.

        Each has `principal`, `action`, `resource` and `allowed`.
        """
        entries: list[dict[str, Any]] = self.call("GET", "access")
        return entries

    def delegate(self, domain: str, name_servers: Sequence[str] | None) -> tuple[str, ...]:
        """Set and return the name servers to which a domain's parent refers.

        None means those of the hosted zone; none at all means that the domain does not exist.
        """
        document = {"name_servers": None if name_servers is None else list(name_servers)}
        answer = self.call("POST", f"delegations/{domain}", document)
        return tuple(answer["name_servers"])

    def shut_down(self) -> None:
        """Ask the cloud to end. It answers before it does."""
        self.call("POST", "shutdown")

    def call(self, method: str, path: str, document: object = None) -> Any:  # noqa: ANN401  # JSON
        """Send a request below /_deploytool/ with a JSON body and return its JSON answer."""
        address = self.cloud.endpoint_url
        host, _, port = address.removeprefix("http://").partition(":")
        body = None if document is None else json.dumps(document)

        # http.client asks no proxy, whatever the environment says: this is loopback.
        connection = HTTPConnection(host, int(port), timeout=_TIMEOUT_SECONDS)
        try:
            connection.request(method, PREFIX + path, body)
            response = connection.getresponse()
            answer = json.loads(response.read())
        except (OSError, HTTPException, ValueError) as error:
            raise DeploytoolError(
                f"the local cloud at {address} does not answer: {error}"
            ) from error
        finally:
            connection.close()

        # Every refusal has a text for the user; see `ControlApplication`.
        if response.status != 200:
            raise DeploytoolError(f"the local cloud refused {method} {path}: {answer['error']}")
        return answer
