"""`python -m deploytool.localcloud`: run a local cloud in the foreground, until SIGTERM or Ctrl-C.

`lifecycle.up` starts this.
"""

import asyncio
import os
import sys
from collections.abc import Sequence

from deploytool.core.errors import DeploytoolError
from deploytool.localcloud.settings import parse_arguments
from deploytool.localcloud.state import State


def main(arguments: Sequence[str]) -> int:
    """Return the process's exit code: 0 after an orderly end."""
    try:
        # Imported here, so that a missing library is reported as an error message.
        from deploytool.localcloud.cloud import run  # noqa: PLC0415
    except ModuleNotFoundError as error:
        sys.stderr.write(
            f"error: the local cloud needs {error.name}; pip install 'deploytool[local]'\n"
        )
        return DeploytoolError.exit_code

    try:
        settings, ready = parse_arguments(arguments)

        def on_ready(state: State) -> None:
            if ready is not None:
                os.write(ready, b"ready")
                os.close(ready)
            sys.stderr.write(
                f"ready: AWS API {state.endpoint_url}, DNS {state.dns}, "
                f"HTTPS port {state.https_port}\n"
            )

        asyncio.run(run(settings, on_ready))
    except DeploytoolError as error:
        sys.stderr.write(f"error: {error}\n")
        if error.hint:
            sys.stderr.write(f"hint: {error.hint}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
