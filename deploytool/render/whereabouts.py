"""Where a command works, as lines for a person and as a part of the JSON document."""

from collections.abc import Iterator
from typing import Any

from deploytool.core.whereabouts import Whereabouts
from deploytool.render.text import escape


def whereabouts_lines(whereabouts: Whereabouts) -> Iterator[str]:
    """Yield the account, the caller and the addresses, then a warning where these are not AWS's."""
    caller = whereabouts.caller
    if caller.unknown:
        yield f"AWS account unknown: {escape(caller.unknown)}"
    else:
        acts = ""
        if whereabouts.service_role:
            acts = f"; CloudFormation acts as {whereabouts.service_role}"
        yield escape(f"AWS account {caller.account} as {caller.who}{acts}")

    regions = ", ".join(whereabouts.regions)
    addresses = whereabouts.by_address()
    if not addresses:
        yield f"APIs of AWS in {regions}"
    for address, services in addresses.items():
        yield escape(f"APIs at {address}: {', '.join(services)}")
    yield from warning_lines(whereabouts)


def warning_lines(whereabouts: Whereabouts) -> Iterator[str]:
    """Yield what to say loudly where the calls of a run without --local do not go to AWS."""
    for address in whereabouts.elsewhere:
        yield f"[bold red]! NOT AWS:[/] [red]the calls go to {escape(address)}.[/]"
    if whereabouts.elsewhere:
        yield (
            "[red]  What this run shows is not true of AWS. For deploytool's local cloud use --local,"
            " which also reaches its DNS and its edges; for AWS unset AWS_ENDPOINT_URL, or endpoint_url"
            " of the profile.[/]"
        )


def whereabouts_document(whereabouts: Whereabouts) -> dict[str, Any]:
    """Return the same for JSON. `endpoints` is empty where the user has set none."""
    caller = whereabouts.caller
    return {
        "name": "aws",
        "account": caller.account or None,
        "caller": caller.arn or None,
        "service_role": whereabouts.service_role or None,
        "regions": list(whereabouts.regions),
        "endpoints": dict(whereabouts.endpoints),
        "not_aws": list(whereabouts.elsewhere),
    }
