"""Template addresses with the bucket in the host name: MiniStack takes the path's first part for
it, whatever the host.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from deploytool.localcloud.ministack.emulator import MiniStack

# The S3 User Guide, "Virtual hosting of buckets": BUCKET.s3.REGION.amazonaws.com, the older forms
# with s3-REGION and s3 alone, and the dual-stack one.
_VIRTUAL_HOST = re.compile(
    r"(?P<bucket>.+)\.s3(?:[.-][a-z0-9.-]+)?\.amazonaws\.com(?:\.cn)?", re.ASCII
)


def path_style(url: str) -> str:
    """The same address with the bucket as the path's first part; any other address as it is."""
    parts = urlsplit(url)
    virtual = _VIRTUAL_HOST.fullmatch(parts.hostname or "")
    return f"{parts.scheme}://s3.amazonaws.com/{virtual['bucket']}{parts.path}" if virtual else url


def install(ministack: MiniStack) -> None:
    """Let CloudFormation find templates and stack policies at such addresses."""
    helpers = ministack.template_helpers
    theirs = helpers._resolve_document

    def resolve(params: Mapping[str, Any], body_key: str, url_key: str, label: str) -> Any:
        url = helpers._p(params, url_key)
        return theirs(
            {**params, url_key: [path_style(url)]} if url else params, body_key, url_key, label
        )

    helpers._resolve_document = resolve
