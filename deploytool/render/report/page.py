"""The report as one HTML file: it loads nothing, runs no script, and prints well."""

from collections.abc import Iterator
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined

from deploytool.core.drill.judge import Judgement
from deploytool.render.drill.figures import (
    NO_STAGE,
    PHASES,
    figures,
    likely_range,
    milliseconds,
    request_counts,
    seconds,
    serving_regions,
    stay_note,
    time_note,
)
from deploytool.render.drill.timeline import timeline_rows, zero_second
from deploytool.render.marks import VERDICTS
from deploytool.render.report.canvas import PATTERNED
from deploytool.render.report.gauge import gauges
from deploytool.render.report.lanes import Kind, Lane, Lanes, Stretch, lanes
from deploytool.render.report.picture import picture


@dataclass(frozen=True)
class StretchRow:
    """A row of the table with the picture's data. Times are in seconds since the injection."""

    lane: str
    start: float
    end: float
    result: str
    probes: int


def page(judgement: Judgement) -> str:
    """Return the page. Jinja escapes every text in it, in the pictures too."""
    shown = figures(judgement)
    observed = lanes(judgement.history)
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            judgement=judgement,
            started=judgement.started,
            no_stage=NO_STAGE,
            mark=VERDICTS[judgement.verdict].symbol,
            figures=list(zip(shown, gauges(shown), strict=True)),
            serving_regions=serving_regions(judgement),
            request_counts=request_counts(judgement),
            latency=[(phase, judgement.latency[phase]) for phase in PHASES],
            picture=picture(judgement, observed),
            timeline=list(timeline_rows(judgement)),
            stretches=list(_stretch_rows(observed, zero_second(judgement))),
            time_note=time_note(judgement),
            stay_note="" if judgement.stay is None else stay_note(judgement.stay),
        )
    )


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("deploytool.render.report"),
        # Names, reasons and lanes come from outside: a domain, an answer, an error message
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # The key of the picture shows the same patterns as the picture
    environment.globals["patterned"] = PATTERNED
    environment.filters["seconds"] = seconds
    environment.filters["milliseconds"] = milliseconds
    environment.filters["likely_range"] = likely_range
    environment.filters["px"] = _pixels
    return environment


def _pixels(value: float) -> str:
    """Show a coordinate to a tenth of a pixel, which is finer than a screen."""
    return f"{round(value, 1):g}"


def _stretch_rows(observed: Lanes, zero: float) -> Iterator[StretchRow]:
    """Yield the stretches of all lanes, lane by lane, in the order of the picture."""
    health_check = Lane("health-check", observed.verdict.stretches)
    checkers = [Lane(f"checker:{lane.name}", lane.stretches) for lane in observed.checkers]
    for lane in (health_check, *checkers, *observed.answering()):
        for stretch in lane.stretches:
            start = stretch.start - zero
            end = stretch.end - zero
            yield StretchRow(lane.name, start, end, _result(stretch), stretch.probes)


def _result(stretch: Stretch) -> str:
    if stretch.kind is Kind.FAILED:
        return f"failed: {stretch.text}"
    return stretch.text or str(stretch.kind)
