"""S3 as the place where packages are stored, each under its content's hash."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from deploytool.aws.errors import code_of, translated
from deploytool.aws.sessions import Clients
from deploytool.core.project.package import Package

MISSING = {"404", "NoSuchKey", "NotFound"}


class S3Buckets:
    """The Buckets port on boto3."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def put(self, region: str, bucket: str, package: Package) -> bool:
        """Store the package unless an object of its key is there; the key is its hash, so the same
        key is the same content.
        """
        client = self._clients.get("s3", region)
        with translated(f"storing {package.key} in {bucket}"):
            try:
                client.head_object(Bucket=bucket, Key=package.key)
            except ClientError as error:
                if code_of(error) not in MISSING:
                    raise
            else:
                return False
            client.put_object(
                Bucket=bucket, Key=package.key, Body=package.data, ContentType="application/zip"
            )
            return True

    def empty(self, region: str, bucket: str) -> int:
        """Delete every version and delete marker, a page of 1,000 a call; how many. A bucket that
        is gone is empty.
        """
        client = self._clients.get("s3", region)
        deleted = 0
        with translated(f"emptying {bucket}"):
            try:
                for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket):
                    found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
                    if found:
                        keys = [
                            {"Key": each["Key"], "VersionId": each["VersionId"]} for each in found
                        ]
                        answer = client.delete_objects(
                            Bucket=bucket, Delete={"Objects": keys, "Quiet": True}
                        )
                        _all_deleted(answer)
                        deleted += len(keys)
            except ClientError as error:
                if code_of(error) != "NoSuchBucket":
                    raise
        return deleted


def _all_deleted(answer: Mapping[str, Any]) -> None:
    """DeleteObjects answers 200 also when it could not delete some; raises ClientError for the
    first of them.
    """
    if answer.get("Errors"):
        raise ClientError({"Error": answer["Errors"][0]}, "DeleteObjects")
