"""What a mistyped command line is answered with."""

import json

import pytest

from deploytool.cli import main


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["deplooy"], "invalid choice: 'deplooy'; did you mean 'deploy'?"),
        (
            ["deploy", "--stge", "dev"],
            "unrecognized arguments: --stge dev; did you mean '--stage'?",
        ),
        (["local", "brek", "us-east-1"], "invalid choice: 'brek'; did you mean 'break'?"),
        (["plan", "--output", "jsn"], "invalid choice: 'jsn'; did you mean 'json'?"),
        (["local", "break", "us-east-1", "--how", "refsue"], "did you mean 'refuse'?"),
    ],
)
def test_a_mistyped_word_is_answered_with_the_one_that_was_meant(
    capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    """The list of all that there are is left out when one of them is meant."""
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_a_word_that_resembles_none_is_answered_with_all(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Here of a command; the words of the user do not act on the terminal."""
    with pytest.raises(SystemExit):
        main(["\x1b[2Jxyzzy"])
    error = capsys.readouterr().err
    assert "deploy" in error
    assert "failback" in error
    assert "\x1b" not in error


@pytest.mark.parametrize("words", [["--output", "json"], ["--output=json"]])
def test_a_command_line_that_cannot_be_parsed_is_a_document_too(
    capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    """A program that reads standard output gets the error and the exit code."""
    with pytest.raises(SystemExit) as ended:
        main(["plan", "--stge", "dev", *words])
    document = json.loads(capsys.readouterr().out)
    assert document["exit_code"] == ended.value.code == 2
    assert "did you mean '--stage'?" in document["error"]
