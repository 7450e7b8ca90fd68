"""A deployment of a REST API is a snapshot, with boto3 and plain HTTP on a running cloud."""

import urllib.error
import urllib.request
from typing import Any

import pytest
from botocore.exceptions import ClientError


class Api:
    """A REST API whose methods answer 200 by a mock integration."""

    def __init__(self, aws: Any) -> None:
        self._endpoint = aws.state.endpoint_url
        self.client = aws.client("apigateway")
        self.id = self.client.create_rest_api(name="snapshot")["id"]
        self.root = self.client.get_resources(restApiId=self.id)["items"][0]["id"]

    def add(self, path: str, *, integrated: bool = True) -> str:
        """Add a resource with a method and return its id."""
        resource = self.client.create_resource(
            restApiId=self.id, parentId=self.root, pathPart=path
        )["id"]
        method = {"restApiId": self.id, "resourceId": resource, "httpMethod": "GET"}
        self.client.put_method(**method, authorizationType="NONE")
        if integrated:
            template = {"application/json": '{"statusCode": 200}'}
            self.client.put_integration(**method, type="MOCK", requestTemplates=template)
            self.client.put_method_response(**method, statusCode="200")
            self.client.put_integration_response(**method, statusCode="200")
        return str(resource)

    def deploy(self, stage: str = "live") -> str:
        """Deploy the API to a stage and return the deployment's id."""
        return str(self.client.create_deployment(restApiId=self.id, stageName=stage)["id"])

    def get(self, path: str) -> tuple[int, str]:
        """Return status and body of a request to the stage."""
        url = f"{self._endpoint}/_aws/execute-api/{self.id}/live/{path}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()


@pytest.fixture
def api(aws: Any) -> Api:
    return Api(aws)


class TestSnapshot:
    """A stage serves what its deployment has.

    Sources: API Gateway Developer Guide, "Deploy REST APIs in API Gateway"; API Reference,
    CreateDeployment.
    """

    def test_what_is_added_later_is_not_served(self, api: Api) -> None:
        """A method that is newer than the deployment answers 403 until the next deployment."""
        api.add("one")
        api.deploy()
        api.add("two")
        assert api.get("one")[0] == 200
        status, body = api.get("two")
        assert status == 403
        assert "Missing Authentication Token" in body

        api.deploy()
        assert api.get("two")[0] == 200

    def test_what_is_deleted_later_is_served(self, api: Api) -> None:
        """A resource that was deleted goes on answering until the next deployment."""
        api.add("kept")
        resource = api.add("deleted")
        api.deploy()
        api.client.delete_resource(restApiId=api.id, resourceId=resource)
        assert api.get("deleted")[0] == 200
        api.deploy()
        assert api.get("deleted")[0] == 403

    def test_a_stage_can_go_back(self, api: Api) -> None:
        """A stage that is pointed at an older deployment serves that one."""
        api.add("one")
        first = api.deploy()
        api.add("two")
        api.deploy()
        api.client.update_stage(
            restApiId=api.id,
            stageName="live",
            patchOperations=[{"op": "replace", "path": "/deploymentId", "value": first}],
        )
        assert api.get("two")[0] == 403

    @pytest.mark.difference
    def test_validators_are_not_part_of_it(self, api: Api) -> None:
        """A request validator takes effect at once; on AWS with the next deployment."""
        resource = api.add("checked")
        validator = api.client.create_request_validator(
            restApiId=api.id, name="v", validateRequestParameters=False
        )["id"]
        api.client.update_method(
            restApiId=api.id,
            resourceId=resource,
            httpMethod="GET",
            patchOperations=[
                {"op": "replace", "path": "/requestValidatorId", "value": validator},
                {
                    "op": "add",
                    "path": "/requestParameters/method.request.querystring.q",
                    "value": "true",
                },
            ],
        )
        api.deploy()
        assert api.get("checked")[0] == 200
        api.client.update_request_validator(
            restApiId=api.id,
            requestValidatorId=validator,
            patchOperations=[
                {"op": "replace", "path": "/validateRequestParameters", "value": "true"}
            ],
        )
        assert api.get("checked")[0] == 400


class TestRefusals:
    """Deployments that API Gateway refuses."""

    def test_without_methods(self, api: Api) -> None:
        """An API without a method cannot be deployed (getmoto/moto's tests quote the message)."""
        with pytest.raises(ClientError, match="The REST API doesn't contain any methods"):
            api.deploy()

    def test_without_integration(self, api: Api) -> None:
        """Nor can a method without an integration (the same source)."""
        api.add("one", integrated=False)
        with pytest.raises(ClientError, match="No integration defined for method"):
            api.deploy()

    def test_deletion_while_in_use(self, api: Api) -> None:
        """A deployment that a stage uses cannot be deleted; one that none uses can.

        Source: Terraform AWS provider, aws_api_gateway_deployment, on create_before_destroy.
        """
        api.add("one")
        first = api.deploy()
        with pytest.raises(ClientError, match="Active stages pointing to this deployment"):
            api.client.delete_deployment(restApiId=api.id, deploymentId=first)
        api.deploy()
        api.client.delete_deployment(restApiId=api.id, deploymentId=first)

    def test_a_stack_in_the_wrong_order(self, aws: Any) -> None:
        """A deployment that does not depend on the methods fails, or misses them.

        Source: CloudFormation template reference, AWS::ApiGateway::Deployment.
        """
        api = {"Ref": "Api"}
        resources = {
            "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "unordered"}},
            "Deployment": {
                "Type": "AWS::ApiGateway::Deployment",
                "Properties": {"RestApiId": api},
            },
        }
        with pytest.raises(AssertionError, match="contain any methods"):
            aws.create_stack("unordered", {"Resources": resources})

    def test_a_stack_whose_deployment_makes_the_stage(self, aws: Any) -> None:
        """A stack with StageName in its deployment can be deleted."""
        api = {"Ref": "Api"}
        method = {
            "RestApiId": api,
            "ResourceId": {"Fn::GetAtt": ["Api", "RootResourceId"]},
            "HttpMethod": "GET",
            "AuthorizationType": "NONE",
            "Integration": {"Type": "MOCK"},
        }
        resources = {
            "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "with-stage"}},
            "Method": {"Type": "AWS::ApiGateway::Method", "Properties": method},
            "Deployment": {
                "Type": "AWS::ApiGateway::Deployment",
                "DependsOn": "Method",
                "Properties": {"RestApiId": api, "StageName": "live"},
            },
        }
        aws.create_stack("with-stage", {"Resources": resources})
        assert aws.delete_stack("with-stage") == "DELETE_COMPLETE"
