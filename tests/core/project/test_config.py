"""deploytool.toml: what is accepted, and that each problem names its key and its fix."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploytool.core.errors import InputError
from deploytool.core.project.config import parse_config
from deploytool.core.route53.names import domain_problem

GOOD = """
project = "hello"
domain = "example.com"
regions = ["us-east-1", "us-west-2"]
[stages.dev]
settings = { request_interval = 30 }
[stages.prod]
"""


def problems_of(text: str) -> dict[str, str]:
    with pytest.raises(InputError) as caught:
        parse_config(text, "deploytool.toml")
    assert caught.value.exit_code == 2
    return {problem.key: problem.message for problem in caught.value.problems}


def test_a_good_file_gives_its_stages_with_their_domains() -> None:
    """By default prod answers at the domain itself, and another stage at a name below it."""
    config = parse_config(GOOD, "deploytool.toml")
    assert config.regions == ("us-east-1", "us-west-2")
    assert {name: stage.domain for name, stage in config.stages.items()} == {
        "dev": "dev.example.com",
        "prod": "example.com",
    }
    assert config.stages["dev"].settings == {"request_interval": 30}


def test_a_setting_may_have_a_value_for_each_region() -> None:
    """A setting that differs by region, like an ARN, is kept apart from the common ones."""
    config = parse_config(
        GOOD.replace("30 }", '30, arn = { us-east-1 = "a", us-west-2 = "b" } }'), "deploytool.toml"
    )
    stage = config.stages["dev"]
    assert stage.settings == {"request_interval": 30}
    assert stage.regional == {"us-east-1": {"arn": "a"}, "us-west-2": {"arn": "b"}}


@pytest.mark.parametrize(
    ("change", "key", "says"),
    [
        (('project = "hello"', 'projet = "hello"'), "projet", "did you mean 'project'"),
        (('project = "hello"', 'project = "Hello World"'), "project", "lower-case"),
        (('domain = "example.com"', 'domain = "https://example.com/"'), "domain", "no scheme"),
        (('domain = "example.com"', 'domain = "localhost"'), "domain", "not a domain name"),
        (("us-west-2", "us-east-1"), "regions", "is listed twice"),
        (("us-west-2", "oregon"), "regions", "not an AWS region"),
        ((', "us-west-2"', ""), "regions", "two regions"),
        (("[stages.dev]", "[stages.Dev-1]"), "stages.Dev-1", "lower-case letters and digits"),
        (
            ("[stages.dev]", '[stages.dev]\ndomian = "x.example.com"'),
            "stages.dev.domian",
            "did you mean 'domain'",
        ),
        (
            ("[stages.dev]", '[stages.dev]\ndomain = "example.com"'),
            "stages.prod.domain",
            "is the domain of stage dev too",
        ),
        (("30 }", "1.5 }"), "stages.dev.settings.request_interval", "whole number"),
        (("30 }", "[1] }"), "stages.dev.settings.request_interval", "a list of texts"),
        (
            ("30 }", "{ us-east-1 = 10 } }"),
            "stages.dev.settings.request_interval",
            "{ us-east-1 = ..., us-west-2 = ... }",
        ),
        (
            ("30 }", "{ us-east-1 = 10, us-west-2 = [] } }"),
            "stages.dev.settings.request_interval",
            "for each region",
        ),
    ],
)
def test_each_problem_names_its_key_and_the_fix(
    change: tuple[str, str], key: str, says: str
) -> None:
    """Each kind of bad input gives one message at its own key."""
    assert change[0] in GOOD
    assert says in problems_of(GOOD.replace(*change))[key]


def test_all_problems_are_reported_at_once() -> None:
    """One run is enough to fix a file."""
    assert problems_of('regions = ["us-east-1", "us-east-1"]\nflavour = 1').keys() == {
        "project",
        "domain",
        "regions",
        "stages",
        "flavour",
    }


def test_text_that_is_not_toml_is_one_problem_with_the_line() -> None:
    """A syntax error names its line."""
    assert "line 1" in problems_of("project = = 1")[""]


def test_a_stage_must_be_named_when_there_are_several() -> None:
    """The tool does not choose a stage when there are several."""
    config = parse_config(GOOD, "deploytool.toml")
    with pytest.raises(InputError, match=r"dev, prod.*--stage"):
        config.stage(None)
    with pytest.raises(InputError, match="no such stage"):
        config.stage("test")
    assert config.stage("dev").name == "dev"


@given(st.text(max_size=80))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    """Any text is either a configuration or an InputError."""
    with suppress(InputError):
        parse_config(text, "deploytool.toml")


@given(st.lists(st.from_regex(r"[a-z0-9]{1,10}", fullmatch=True), min_size=2, max_size=4))
def test_plain_labels_make_a_domain(labels: list[str]) -> None:
    """Labels of letters and digits are accepted."""
    assert domain_problem(".".join(labels)) is None


def test_a_misspelled_key_gives_one_message() -> None:
    """The key that was meant is not reported as missing too."""
    assert problems_of(
        'projekt = "hello"\ndomain = "example.com"\nregions = ["us-east-1", "us-west-2"]\n[stages.dev]'
    ).keys() == {"projekt"}
