"""Tags of the user's own: what AWS takes, and that a change of them is an update."""

import pytest

from deploytool.core.errors import InputError
from deploytool.core.project.config import Config, parse_config
from deploytool.core.project.tags import MOST_TAGS

TEXT = """
project = "hello"
domain = "example.com"
regions = ["us-east-1", "us-west-2"]
[tags]
team = "orders"
"cost center" = "4711"
[stages.dev]
[stages.prod]
tags = { team = "shop", "data:class" = "public" }
"""


def parse(tags: str, stage: str = "") -> Config:
    text = TEXT[: TEXT.index("[stages.prod]")]
    text = text.replace('team = "orders"\n"cost center" = "4711"', tags)
    return parse_config(text.replace("[stages.dev]", f"[stages.dev]\n{stage}"), "deploytool.toml")


def test_a_stage_has_the_project_s_tags_and_its_own_in_their_place() -> None:
    """`[tags]` is for all stages, `[stages.NAME.tags]` for one."""
    stages = parse_config(TEXT, "deploytool.toml").stages
    assert stages["dev"].tags == {"team": "orders", "cost center": "4711"}
    assert stages["prod"].tags == {"team": "shop", "cost center": "4711", "data:class": "public"}


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ("team = 5", r"tags\.team: 5 is not text"),
        ('team = ""', r"tags\.team: a value has 1 to 255 characters; this one has 0"),
        (f'team = "{"x" * 256}"', r"tags\.team: a value has 1 to 255"),
        (f'{"x" * 128} = "x"', "a key has 1 to 127"),
        ('"" = "x"', "a key has 1 to 127"),
        ('"AWS:team" = "x"', "AWS reserves keys"),
        ('team = "aws:x"', "AWS reserves values"),
        ('"deploytool:project" = "x"', "deploytool's own tags"),
        ('"team!" = "x"', "letters, digits, spaces"),
        ('team = "a, b"', "letters, digits, spaces"),
        ('team = "a\\nb"', "letters, digits, spaces"),
        ('Team = "a"\nteam = "b"', r"tags\.team: differs from 'Team' only in"),
        ("\n".join(f't{n} = "x"' for n in range(MOST_TAGS + 1)), "has 41 tags; 40 are possible"),
    ],
)
def test_tags_that_a_service_refuses_are_refused_before_the_first_call(
    tags: str, message: str
) -> None:
    """A resource would fail for its tags in the middle of a deployment."""
    with pytest.raises(InputError, match=message) as caught:
        parse(tags)
    assert caught.value.exit_code == 2


def test_tags_of_project_and_stage_are_counted_together() -> None:
    """The key of the problem is that of the stage, whose tags make it too many."""
    tags = "\n".join(f't{n} = "x"' for n in range(MOST_TAGS))
    assert len(parse(tags).stages["dev"].tags) == MOST_TAGS
    with pytest.raises(InputError, match=r"stages\.dev\.tags: has 41"):
        parse(tags, 'tags = { one = "more" }')
    with pytest.raises(InputError, match=r"stages\.dev\.tags: must be a table"):
        parse(tags, "tags = []")
