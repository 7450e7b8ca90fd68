"""The function behind /v1: answers in JSON which region served the request, and with which version.

API Gateway calls it as a Lambda proxy integration: it takes the event that a REST API makes of a
request, and returns statusCode, headers and body (API Gateway Developer Guide, "Lambda proxy
integrations in API Gateway").
"""

import json
import os
from typing import Any

# Read once a cold start and not once a call. A function without its version fails its first call,
# not some later one.
REGION = os.environ["AWS_REGION"]
VERSION = os.environ["CODE_VERSION"]

METHODS = ("GET", "HEAD")
HEADERS = {
    "content-type": "application/json",
    "x-served-by-region": REGION,
    "cache-control": "no-store",
}


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer GET and HEAD with 200, and any other method with 405 and the methods that are
    allowed.
    """
    method = event["httpMethod"]
    request = event["requestContext"]
    body = {
        "region": REGION,
        "version": VERSION,
        "stage": request["stage"],
        "request_id": request["requestId"],
    }
    if method not in METHODS:
        refusal = {"message": f"{method} is not allowed here", **body}
        return {
            "statusCode": 405,
            "headers": {**HEADERS, "allow": ", ".join(METHODS)},
            "body": json.dumps(refusal),
        }
    return {
        "statusCode": 200,
        "headers": HEADERS,
        "body": "" if method == "HEAD" else json.dumps(body),
    }
