"""The message of an input with problems."""

import pytest

from deploytool.core.errors import MOST_PROBLEMS, InputError, InputProblems
from deploytool.core.project.config import parse_config
from deploytool.core.project.graphparser import parse_graph_file


def test_a_message_shows_the_first_problems() -> None:
    """A file with many problems has one fault that makes them all. The error has every one."""
    problems = InputProblems("file")
    for number in range(1000):
        problems.add(f"key{number:04}", "is wrong")
    error = problems.error()
    lines = str(error).splitlines()
    assert len(lines) == MOST_PROBLEMS + 1
    assert lines[0] == "file: key0000: is wrong"
    assert lines[-1] == "... and 950 more problems"
    assert len(error.problems) == 1000


@pytest.mark.parametrize("count", [0, 1, MOST_PROBLEMS])
def test_a_few_problems_are_all_shown(count: int) -> None:
    """Nothing is said of more problems where there are none."""
    problems = InputProblems("file")
    for number in range(count):
        problems.add(f"key{number:04}", "is wrong")
    assert len(str(problems.error()).splitlines()) == count


def test_many_unknown_keys_are_one_short_message() -> None:
    """Each is compared with the known ones only as long as somebody reads it."""
    text = "\n".join(f"unknown{number} = 1" for number in range(20_000))
    with pytest.raises(InputError) as caught:
        parse_config(text, "deploytool.toml")
    assert len(str(caught.value)) < 20_000
    text = "\n".join(f"unknown{number}: 1" for number in range(20_000))
    with pytest.raises(InputError) as caught:
        parse_graph_file(text, "stacks.yaml")
    assert len(str(caught.value)) < 20_000


def test_a_section_with_too_many_entries_is_refused() -> None:
    """No account has so many stacks, and a graph of them would take minutes."""
    entries = "\n".join(f"  s{number}: {{template: t.yaml}}" for number in range(501))
    with pytest.raises(InputError, match=r"stacks: has 501 entries; at most 500 are read"):
        parse_graph_file(f"stacks:\n{entries}", "stacks.yaml")


@pytest.mark.parametrize("nested", ["a = " + "[" * 50_000, "a = " + "{b = " * 50_000])
def test_a_nested_configuration_is_refused(nested: str) -> None:
    """It is bad input and no bug of deploytool."""
    with pytest.raises(InputError, match="not valid TOML"):
        parse_config(nested, "deploytool.toml")
