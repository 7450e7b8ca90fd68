"""How long CloudFormation takes over a resource, for a local cloud that is to take as long: a
model, not AWS.

The seconds of a creation are modelled on measured values; that a deletion takes half is a guess.
AWS varies from run to run, the model does not. A stack takes the sum of its resources, one after
another, which is how the emulator makes them; AWS makes those that do not depend on each other side
by side.
"""

from collections.abc import Iterable
from dataclasses import dataclass

SECONDS = {
    "AWS::Route53::HostedZone": 35.0,
    "AWS::Route53::RecordSet": 32.0,
    "AWS::Route53::RecordSetGroup": 32.0,
    "AWS::Route53::HealthCheck": 2.0,
    "AWS::CertificateManager::Certificate": 75.0,
    "AWS::IAM::Role": 16.0,
    "AWS::Lambda::Function": 7.0,
    "AWS::Lambda::Permission": 6.0,
    "AWS::ApiGateway::RestApi": 2.0,
    "AWS::ApiGateway::Stage": 1.5,
    "AWS::ApiGateway::DomainName": 12.0,
    "AWS::ApiGateway::BasePathMapping": 2.0,
    "AWS::S3::Bucket": 16.0,
    "AWS::S3::BucketPolicy": 2.0,
}
OTHER = 1.0
DELETION = 0.5  # of the seconds that the creation takes: a guess


@dataclass(frozen=True)
class Durations:
    """The model at a scale: 1 is its own seconds, 0.1 a tenth of them, 0 no time at all."""

    scale: float

    def creation(self, resource_type: str) -> float:
        """Seconds to create a resource, or to update one."""
        return SECONDS.get(resource_type, OTHER) * self.scale

    def deletion(self, resource_type: str) -> float:
        """Seconds to delete a resource."""
        return DELETION * self.creation(resource_type)

    def stack(self, resource_types: Iterable[str]) -> float:
        """Seconds to create a stack of these resources."""
        return sum(map(self.creation, resource_types))
