"""Lambda functions in Python: import what Lambda's runtime has, and nothing of this machine's.

MiniStack runs a function with its own Python, where every package of this machine could be imported.
A function that lacks one in its zip would work here and fail on AWS.
"""

from deploytool.localcloud.ministack.patches.replace import Patcher

PATCHES = {
    "lambda_runtime._PYTHON_WORKER_SCRIPT": "a function can import what is not in its zip",
}

# The SDK and what it needs, the client of the runtime's API, and the library of SnapStart: the
# packages of Lambda's Python runtimes (Lambda Developer Guide, "Building Lambda functions with
# Python", "Runtime-included SDK versions"; aws/aws-lambda-python-runtime-interface-client).
RUNTIME_PACKAGES = (
    "awslambdaric",
    "boto3",
    "botocore",
    "dateutil",
    "jmespath",
    "s3transfer",
    "simplejson",
    "six",
    "snapshot_restore_py",
    "urllib3",
)

# Runs first in the process of a function. The packages above are found last, so that the function's
# own versions of them count.
_PRELUDE = f"""
def _import_as_on_lambda():
    import os, sys, sysconfig
    from importlib.machinery import BuiltinImporter, FrozenImporter, PathFinder

    def real(path):
        return os.path.realpath(path) + os.sep

    roots = [real(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib")]
    own = real(sys.path[0])
    kept, others = [], []
    for path in sys.path:
        is_site = "site-packages" in path or "dist-packages" in path
        is_standard = real(path) == own or path.endswith(".zip") or any(
            real(path).startswith(root) for root in roots
        )
        (kept if is_standard and not is_site else others).append(path)
    sys.path[:] = kept

    class RuntimePackages:
        @staticmethod
        def find_spec(name, path=None, target=None):
            if path is None and name in {RUNTIME_PACKAGES!r}:
                return PathFinder.find_spec(name, others)
            return None

    standard = (BuiltinImporter, FrozenImporter, PathFinder)
    sys.meta_path[:] = [finder for finder in sys.meta_path if finder in standard]
    sys.meta_path.append(RuntimePackages)

_import_as_on_lambda()
"""


def install(patcher: Patcher) -> None:
    """Put the prelude before the script that each process of a function runs."""
    script = patcher.ministack.lambda_runtime._PYTHON_WORKER_SCRIPT
    patcher.replace("lambda_runtime._PYTHON_WORKER_SCRIPT", _PRELUDE + script)
