"""GitHub's REST API, as far as the checks of a repository need it.

Sources: GitHub docs, "REST API endpoints for deployment environments" and "REST API endpoints for
GitHub Actions variables".
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import requests
from requests.auth import AuthBase

from deploytool.core.doctor.pipeline import Environment
from deploytool.core.errors import DeploytoolError

TIMEOUT = (3.0, 5.0)  # seconds: to connect, and for each part of the answer
PAGE = 30  # variables, the most of one answer
MOST_PAGES = 10
NOT_FOUND = 404
UNAUTHORIZED = 401
REFUSED = 403

# Fine-grained tokens have a permission for each kind ("Permissions required for fine-grained
# personal access tokens").
PERMISSIONS = (
    "the token needs to read the repository's Actions, Environments and Variables"
    " (a classic one: scope repo); gh auth token prints one"
)


class _Bearer(AuthBase):
    """Sends the token. As an `auth` it keeps requests from taking a password of .netrc instead."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class GitHubRepository:
    """The GitHub port. `repository` is OWNER/NAME, `url` the address of the API."""

    def __init__(self, token: str, repository: str, url: str) -> None:
        self._auth = _Bearer(token)
        self._repository = repository
        self._url = f"{url.rstrip('/')}/repos/{repository}"

    def environment(self, name: str) -> Environment | None:
        """GET an environment. What does not exist and what a token may not see look the same."""
        document = self._get(f"/environments/{quote(name, safe='')}")
        if document is None:
            self._check_visible()
            return None
        rules = document.get("protection_rules") or ()
        types = [rule.get("type") for rule in rules if isinstance(rule, dict)]
        return Environment(
            has_reviewers="required_reviewers" in types,
            # null means that jobs of all branches may run in it
            limits_branches=document.get("deployment_branch_policy") is not None,
        )

    def variables(self, environment: str = "") -> Mapping[str, str]:
        """GET the variables, every page."""
        path = f"/environments/{quote(environment, safe='')}" if environment else "/actions"
        values: dict[str, str] = {}
        for page in range(1, MOST_PAGES + 1):
            document = self._get(f"{path}/variables?per_page={PAGE}&page={page}")
            if document is None:
                raise DeploytoolError(
                    f"GitHub shows this token no variables of {self._repository}", hint=PERMISSIONS
                )
            variables = document.get("variables") or ()
            for variable in variables:
                values[str(variable["name"])] = str(variable["value"])
            if len(variables) < PAGE:
                break
        return values

    def _check_visible(self) -> None:
        """Raise DeploytoolError when the token does not see the repository at all."""
        if self._get("") is None:
            raise DeploytoolError(
                f"GitHub shows this token no repository {self._repository}", hint=PERMISSIONS
            )

    def _get(self, path: str) -> dict[str, Any] | None:
        """Return an answer's document, None when there is no such thing."""
        headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
        try:
            answer = requests.get(
                self._url + path, headers=headers, auth=self._auth, timeout=TIMEOUT
            )
        except requests.RequestException as error:
            raise DeploytoolError(
                f"GitHub does not answer: {_reason(error)}",
                hint="check the network connection, the proxies and GITHUB_API_URL",
            ) from error
        if answer.status_code == NOT_FOUND:
            return None
        return self._document(answer)

    def _document(self, answer: requests.Response) -> dict[str, Any]:
        status = answer.status_code
        try:
            document = answer.json()
        except ValueError:
            document = None
        if status == requests.codes.ok and isinstance(document, dict):
            return document

        message = document.get("message") if isinstance(document, dict) else "no JSON"
        hint = "try again later: https://www.githubstatus.com"
        if status == UNAUTHORIZED:
            hint = "GITHUB_TOKEN or GH_TOKEN is not valid; gh auth token prints one"
        if status == REFUSED:
            hint = PERMISSIONS
        raise DeploytoolError(f"GitHub answers {status}: {message}", hint=hint)


def _reason(error: requests.RequestException) -> str:
    """Return why there was no answer, without the internals that requests puts into its text."""
    match error:
        case requests.exceptions.SSLError():
            return "TLS failed"
        case requests.exceptions.Timeout():
            return "no answer within the time limit"
        case requests.exceptions.ConnectionError():
            return "no connection"
        case _:
            return str(error)
