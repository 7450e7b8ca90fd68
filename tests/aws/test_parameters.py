"""Parameters of Systems Manager as locks and as drill records, against botocore's own model."""

import pytest
from botocore.stub import Stubber

from deploytool.aws.parameters import ParameterLocks, SsmDrillRecords
from deploytool.aws.sessions import Clients
from deploytool.core.drill.record import SCHEMA_VERSION, DrillRecord, DrillUnderWay
from deploytool.core.errors import CloudRefused, DeploytoolError

NAME = "/deploytool/hello/dev/deploy"
PUT = {"Name": NAME, "Value": "v", "Type": "String"}


@pytest.fixture
def service() -> str:
    return "ssm"


@pytest.fixture
def locks(clients: Clients) -> ParameterLocks:
    return ParameterLocks(clients)


def test_only_the_first_caller_creates_a_lock(stub: Stubber, locks: ParameterLocks) -> None:
    """The second one learns that it exists. Its holder can renew it."""
    stub.add_response("put_parameter", {"Version": 1}, {**PUT, "Overwrite": False})
    stub.add_client_error("put_parameter", "ParameterAlreadyExists")
    assert locks.make("us-east-1", NAME, "v") is True
    assert locks.make("us-east-1", NAME, "v") is False
    stub.add_response("put_parameter", {"Version": 2}, {**PUT, "Overwrite": True})
    locks.renew("us-east-1", NAME, "v")


def test_a_lock_that_does_not_exist_is_no_error(stub: Stubber, locks: ParameterLocks) -> None:
    """Reading it gives None, and removing it does nothing."""
    stub.add_response("get_parameter", {"Parameter": {"Value": "v"}}, {"Name": NAME})
    stub.add_client_error("get_parameter", "ParameterNotFound")
    assert locks.read("us-east-1", NAME) == "v"
    assert locks.read("us-east-1", NAME) is None
    stub.add_client_error("delete_parameter", "ParameterNotFound")
    locks.remove("us-east-1", NAME)


def test_a_missing_permission_is_an_error(stub: Stubber, locks: ParameterLocks) -> None:
    """In each of the calls."""
    for method in ("get_parameter", "put_parameter", "delete_parameter"):
        stub.add_client_error(method, "AccessDeniedException", "ssm")
    for call in (
        lambda: locks.read("r", NAME),
        lambda: locks.make("r", NAME, "v"),
        lambda: locks.remove("r", NAME),
    ):
        with pytest.raises(CloudRefused, match="ssm"):
            call()


RECORD_NAME = "/deploytool/hello/dev/drill"


def record_of(drill_id: str) -> DrillRecord:
    started, until = "2026-01-02T03:04:05Z", "2026-01-02T03:14:05Z"
    return DrillRecord(SCHEMA_VERSION, drill_id, "any", "dev", "a test", started, until, ())


@pytest.fixture
def records(clients: Clients) -> SsmDrillRecords:
    return SsmDrillRecords(clients, "us-west-2", RECORD_NAME)


def add_existing(stub: Stubber, drill_id: str) -> None:
    """Let the next read find the record of this drill."""
    answer = {"Parameter": {"Value": record_of(drill_id).to_json()}}
    stub.add_response("get_parameter", answer, {"Name": RECORD_NAME})


def test_of_two_drills_only_one_writes_its_record(stub: Stubber, records: SsmDrillRecords) -> None:
    """The other one learns whose record exists."""
    stub.add_client_error("put_parameter", "ParameterAlreadyExists")
    add_existing(stub, "first")
    with pytest.raises(DrillUnderWay) as caught:
        records.write(record_of("second"))
    assert caught.value.record == record_of("first")


def test_a_record_whose_answer_was_lost_is_written(stub: Stubber, records: SsmDrillRecords) -> None:
    """Botocore repeats the call, which finds the record of the same drill."""
    stub.add_client_error("put_parameter", "ParameterAlreadyExists")
    add_existing(stub, "first")
    records.write(record_of("first"))


def test_a_record_that_is_deleted_meanwhile_is_an_error(
    stub: Stubber, records: SsmDrillRecords
) -> None:
    """The other drill has just ended."""
    stub.add_client_error("put_parameter", "ParameterAlreadyExists")
    stub.add_client_error("get_parameter", "ParameterNotFound")
    with pytest.raises(DeploytoolError, match="has just ended"):
        records.write(record_of("second"))


def test_a_drill_deletes_only_its_own_record(stub: Stubber, records: SsmDrillRecords) -> None:
    """Without a record there is nothing to delete."""
    add_existing(stub, "first")
    records.clear("second")
    stub.add_client_error("get_parameter", "ParameterNotFound")
    records.clear("second")
    add_existing(stub, "first")
    stub.add_response("delete_parameter", {}, {"Name": RECORD_NAME})
    records.clear("first")
