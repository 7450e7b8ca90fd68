"""Lambda functions as a fault sees them: their reserved concurrency."""

from deploytool.aws.errors import translated
from deploytool.aws.sessions import Clients


class LambdaFunctions:
    """The Functions port on boto3."""

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
                client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=reserved)
