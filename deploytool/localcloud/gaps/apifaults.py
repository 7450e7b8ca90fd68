"""API Gateway when a function is throttled or a mapping is gone already, as AWS answers and MiniStack does not.

Sources: AWS re:Post, "API Gateway proxy integration does not forward Lambda throttling" (a proxy integration of a REST API makes
Lambda's 429 a 500); API Gateway API reference, DeleteBasePathMapping (NotFoundException).
"""

# ruff: noqa: SLF001 - MiniStack has neither types nor public names for its state

import json
from collections.abc import Mapping
from typing import Any

from deploytool.localcloud.emulator import MiniStack

Answer = tuple[int, dict[str, str], bytes]

_FAILED = {
    "statusCode": 500,
    "headers": {"x-amzn-ErrorType": "InternalServerErrorException"},
    "body": json.dumps({"message": "Internal server error"}),
}


def install(ministack: MiniStack) -> None:
    """Mend what a drill's faults meet."""
    _install_throttling(ministack.apigateway_v1)
    _install_mappings(ministack.apigateway_v1)


def _install_throttling(v1: Any) -> None:  # noqa: ANN401  # MiniStack has no types
    theirs = v1._lambda_proxy_response

    def lambda_proxy_response(result: Mapping[str, Any]) -> Any:  # noqa: ANN401  # MiniStack's answer
        return (_FAILED, None) if result.get("throttle") else theirs(result)

    v1._lambda_proxy_response = lambda_proxy_response


def _install_mappings(v1: Any) -> None:  # noqa: ANN401  # MiniStack has no types
    theirs = v1._delete_base_path_mapping

    def delete_base_path_mapping(domain: str, base_path: str) -> Answer:
        there = base_path in v1._base_path_mappings.get(domain, {})
        missing = v1._v1_error("NotFoundException", "Invalid base path mapping identifier specified", 404)
        answer: Answer = theirs(domain, base_path) if there else missing
        return answer

    v1._delete_base_path_mapping = delete_base_path_mapping
