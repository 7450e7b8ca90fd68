"""The report as one HTML file: it fetches nothing, runs nothing, prints well."""

from collections.abc import Iterator

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from deploytool.core.drill.judge import Judgement, Verdict
from deploytool.render.report.figures import (
    PHASES,
    Figure,
    epoch,
    figures,
    likely_words,
    milliseconds,
    notable,
    requests_words,
    seconds,
    served_words,
)
from deploytool.render.report.gauge import gauge
from deploytool.render.report.lanes import Kind, Lane, Lanes, lanes
from deploytool.render.report.picture import picture

MARKS = {Verdict.PASS: "✓", Verdict.INCONCLUSIVE: "?", Verdict.FAIL: "✗"}


def page(judgement: Judgement) -> str:
    """The whole page. What comes from outside is escaped by jinja2; the pictures escape theirs
    themselves.
    """
    environment = Environment(
        loader=PackageLoader("deploytool.render.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "seconds": seconds,
        "milliseconds": milliseconds,
        "likely": likely_words,
    }
    shown = figures(judgement)
    observed = lanes(judgement.history)
    return environment.get_template("page.html.j2").render(
        judgement=judgement,
        started=judgement.started,
        mark=MARKS[judgement.verdict],
        figures=[(each, _gauge(each, shown)) for each in shown],
        served=served_words(judgement),
        requests=requests_words(judgement),
        latency=[(phase, judgement.latency[phase]) for phase in PHASES],
        picture=Markup(picture(judgement, observed)),  # noqa: S704  # made by us, every text in it escaped
        timeline=list(notable(judgement)),
        stretches=list(_stretches(observed, epoch(judgement))),
    )


def _gauge(figure: Figure, shown: list[Figure]) -> Markup:
    most = max(
        1.0,
        *(
            value
            for each in shown
            for value in (each.bound, each.likely.most, each.measured or 0.0)
        ),
    )
    return Markup(gauge(figure, most))  # noqa: S704  # numbers and our own words


def _stretches(found: Lanes, start: float) -> Iterator[tuple[str, float, float, str, int]]:
    """The picture as a table: lane, from, until, what it saw, how many probes."""
    checkers = tuple(Lane(f"checker:{each.name}", each.stretches) for each in found.checkers)
    for lane in (Lane("health-check", found.verdict.stretches), *checkers, *found.answering()):
        for each in lane.stretches:
            what = (
                f"failed: {each.text}" if each.kind is Kind.FAILED else each.text or str(each.kind)
            )
            yield lane.name, each.start - start, each.end - start, what, each.probes
