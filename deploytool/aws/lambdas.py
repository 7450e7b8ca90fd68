"""Lambda functions: their reserved concurrency, as a fault sees it, and which code they have."""

from deploytool.aws.errors import translated
from deploytool.aws.sessions import Clients


class LambdaFunctions:
    """The Functions and FunctionCode ports on boto3."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def reserved_concurrency(self, region: str, name: str) -> int | None:
        """GetFunctionConcurrency."""
        with translated(f"reading the concurrency of {name}"):
            answer = self._clients.get("lambda", region).get_function_concurrency(FunctionName=name)
        reserved = answer.get("ReservedConcurrentExecutions")
        return None if reserved is None else int(reserved)

    def set_reserved_concurrency(self, region: str, name: str, reserved: int | None) -> None:
        """PutFunctionConcurrency, or DeleteFunctionConcurrency for None."""
        client = self._clients.get("lambda", region)
        with translated(f"changing the concurrency of {name}"):
            if reserved is None:
                client.delete_function_concurrency(FunctionName=name)
            else:
                client.put_function_concurrency(
                    FunctionName=name, ReservedConcurrentExecutions=reserved
                )

    def code_hash(self, region: str, name: str) -> str:
        """CodeSha256 of GetFunctionConfiguration."""
        with translated(f"reading the code's hash of {name} in {region}"):
            return str(
                self._clients.get("lambda", region).get_function_configuration(FunctionName=name)[
                    "CodeSha256"
                ]
            )
