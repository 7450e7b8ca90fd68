"""Template addresses with the bucket in the host name.

MiniStack takes the first part of the path for the bucket, whatever the host.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from deploytool.localcloud.ministack.patches.replace import Patcher

PATCHES = {
    "template_helpers._resolve_document": "virtual-hosted template addresses are not found",
}

# The S3 User Guide, "Virtual hosting of buckets": BUCKET.s3.REGION.amazonaws.com, the older forms
# with s3-REGION and s3 alone, and the dual-stack one.
_VIRTUAL_HOST = re.compile(
    r"(?P<bucket>.+)\.s3(?:[.-][a-z0-9.-]+)?\.amazonaws\.com(?:\.cn)?", re.ASCII
)


def path_style(url: str) -> str:
    """Return the address with the bucket first in the path; any other address unchanged."""
    parts = urlsplit(url)
    virtual_host = _VIRTUAL_HOST.fullmatch(parts.hostname or "")
    if virtual_host is None:
        return url
    return f"{parts.scheme}://s3.amazonaws.com/{virtual_host['bucket']}{parts.path}"


def install(patcher: Patcher) -> None:
    """Let CloudFormation find templates and stack policies at virtual-hosted addresses."""
    helpers = patcher.ministack.template_helpers

    def resolve_document(params: Mapping[str, Any], body_key: str, url_key: str, label: str) -> Any:
        url = helpers._p(params, url_key)
        if url:
            params = {**params, url_key: [path_style(url)]}
        return resolve_original(params, body_key, url_key, label)

    resolve_original = patcher.replace("template_helpers._resolve_document", resolve_document)
