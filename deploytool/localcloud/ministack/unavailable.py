"""What a service answers when it is unavailable: 503, in the protocol of the request.

Code and text are those of the common errors that each API reference has ("ServiceUnavailable: The
request has failed due to a temporary failure of the server"). The forms are those of the protocols
in the Smithy documentation, "AWS Protocols"; S3 (API reference, "REST error responses") and EC2
(API reference, "Error codes") have their own.
"""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

STATUS = 503
_CODE = "ServiceUnavailable"
_MESSAGE = "The request has failed due to a temporary failure of the server."

# The services with REST and JSON, whose requests do not show that. The others with JSON name their
# operation in X-Amz-Target.
_REST_JSON = {"apigateway", "lambda", "resource-groups", "scheduler"}


@dataclass(frozen=True)
class Unavailable:
    """The headers and the body of the answer."""

    headers: Mapping[str, str]
    body: bytes


def unavailable(service: str, headers: Mapping[str, str]) -> Unavailable:
    """Return the answer to a request with these headers (names in lower case).

    `service` is the one that the request is signed for, "" without a signature.
    """
    request_id = str(uuid.uuid4())
    common = {"x-amzn-requestid": request_id, "x-amzn-errortype": _CODE}
    if headers.get("smithy-protocol") == "rpc-v2-cbor":
        cbor = {"content-type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
        return Unavailable(common | cbor, _cbor({"__type": _CODE, "message": _MESSAGE}))

    is_json = "json" in headers.get("content-type", "") or "x-amz-target" in headers
    if is_json or service in _REST_JSON:
        document = json.dumps({"__type": _CODE, "message": _MESSAGE})
        return Unavailable(common | {"content-type": "application/json"}, document.encode())

    xml = '<?xml version="1.0" encoding="UTF-8"?>\n' + _xml(service, request_id)
    return Unavailable(common | {"content-type": "text/xml"}, xml.encode())


def _xml(service: str, request_id: str) -> str:
    error = f"<Code>{_CODE}</Code><Message>{_MESSAGE}</Message>"
    match service:
        case "s3":
            return f"<Error>{error}<RequestId>{request_id}</RequestId></Error>"
        case "ec2":
            return (
                f"<Response><Errors><Error>{error}</Error></Errors>"
                f"<RequestID>{request_id}</RequestID></Response>"
            )
        case _:
            return (
                f"<ErrorResponse><Error><Type>Receiver</Type>{error}</Error>"
                f"<RequestId>{request_id}</RequestId></ErrorResponse>"
            )


def _cbor(values: Mapping[str, str]) -> bytes:
    """Encode a map of less than 24 short texts (RFC 8949, section 3.1)."""
    encoded = bytes([0xA0 + len(values)])
    for name, value in values.items():
        for text in (name, value):
            encoded += bytes([0x78, len(text)]) + text.encode("ascii")
    return encoded
