"""Write a fork of this repository: another project, domain, stages and regions.

    python tests/fork.py FOLDER && make -C FOLDER lint test

What `deploytool init` adapts is adapted, and nothing else: the tests of a fork must be green.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from deploytool.core.project.starter import CONFIG, Answers, project_files
from deploytool.files.starter import read_starter

ROOT = Path(__file__).resolve().parents[1]
ANSWERS = Answers("orders", "acme.example", ("eu-west-1", "ap-southeast-2"), ("qa", "prod"))


def main() -> int:
    """Clone what is committed, and adapt it. Return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="a folder that does not exist yet")
    folder = parser.parse_args().folder
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    starter = read_starter()
    for path, content in project_files(starter, ANSWERS, "0").items():
        if path == CONFIG or (path in starter and content != starter[path]):
            (folder / path).write_bytes(content)
            sys.stdout.write(f"{path} is adapted\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
