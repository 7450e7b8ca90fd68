"""HTTP APIs (API Gateway version 2) as AWS has them, with plain boto3 and plain requests."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from tests.localcloud.conftest import Aws

FUNCTION = """
def handler(event, context):
    what = (event.get("queryStringParameters") or {}).get("what")
    if what == "fail":
        raise RuntimeError("secret")
    if what == "text":
        return "hello"
    import json
    return {"statusCode": 201, "headers": {"x-a": "b"}, "body": json.dumps(event)}
"""


def template(**integration: Any) -> dict[str, Any]:
    """An HTTP API with a function on ANY /v1, and a stage that deploys automatically."""
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    properties = {
        "ApiId": {"Ref": "Api"},
        "IntegrationType": "AWS_PROXY",
        "IntegrationUri": {"Fn::GetAtt": ["Function", "Arn"]},
        **integration,
    }
    return {
        "Resources": {
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]}
                },
            },
            "Function": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "Runtime": "python3.13",
                    "Handler": "index.handler",
                    "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                    "Code": {"ZipFile": FUNCTION},
                },
            },
            "Permission": {
                "Type": "AWS::Lambda::Permission",
                "Properties": {
                    "FunctionName": {"Ref": "Function"},
                    "Action": "lambda:InvokeFunction",
                    "Principal": "apigateway.amazonaws.com",
                    "SourceArn": {
                        "Fn::Sub": "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/*/*/*"
                    },
                },
            },
            "Api": {
                "Type": "AWS::ApiGatewayV2::Api",
                "Properties": {"Name": "a", "ProtocolType": "HTTP"},
            },
            "Integration": {"Type": "AWS::ApiGatewayV2::Integration", "Properties": properties},
            "Route": {
                "Type": "AWS::ApiGatewayV2::Route",
                "Properties": {
                    "ApiId": {"Ref": "Api"},
                    "RouteKey": "ANY /v1",
                    "Target": {"Fn::Sub": "integrations/${Integration}"},
                },
            },
            "Stage": {
                "Type": "AWS::ApiGatewayV2::Stage",
                "DependsOn": "Route",
                "Properties": {
                    "ApiId": {"Ref": "Api"},
                    "StageName": "live",
                    "AutoDeploy": True,
                },
            },
        },
        "Outputs": {
            "ApiId": {"Value": {"Ref": "Api"}},
            "Function": {"Value": {"Ref": "Function"}},
            "Integration": {"Value": {"Ref": "Integration"}},
        },
    }


@dataclass(frozen=True)
class Api:
    """An HTTP API that is deployed."""

    aws: Aws
    id: str
    function: str
    integration: str

    def get(self, path: str, stage: str = "live") -> requests.Response:
        address = f"{self.aws.state.endpoint_url}/_aws/execute-api/{self.id}/{stage}{path}"
        return requests.get(address, timeout=20)


@pytest.fixture(scope="module")
def api(aws: Aws) -> Iterator[Api]:
    """An API whose function gets events of format 1.0."""
    outputs = aws.create_stack("http-api", template(PayloadFormatVersion="1.0"))
    yield Api(aws, outputs["ApiId"], outputs["Function"], outputs["Integration"])
    aws.delete_stack("http-api")


def test_a_function_gets_the_event_of_a_rest_api_in_format_1(api: Api) -> None:
    """The same function can answer a REST API and an HTTP API.

    Source: API Gateway Developer Guide, "Create AWS Lambda proxy integrations for HTTP APIs in API
    Gateway", the example of payload format version 1.0.
    """
    answer = api.get("/v1?a=1&a=2")
    event = answer.json()
    assert (answer.status_code, answer.headers["x-a"]) == (201, "b")
    assert (event["version"], event["resource"], event["httpMethod"]) == ("1.0", "/v1", "GET")
    assert event["queryStringParameters"] == {"a": "2"}
    assert event["multiValueQueryStringParameters"] == {"a": ["1", "2"]}
    assert event["requestContext"]["stage"] == "live"
    assert event["requestContext"]["requestId"]
    assert "rawPath" not in event


@pytest.mark.parametrize(
    ("source", "status"),
    [
        ("{api}/live/*/v1", 201),
        ("{api}/*/GET/v1", 201),
        ("{api}/*/$default", 500),
        ("{api}/other/*/v1", 500),
        ("{api}/live/POST/v1", 500),
        ("another/*/*/v1", 500),
        ("", 500),
    ],
)
def test_a_function_must_allow_the_api(api: Api, source: str, status: int) -> None:
    """Without a permission for this API, stage, method and path the answer is 500.

    Source: API Gateway Developer Guide, "Troubleshooting issues with HTTP API Lambda integrations".
    """
    client = api.aws.client("lambda")
    policy = json.loads(client.get_policy(FunctionName=api.function)["Policy"])
    [before] = policy["Statement"]
    client.remove_permission(FunctionName=api.function, StatementId=before["Sid"])

    def allow(sid: str, arn: str) -> None:
        client.add_permission(
            FunctionName=api.function,
            StatementId=sid,
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
            SourceArn=arn,
        )

    if source:
        allow("x", "arn:aws:execute-api:us-east-1:000000000000:" + source.format(api=api.id))
    answer = api.get("/v1")
    if source:
        client.remove_permission(FunctionName=api.function, StatementId="x")
    allow(before["Sid"], before["Condition"]["ArnLike"]["AWS:SourceArn"])
    assert answer.status_code == status


def test_a_function_must_allow_the_rest_api(aws: Aws, service: Any, get: Any) -> None:
    """The same for a REST API.

    Source: API Gateway Developer Guide, "Lambda proxy integrations in API Gateway".
    """
    client = aws.client("lambda", "us-west-2")
    function = service.regions["us-west-2"]["FunctionName"]
    policy = json.loads(client.get_policy(FunctionName=function)["Policy"])
    [before] = policy["Statement"]
    host = f"us-west-2.{service.domain}"
    edge = aws.state.regions["us-west-2"]

    client.remove_permission(FunctionName=function, StatementId=before["Sid"])
    answer = get(host, edge)
    client.add_permission(
        FunctionName=function,
        StatementId=before["Sid"],
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn=before["Condition"]["ArnLike"]["AWS:SourceArn"],
    )
    assert (answer.status, json.loads(answer.body)) == (500, {"message": "Internal server error"})
    assert get(host, edge).status == 200


def test_failures_of_a_function_are_hidden(api: Api) -> None:
    """A failed function and, in format 1.0, an answer without a status give 500.

    Source: API Gateway Developer Guide, "Troubleshooting issues with HTTP API Lambda integrations",
    and "Create AWS Lambda proxy integrations for HTTP APIs in API Gateway".
    """
    for what in ("fail", "text"):
        answer = api.get(f"/v1?what={what}")
        assert answer.status_code == 500
        assert answer.json() == {"message": "Internal Server Error"}


def test_a_throttled_function_is_unavailable(api: Api) -> None:
    """A function that may not run gives 503. (Our reading: an API of version 2 has no 429 for it.)"""
    client = api.aws.client("lambda")
    client.put_function_concurrency(FunctionName=api.function, ReservedConcurrentExecutions=0)
    answer = api.get("/v1")
    client.delete_function_concurrency(FunctionName=api.function)
    assert answer.status_code == 503
    assert answer.json() == {"message": "Service Unavailable"}


def test_a_preflight_request_goes_to_its_route(api: Api) -> None:
    """API Gateway answers OPTIONS itself only where CORS is configured.

    Source: API Gateway Developer Guide, "Configure CORS for HTTP APIs in API Gateway".
    """
    address = f"{api.aws.state.endpoint_url}/_aws/execute-api/{api.id}/live/v1"
    answer = requests.options(address, timeout=20)
    assert answer.status_code == 201
    assert answer.json()["httpMethod"] == "OPTIONS"

    client = api.aws.client("apigatewayv2")
    client.update_api(ApiId=api.id, CorsConfiguration={"AllowOrigins": ["https://example.com"]})
    answer = requests.options(address, headers={"origin": "https://example.com"}, timeout=20)
    client.delete_cors_configuration(ApiId=api.id)
    assert answer.headers["access-control-allow-origin"] == "https://example.com"
    assert not answer.content


def test_what_has_no_route_is_not_found(api: Api) -> None:
    """Source: API Gateway Developer Guide, "Create routes for HTTP APIs in API Gateway": 404."""
    answer = api.get("/v2")
    assert (answer.status_code, answer.json()) == (404, {"message": "Not Found"})


def test_a_stage_serves_the_routes_of_its_deployment(api: Api) -> None:
    """Without automatic deployments nothing is served until there is one, and no later route is.

    Source: API Gateway Developer Guide, "Stages for HTTP APIs in API Gateway": a deployment is a
    snapshot of the API's configuration.
    """
    client = api.aws.client("apigatewayv2")
    client.create_stage(ApiId=api.id, StageName="manual")
    assert api.get("/v1", "manual").status_code == 404

    client.create_deployment(ApiId=api.id, StageName="manual")
    assert api.get("/v1", "manual").status_code == 201

    target = f"integrations/{api.integration}"
    route = client.create_route(ApiId=api.id, RouteKey="GET /later", Target=target)
    assert api.get("/later", "manual").status_code == 404
    assert api.get("/later").status_code == 201

    client.create_deployment(ApiId=api.id, StageName="manual")
    assert api.get("/later", "manual").status_code == 201
    client.delete_route(ApiId=api.id, RouteId=route["RouteId"])
    client.delete_stage(ApiId=api.id, StageName="manual")


@pytest.mark.difference
def test_a_deployment_does_not_keep_what_its_routes_lead_to(api: Api) -> None:
    """A changed integration is served at once, also by a stage that does not deploy automatically.

    Source: API Gateway Developer Guide, "Stages for HTTP APIs in API Gateway": on AWS it is part of
    the snapshot, and needs a deployment.
    """
    client = api.aws.client("apigatewayv2")
    client.create_stage(ApiId=api.id, StageName="kept")
    client.create_deployment(ApiId=api.id, StageName="kept")
    where = {"ApiId": api.id, "IntegrationId": api.integration}
    client.update_integration(**where, PayloadFormatVersion="2.0")
    event = api.get("/v1", "kept").json()
    client.update_integration(**where, PayloadFormatVersion="1.0")
    client.delete_stage(ApiId=api.id, StageName="kept")
    assert event["version"] == "2.0"


def test_an_api_without_routes_cannot_be_deployed(aws: Aws) -> None:
    """Source: the text of AWS in mach-composer/mach-composer-cli#42."""
    client = aws.client("apigatewayv2")
    api_id = client.create_api(Name="empty", ProtocolType="HTTP")["ApiId"]
    with pytest.raises(ClientError, match="no routes exist in this API"):
        client.create_deployment(ApiId=api_id)
    client.delete_api(ApiId=api_id)


def test_a_deployment_can_be_a_resource(aws: Aws) -> None:
    """A stage of a template serves the routes of the template's deployment.

    Source: CloudFormation Template Reference, AWS::ApiGatewayV2::Deployment.
    """
    document = template(PayloadFormatVersion="1.0")
    document["Resources"]["Deployment"] = {
        "Type": "AWS::ApiGatewayV2::Deployment",
        "DependsOn": "Route",
        "Properties": {"ApiId": {"Ref": "Api"}},
    }
    stage = document["Resources"]["Stage"]["Properties"]
    stage["AutoDeploy"] = False
    stage["DeploymentId"] = {"Ref": "Deployment"}
    outputs = aws.create_stack("with-deployment", document)
    api = Api(aws, outputs["ApiId"], outputs["Function"], outputs["Integration"])
    status = api.get("/v1").status_code
    aws.delete_stack("with-deployment")
    assert status == 201


def test_a_template_must_name_the_payload_format(aws: Aws) -> None:
    """CloudFormation has no default for it.

    Source: API Gateway Developer Guide, "Create AWS Lambda proxy integrations for HTTP APIs in API
    Gateway": with CloudFormation "you must specify a payloadFormatVersion".
    """
    with pytest.raises(AssertionError, match="PayloadFormatVersion"):
        aws.create_stack("no-format", template())
    aws.delete_stack("no-format")


def test_version_1_maps_no_http_api(api: Api, service: Any) -> None:
    """Source: the text of AWS in CodeGenieApp/serverless-express#596."""
    client = api.aws.client("apigateway")
    with pytest.raises(ClientError, match="only be accomplished through API Gateway's V2"):
        client.create_base_path_mapping(
            domainName=service.domain, basePath="x", restApiId=api.id, stage="live"
        )


def test_an_endpoint_is_called_by_its_uri(aws: Aws) -> None:
    """The route's path is not added, a static header is, and the answer comes back unchanged.

    Source: API Gateway Developer Guide, "Create HTTP proxy integrations for HTTP APIs in API Gateway"
    and "Transform API requests and responses for HTTP APIs in API Gateway".
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(302)
            self.send_header("x-served-by-region", self.headers["x-api-region"])
            self.end_headers()
            self.wfile.write(json.dumps({"path": self.path}).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_address[1]
    document = template(
        IntegrationType="HTTP_PROXY",
        IntegrationMethod="ANY",
        IntegrationUri=f"http://127.0.0.1:{port}/backend",
        PayloadFormatVersion="1.0",
        RequestParameters={"overwrite:header.x-api-region": {"Ref": "AWS::Region"}},
    )
    outputs = aws.create_stack("endpoint", document)
    api = Api(aws, outputs["ApiId"], outputs["Function"], outputs["Integration"])

    address = f"{aws.state.endpoint_url}/_aws/execute-api/{api.id}/live/v1?q=1"
    answer = requests.get(address, timeout=20, allow_redirects=False)
    server.shutdown()
    server.server_close()
    gone = api.get("/v1")
    aws.delete_stack("endpoint")

    assert answer.status_code == 302
    assert answer.headers["x-served-by-region"] == "us-east-1"
    assert answer.json() == {"path": "/backend?q=1"}
    assert (gone.status_code, gone.json()) == (503, {"message": "Service Unavailable"})
