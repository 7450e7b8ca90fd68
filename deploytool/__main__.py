"""`python -m deploytool`, and the `deploytool` command."""

import sys


def run() -> int:
    """Run one command and return the exit code.

    Importing the command line takes most of the time of a short command. Ctrl-C in that time, when
    nothing has begun, ends like Ctrl-C later.
    """
    try:
        from deploytool.cli import main  # noqa: PLC0415  # see above

        return main()
    except KeyboardInterrupt:
        sys.stderr.write("error: interrupted\n")
        return 130


if __name__ == "__main__":
    sys.exit(run())
