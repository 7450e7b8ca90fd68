"""CloudWatch alarms: evaluated as CloudWatch does, on the cloud's calendar.

MiniStack evaluates an alarm only when a data point arrives: on all metrics of its name, whatever
their dimensions, over a window of wall time, without rules for missing data. Sources: CloudWatch
User Guide, "Evaluating an alarm" and "Configuring how CloudWatch alarms treat missing data"; the
rules stand in `core.route53.alarms`.

GetMetricStatistics and GetMetricData still count periods of wall time. Alarms on extended
statistics are still evaluated by MiniStack.
"""

import logging
import threading
from typing import Any

from deploytool.core.route53.alarms import AlarmState, evaluate, evaluation_interval
from deploytool.core.route53.metric_alarms import COMPARISONS, STATISTICS
from deploytool.localcloud.ministack.emulator import MiniStack
from deploytool.localcloud.ministack.metrics import MiniStackMetrics, to_configuration
from deploytool.localcloud.ministack.patches.replace import Patcher

PATCHES = {
    "cloudwatch._evaluate_alarm": "alarms ignore dimensions, missing data and the cloud's time",
    "cloudwatch._put_metric_alarm": "metric math is dropped in silence",
}

# Cloud seconds between two looks at the alarms: the shortest interval of an evaluation.
_LOOK = 10.0

_log = logging.getLogger(__name__)


class AlarmEvaluator:
    """Evaluates every alarm of every region when its turn has come.

    `closing` is set when the cloud ends.
    """

    def __init__(
        self,
        ministack: MiniStack,
        metrics: MiniStackMetrics,
        speed: float,
        closing: threading.Event,
    ) -> None:
        self._cloudwatch = ministack.cloudwatch
        self._responses = ministack.responses
        self._metrics = metrics
        self._speed = speed
        self._closing = closing

    def start(self) -> None:
        """Evaluate in a thread of its own until the cloud ends."""
        threading.Thread(target=self._run, daemon=True, name="cloudwatch-alarms").start()

    def evaluate(self, alarm: dict[str, Any]) -> None:
        """Evaluate an alarm of the calling account and region, and act on a change of state."""
        configuration = to_configuration(alarm)
        if configuration is None:
            return

        region = self._responses.get_region()
        account = self._responses.get_account_id()
        points = self._metrics.points(region, configuration, account)
        before = AlarmState(alarm["StateValue"])
        after = evaluate(
            configuration,
            points,
            self._metrics.now(),
            datapoints_to_alarm=alarm.get("DatapointsToAlarm"),
            treat_missing=alarm.get("TreatMissingData") or "missing",
            current=before,
        )
        if after != before:
            self._change_state(alarm, before, after)

    def _change_state(self, alarm: dict[str, Any], before: AlarmState, after: AlarmState) -> None:
        reason = f"The data of the last {alarm['EvaluationPeriods']} periods shows {after}."
        alarm["StateValue"] = str(after)
        alarm["StateReason"] = reason
        alarm["StateUpdatedTimestamp"] = int(self._responses.now_epoch())
        self._cloudwatch._record_history(alarm["AlarmName"], str(before), str(after), reason)
        self._cloudwatch._dispatch_alarm_actions(alarm, str(before), str(after), reason)
        self._cloudwatch._evaluate_parent_alarms(alarm)

    def _run(self) -> None:
        while not self._closing.wait(self._until_next_look()):
            self._evaluate_all()

    def _until_next_look(self) -> float:
        """Return the wall seconds until the calendar's next multiple of `_LOOK`."""
        return (_LOOK - self._metrics.now() % _LOOK) / self._speed

    def _evaluate_all(self) -> None:
        """Evaluate the alarms whose interval ends with this look."""
        now = self._metrics.now()
        for (account, region, _), alarm in self._cloudwatch._alarms.all_items():
            interval = evaluation_interval(alarm["Period"])
            is_due = now % interval < _LOOK
            if not is_due:
                continue

            self._responses.set_request_account_id(account)
            self._responses.set_request_region(region)
            try:
                self._cloudwatch._evaluate_alarm(alarm)
            except Exception:  # noqa: BLE001  # one alarm must not end the evaluation of the others
                _log.exception("evaluating alarm %s of %s", alarm["AlarmName"], region)


def install(patcher: Patcher, evaluator: AlarmEvaluator) -> None:
    """Evaluate alarms by CloudWatch's rules, and refuse those with metric math."""
    cloudwatch = patcher.ministack.cloudwatch

    def evaluate_alarm(alarm: dict[str, Any]) -> None:
        is_basic = not alarm.get("ExtendedStatistic") and alarm.get("Statistic") in STATISTICS
        if is_basic and alarm.get("ComparisonOperator") in COMPARISONS:
            evaluator.evaluate(alarm)
        else:
            evaluate_original(alarm)

    def put_metric_alarm(
        params: Any,
        cbor_data: dict[str, Any],
        is_cbor: bool,  # noqa: FBT001  # MiniStack's signature
        is_json: bool = False,  # noqa: FBT001, FBT002  # MiniStack's signature
    ) -> Any:
        if cbor_data.get("Metrics") or any(name.startswith("Metrics.") for name in params):
            return cloudwatch._error(
                "ValidationError",
                "Metrics: alarms on metric math are not supported on the local cloud",
                400,
                use_json=is_json,
                use_cbor=is_cbor,
            )
        return put_original(params, cbor_data, is_cbor, is_json)

    evaluate_original = patcher.replace("cloudwatch._evaluate_alarm", evaluate_alarm)
    put_original = patcher.replace("cloudwatch._put_metric_alarm", put_metric_alarm)
    evaluator.start()
