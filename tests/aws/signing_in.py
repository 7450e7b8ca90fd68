"""Signs in as each of several users and prints how it ended: a program for test_signing_in.py.

Botocore takes the folders of its caches from HOME when it is imported, so that a test cannot change
them in its own process. Standard input has the environment of each user, and standard output a
document of each: what was read, or the error.
"""

import json
import os
import sys
from typing import Any

from deploytool.aws.limits import QUICK
from deploytool.aws.parameters import ParameterLocks
from deploytool.aws.sessions import Clients
from deploytool.core.errors import DeploytoolError


def sign_in() -> dict[str, Any]:
    """Read a parameter, for which botocore needs credentials."""
    try:
        value = ParameterLocks(Clients(limits=QUICK)).read("us-west-2", "name")
    except DeploytoolError as error:
        return {"error": str(error), "hint": error.hint, "exit_code": error.exit_code}
    except BaseException as error:  # noqa: BLE001  # the test says that there is none
        return {"error": repr(error), "hint": "", "exit_code": 70}
    return {"value": value, "exit_code": 0}


def main() -> None:
    """Sign in as each user."""
    inherited = dict(os.environ)
    ended: list[dict[str, Any]] = []
    for environment in json.loads(sys.argv[1]):
        os.environ.clear()
        os.environ.update(inherited | environment)
        ended.append(sign_in())
    json.dump(ended, sys.stdout)


if __name__ == "__main__":
    main()
