"""How long calls to AWS wait, and how often they are repeated. Every limit stands here.

Botocore waits 60 s for a connection and 60 s for an answer, unless told otherwise
(`botocore.endpoint.DEFAULT_TIMEOUT`). The standard retry mode then repeats a call after a random
part of 1, 2, 4... s, at most 20 s (`botocore.retries.standard.ExponentialBackoff`).
"""

from dataclasses import dataclass

from botocore.config import Config


@dataclass(frozen=True)
class Limits:
    """The limits of a call.

    `connect` and `read` are the seconds until an attempt gives up: while it connects (to each address
    of the name, TLS included), and while it waits for the next bytes of the answer. `attempts`
    counts the first one too. How long the system looks a name up has no limit here.
    """

    connect: float
    read: float
    attempts: int

    def client_config(self) -> Config:
        """Return the limits as the configuration of a botocore client."""
        return Config(
            connect_timeout=self.connect,
            read_timeout=self.read,
            retries={"mode": "standard", "total_max_attempts": self.attempts},
        )


# For commands that must answer within 10 s although an API is dead. In the worst case, an API that
# accepts the connection and never answers, a call ends after 2.5 + 1 + 2.5 = 6 s.
QUICK = Limits(connect=1.5, read=2.5, attempts=2)

# For commands that change something and shall survive a bad minute of AWS or of the network. The
# waits between the attempts add up to 71 s at most, half of that on average.
PATIENT = Limits(connect=5.0, read=30.0, attempts=8)

# For the first call of a patient command to a region, until that region has answered: a dead one is
# found within 10 s. It waits longer than a quick command does, because a deployment must not fail
# in an account whose list of stacks takes long. For all calls of `doctor` too, which makes many at
# once, so that each waits for the processor.
FIRST_CONTACT = Limits(connect=1.5, read=4.5, attempts=2)

# For the question who is calling, which every command that changes something asks first. The answer is
# shown, and nothing depends on it.
BRIEF = Limits(connect=1.5, read=1.5, attempts=1)
