"""What a pipeline must know of a stage: its regions in the order of a rollout, and its drill."""

import json
from typing import Any

from deploytool.core.project.config import Config
from deploytool.core.project.drill_settings import NO_DRILL
from deploytool.core.service.service import Service


def matrix_document(config: Config, service: Service, *, has_failover: bool) -> dict[str, Any]:
    """Return the facts of a stage as JSON has them.

    `drill` is the fault to inject after a deployment, empty for none. `has_failover` tells whether
    deploytool makes the records of the stage: otherwise there is nothing to drill.
    """
    stage = config.stage(service.stage)
    drill = config.drill.after_deploy
    if stage.protected or not has_failover or drill == NO_DRILL:
        drill = ""
    return {
        "project": config.project,
        "stage": stage.name,
        "domain": stage.domain,
        "path": service.path,
        "url": f"https://{stage.domain}{service.path}",
        "regional_domains": dict(service.regional_domains),
        "has_failover": has_failover,
        "protected": stage.protected,
        "primary": config.primary,
        "secondary": config.secondary,
        # The standby first, as a rollout goes
        "matrix": {"region": [config.secondary, config.primary]},
        "drill": drill,
    }


def matrix_lines(document: dict[str, Any]) -> list[str]:
    """Return the facts as `name=value`, a line each, as the file of a step's outputs has them."""
    lines: list[str] = []
    for name, value in document.items():
        text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
        lines.append(f"{name}={text}")
    return lines
