"""What a SAM template becomes: the resources that CloudFormation creates for it.

`aws-sam-translator` is the program with which AWS expands SAM (aws/serverless-application-model).
deploytool sends the template unexpanded; what it becomes matters for the permissions of the roles.
"""

import copy
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from types import SimpleNamespace
from typing import Any

from deploytool.core.errors import InputError, InputProblem, NotInstalled
from deploytool.core.transforms import SERVERLESS, transforms_of

# The translator asks for the region of a session instead of taking it as an argument.
_REGION = "AWS_DEFAULT_REGION"


def expanded(
    document: Mapping[str, Any], file: str, region: str, parameters: Mapping[str, str]
) -> Mapping[str, Any]:
    """Return a template with its SAM resources expanded, and any other template as it is.

    `parameters` are those whose values are known. Raises InputError when the translator refuses the
    template, and NotInstalled when it is not installed.
    """
    if SERVERLESS not in transforms_of(document):
        return document

    try:
        # Imported here, because it takes a second, for SAM templates alone.
        exceptions = import_module("samtranslator.model.exceptions")
        translator = import_module("samtranslator.translator.transform")
    except ModuleNotFoundError as error:
        raise NotInstalled(
            f"{file} is a SAM template, and {error.name} is not installed",
            hint="pip install 'deploytool[lint]'",
        ) from error

    # Its own log lines repeat the errors that it raises.
    logging.getLogger("samtranslator").setLevel(logging.CRITICAL)
    # Names of managed policies are only looked up for their ARNs.
    managed_policies = SimpleNamespace(load=dict)
    with _session_region(region):
        try:
            result: Mapping[str, Any] = translator.transform(
                copy.deepcopy(dict(document)), dict(parameters), managed_policies
            )
        except exceptions.InvalidDocumentException as error:
            causes = [cause.message for cause in error.causes]
            problems = [InputProblem(file, "Resources", cause) for cause in causes]
            raise InputError(sorted(problems)) from error
    return result


@contextmanager
def _session_region(region: str) -> Iterator[None]:
    """Set the region of AWS sessions for a while."""
    before = os.environ.get(_REGION)
    os.environ[_REGION] = region
    try:
        yield
    finally:
        if before is None:
            del os.environ[_REGION]
        else:
            os.environ[_REGION] = before
