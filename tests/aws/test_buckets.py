"""S3's adapter against botocore's own model of the service."""

import pytest
from botocore.stub import ANY, Stubber

from deploytool.aws.buckets import S3Buckets
from deploytool.aws.sessions import Clients
from deploytool.core.errors import DeploytoolError
from deploytool.core.project.package import build_package


@pytest.fixture
def service() -> str:
    return "s3"


def test_a_package_that_exists_is_not_stored_again(stub: Stubber, clients: Clients) -> None:
    """The key is its hash."""
    package = build_package("function", {"handler.py": b"x"})
    buckets = S3Buckets(clients)
    stub.add_client_error("head_object", "404", http_status_code=404)
    stub.add_response(
        "put_object",
        {},
        {"Bucket": "b", "Key": package.key, "Body": package.data, "ContentType": "application/zip"},
    )
    assert buckets.put("us-east-1", "b", package) is True
    stub.add_response("head_object", {}, {"Bucket": "b", "Key": package.key})
    assert buckets.put("us-east-1", "b", package) is False


def test_emptying_a_bucket_deletes_versions_and_markers(stub: Stubber, clients: Clients) -> None:
    """Otherwise CloudFormation cannot delete the bucket. One that does not exist counts as empty."""
    buckets = S3Buckets(clients)
    page = {
        "Versions": [{"Key": "a", "VersionId": "1"}],
        "DeleteMarkers": [{"Key": "a", "VersionId": "2"}],
        "IsTruncated": False,
    }
    stub.add_response("list_object_versions", page)
    stub.add_response("delete_objects", {}, {"Bucket": "b", "Delete": ANY})
    assert buckets.empty("us-east-1", "b") == 2
    stub.add_client_error("list_object_versions", "NoSuchBucket")
    assert buckets.empty("us-east-1", "b") == 0
    stub.add_response("list_object_versions", page)
    stub.add_response(
        "delete_objects", {"Errors": [{"Key": "a", "Code": "AccessDenied", "Message": "no"}]}
    )
    with pytest.raises(DeploytoolError, match="emptying b"):
        buckets.empty("us-east-1", "b")
