"""What deploytool reads of a template that CloudFormation expands, and what it refuses there."""

from typing import Any

import pytest

from deploytool.core.project.limits import template_problems
from deploytool.core.project.template import load_yaml, parse_template
from deploytool.core.transforms import declared_resources, is_expanded, only_on_aws, transforms_of

LOOP = """
Transform: AWS::LanguageExtensions
Resources:
  Fn::ForEach::Topics:
    - Kind
    - [Orders, Alarms]
    - Topic${Kind}: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Sub "${Kind} topic"}}
  Queue: {Type: AWS::SQS::Queue}
"""
INCLUDED = """
Resources:
  Topic: {Type: AWS::SNS::Topic}
  Fn::Transform: {Name: AWS::Include, Parameters: {Location: s3://bucket/more.yaml}}
"""


def document(text: str) -> Any:
    return load_yaml(text, "t.yaml")


def problems(text: str) -> list[tuple[str, str]]:
    return list(template_problems(parse_template(text, "t.yaml")))


class TestResources:
    """The resources that a template declares."""

    def test_of_a_loop_over_literals(self) -> None:
        """A loop declares a resource for each value, beside those without a loop."""
        template = parse_template(LOOP, "t.yaml")
        assert template.resources == {
            "TopicOrders": "AWS::SNS::Topic",
            "TopicAlarms": "AWS::SNS::Topic",
            "Queue": "AWS::SQS::Queue",
        }
        assert problems(LOOP) == []

    @pytest.mark.parametrize("collection", ["!Ref Kinds", "[!Ref First, Second]"])
    def test_of_a_loop_over_something_else(self, collection: str) -> None:
        """Where the values are not known, the name keeps the placeholder, and the type is known."""
        template = parse_template(LOOP.replace("[Orders, Alarms]", collection), "t.yaml")
        assert template.resources["Topic${Kind}"] == "AWS::SNS::Topic"

    def test_of_nested_loops(self) -> None:
        """A loop within a loop multiplies; `&{X}` leaves out what a name may not have."""
        text = """
Transform: AWS::LanguageExtensions
Resources:
  Fn::ForEach::Outer:
    - X
    - [a.b, c]
    - Fn::ForEach::Inner:
        - Y
        - ['1', '2']
        - R&{X}${Y}: {Type: AWS::SNS::Topic}
"""
        assert set(declared_resources(document(text))) == {"Rab1", "Rab2", "Rc1", "Rc2"}

    def test_beside_an_include(self) -> None:
        """A transform beside the resources is none of them."""
        assert parse_template(INCLUDED, "t.yaml").resources == {"Topic": "AWS::SNS::Topic"}
        assert problems(INCLUDED) == []

    @pytest.mark.parametrize("broken", ["[Kind, [a]]", "text", "[Kind, [a], text]", "{}"])
    def test_of_a_broken_loop(self, broken: str) -> None:
        """A loop of another form declares nothing and raises nothing."""
        text = (
            "Transform: AWS::LanguageExtensions\nResources:\n"
            f"  Fn::ForEach::L: {broken}\n  Queue: {{Type: AWS::SQS::Queue}}\n"
        )
        assert set(declared_resources(document(text))) == {"Queue"}


class TestTransforms:
    """The transforms of a template."""

    @pytest.mark.parametrize(
        ("text", "names"),
        [
            ("Transform: AWS::Serverless-2016-10-31", ("AWS::Serverless-2016-10-31",)),
            (
                "Transform: [AWS::LanguageExtensions, {Name: Mine, Parameters: {A: b}}]",
                ("AWS::LanguageExtensions", "Mine"),
            ),
            ("Resources: {A: {Properties: {Fn::Transform: {Name: Mine}}}}", ("Mine",)),
            (
                "Mappings: {Fn::Transform: [{Name: AWS::Include}, {Name: Mine}]}",
                ("AWS::Include", "Mine"),
            ),
            ("Resources: {}", ()),
        ],
    )
    def test_names(self, text: str, names: tuple[str, ...]) -> None:
        """They are at the top and within sections, with and without parameters."""
        assert transforms_of(document(text)) == names

    def test_only_on_aws(self) -> None:
        """A macro of the account and AWS's rarer transforms need AWS."""
        text = "Transform: [AWS::LanguageExtensions, Mine, AWS::CodeDeployBlueGreen]"
        assert only_on_aws(document(text)) == ("Mine", "AWS::CodeDeployBlueGreen")

    def test_keys(self) -> None:
        """A loop and a transform stand for something else; a resource does not."""
        assert [key for key in ("Fn::ForEach::A", "Fn::Transform", "A") if is_expanded(key)] == [
            "Fn::ForEach::A",
            "Fn::Transform",
        ]


class TestRefused:
    """What CloudFormation refuses is a problem before any call."""

    @pytest.mark.parametrize(
        ("text", "key", "message"),
        [
            (
                LOOP.replace("Transform: AWS::LanguageExtensions", ""),
                "Resources.Fn::ForEach::Topics",
                "a loop needs `Transform: AWS::LanguageExtensions` in the template",
            ),
            (
                (
                    "Transform: [AWS::Serverless-2016-10-31, AWS::LanguageExtensions]\n"
                    "Resources: {A: {Type: AWS::SNS::Topic}}"
                ),
                "Transform",
                "AWS::LanguageExtensions must come before AWS::Serverless-2016-10-31",
            ),
            (
                INCLUDED.replace("s3://bucket/", "./"),
                "Fn::Transform",
                "AWS::Include takes an s3:// address, and not './more.yaml'",
            ),
            (
                (
                    "Resources: {Child: {Type: AWS::CloudFormation::Stack,"
                    " Properties: {TemplateURL: child.yaml}}}"
                ),
                "Resources.Child.Properties.TemplateURL",
                (
                    "'child.yaml' is no https address, and CloudFormation takes a nested template from"
                    " S3 alone; store it there, or make it a stack of the graph"
                ),
            ),
            (
                (
                    "Transform: AWS::Serverless-2016-10-31\n"
                    "Resources: {F: {Type: AWS::Serverless::Function, Properties: {CodeUri: src/}}}"
                ),
                "Resources.F.Properties.CodeUri",
                (
                    "'src/' is a path of this machine, and CloudFormation takes an address in S3;"
                    " declare the folder as an artifact of the graph file, and give bucket and key"
                ),
            ),
        ],
    )
    def test_message(self, text: str, key: str, message: str) -> None:
        """The message says what is wrong and what to do."""
        assert problems(text) == [(key, message)]

    def test_unknown_transform_of_aws(self) -> None:
        """A transform that AWS does not have is named, with those that it has."""
        ((key, message),) = problems(
            "Transform: AWS::Serverless\nResources: {A: {Type: AWS::SNS::Topic}}"
        )
        assert key == "Transform"
        assert message.startswith("AWS has no transform AWS::Serverless; it has AWS::CodeDeploy")

    @pytest.mark.parametrize(
        "value",
        ["s3://bucket/key", "{Bucket: b, Key: k}", "!Ref Where", "{ZipFile: 'x'}"],
    )
    def test_addresses_are_taken(self, value: str) -> None:
        """An address in S3, or what is known only later, is no problem."""
        text = f"Resources: {{F: {{Type: AWS::Lambda::Function, Properties: {{Code: {value}}}}}}}"
        assert problems(text) == []
