"""One health check that watches the data stream of an alarm's metric."""

from deploytool.core.route53.alarms import (
    EVALUATION_INTERVAL,
    AlarmState,
    evaluate,
    is_alarm_healthy,
)
from deploytool.core.route53.health import HealthCheck, HealthCheckConfig
from deploytool.localcloud.ports import MetricData


class AlarmWatch:
    """What is known of the alarm of one health check.

    Its values are replaced and never changed, so that a reader in another thread sees whole ones.
    """

    def __init__(self) -> None:
        self._identifier: object = None
        self._state = AlarmState.INSUFFICIENT_DATA
        self._last_known: bool | None = None
        # The minute and the version of the health check at the last evaluation
        self._evaluated: tuple[float, int] | None = None

    def follow(self, check: HealthCheck, metrics: MetricData) -> None:
        """Evaluate the alarm if a minute has ended since the last time.

        A health check that was created or updated is evaluated at once (our reading). One that is
        disabled, or has another alarm now, forgets what it knew.
        """
        identifier = check.config.alarm_identifier
        if check.config.disabled or identifier != self._identifier:
            self._forget()
            self._identifier = identifier
        if check.config.disabled or identifier is None or check.alarm is None:
            return

        now = metrics.now()
        turn = (now // EVALUATION_INTERVAL, check.version)
        if turn == self._evaluated:
            return
        self._evaluated = turn
        points = metrics.points(identifier.region, check.alarm)
        self._state = evaluate(check.alarm, points, now)
        if self._state != AlarmState.INSUFFICIENT_DATA:
            self._last_known = self._state == AlarmState.OK

    def is_healthy(self, config: HealthCheckConfig) -> bool:
        """Return the verdict under this configuration, with Inverted and Disabled applied."""
        status = config.insufficient_data_health_status
        healthy = config.disabled or is_alarm_healthy(self._state, status, self._last_known)
        return healthy != config.inverted

    def _forget(self) -> None:
        self._state = AlarmState.INSUFFICIENT_DATA
        self._last_known = None
        self._evaluated = None
