"""S3 buckets, in which packages are stored under the hash of their content."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from deploytool.aws.errors import ignored, translated
from deploytool.aws.sessions import Clients
from deploytool.core.project.package import Package

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import DeleteObjectsOutputTypeDef, ObjectIdentifierTypeDef

# HeadObject has no body, so botocore gives the HTTP status as the code.
MISSING = {"404", "NoSuchKey", "NotFound"}


class S3Buckets:
    """The Buckets port on botocore."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def put(self, region: str, bucket: str, package: Package) -> bool:
        """HeadObject, and PutObject when there is no object with the package's key.

        The key is the hash of the content, so the same key has the same content.
        """
        client = self._clients.get("s3", region)
        with translated(f"storing {package.key} in {bucket}"):
            with ignored(*MISSING):
                client.head_object(Bucket=bucket, Key=package.key)
                return False
            client.put_object(
                Bucket=bucket, Key=package.key, Body=package.data, ContentType="application/zip"
            )
        return True

    def empty(self, region: str, bucket: str) -> int:
        """Delete every object version and delete marker; return how many were deleted.

        ListObjectVersions and DeleteObjects, for 1,000 at a time. A bucket that does not exist
        counts as empty.
        """
        client = self._clients.get("s3", region)
        deleted = 0
        with translated(f"emptying {bucket}"), ignored("NoSuchBucket"):
            for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket):
                versions = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
                keys: list[ObjectIdentifierTypeDef] = [
                    {"Key": version["Key"], "VersionId": version["VersionId"]}
                    for version in versions
                ]
                if not keys:
                    continue

                answer = client.delete_objects(
                    Bucket=bucket, Delete={"Objects": keys, "Quiet": True}
                )
                _require_all_deleted(answer)
                deleted += len(keys)
        return deleted


def _require_all_deleted(answer: "DeleteObjectsOutputTypeDef") -> None:
    """Raise ClientError for the first object that could not be deleted.

    DeleteObjects has the status 200 also when it could not delete some of the objects.
    """
    errors = answer.get("Errors", [])
    if errors:
        raise ClientError({"Error": errors[0]}, "DeleteObjects")
