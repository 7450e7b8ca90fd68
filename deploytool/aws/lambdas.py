"""Lambda functions: their reserved concurrency, which a fault changes, and the hash of their code."""

from typing import TYPE_CHECKING

from deploytool.aws.errors import translated
from deploytool.aws.sessions import Clients

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


class LambdaFunctions:
    """The Functions and FunctionCode ports on botocore."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def reserved_concurrency(self, region: str, name: str) -> int | None:
        """GetFunctionConcurrency."""
        with translated(f"reading the concurrency of {name}"):
            answer = self._client(region).get_function_concurrency(FunctionName=name)
        return answer.get("ReservedConcurrentExecutions")

    def set_reserved_concurrency(self, region: str, name: str, reserved: int | None) -> None:
        """PutFunctionConcurrency, or DeleteFunctionConcurrency for None."""
        client = self._client(region)
        with translated(f"changing the concurrency of {name}"):
            if reserved is None:
                client.delete_function_concurrency(FunctionName=name)
            else:
                client.put_function_concurrency(
                    FunctionName=name, ReservedConcurrentExecutions=reserved
                )

    def code_hash(self, region: str, name: str) -> str:
        """CodeSha256 of GetFunctionConfiguration."""
        with translated(f"reading the hash of the code of {name} in {region}"):
            answer = self._client(region).get_function_configuration(FunctionName=name)
            return answer["CodeSha256"]

    def _client(self, region: str) -> "LambdaClient":
        return self._clients.get("lambda", region)
