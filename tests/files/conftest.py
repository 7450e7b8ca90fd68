"""A small project with one artifact, whose folder a test fills."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploytool.core.project.package import Files, Package
from deploytool.files.builds import Building
from deploytool.files.project import load_project

CONFIG = """
project = "hello"
domain = "example.com"
regions = ["eu-west-1", "eu-central-1"]
[stages.dev]
"""


@dataclass
class Sample:
    """A project on disk. `said` are the lines about builds."""

    root: Path
    artifact: dict[str, Any] = field(default_factory=dict)
    runtime: Any = "python3.13"
    architectures: Any = field(default_factory=lambda: ["arm64"])
    said: list[str] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        return self.root / "function"

    def write(self, path: str, text: str | bytes = "x = 1\n", *, executable: bool = False) -> Path:
        whole = self.folder / path
        whole.parent.mkdir(parents=True, exist_ok=True)
        whole.write_bytes(text if isinstance(text, bytes) else text.encode())
        if executable:
            whole.chmod(0o755)
        return whole

    def package(self, *, runs: bool = True, local: bool = False, reads: bool = True) -> Package:
        """Load the project as a command does, and return the artifact's package."""
        self._write_project()
        building = Building(runs, local, self.said.append, reads)
        return load_project(self.root / "deploytool.toml", building).packages["function"]

    def files(self, **options: bool) -> Files:
        return self.package(**options).files

    def _write_project(self) -> None:
        bucket = {
            "Resources": {"B": {"Type": "AWS::S3::Bucket"}},
            "Outputs": {"Name": {"Value": "b"}},
        }
        function = {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Runtime": self.runtime,
                "Architectures": self.architectures,
                "Code": {"S3Bucket": "b", "S3Key": {"Ref": "CodeKey"}},
            },
        }
        parameters = {
            "CodeKey": {"Type": "String"},
            "Runtime": {"Type": "String", "Default": "python3.12"},
        }
        code = {"Parameters": parameters, "Resources": {"Function": function}}
        graph = {
            "artifacts": {
                "function": {
                    "source": "../function",
                    "bucket": {"output": "bucket.Name"},
                    **self.artifact,
                }
            },
            "stacks": {
                "bucket": {"template": "bucket.yaml", "scope": "regional"},
                "code": {
                    "template": "code.yaml",
                    "scope": "regional",
                    "parameters": {"CodeKey": {"artifact": "function", "part": "key"}},
                },
            },
        }
        infra = self.root / "infra"
        infra.mkdir(exist_ok=True)
        (self.root / "deploytool.toml").write_text(CONFIG)
        for name, document in (("stacks", graph), ("bucket", bucket), ("code", code)):
            (infra / f"{name}.yaml").write_text(yaml.safe_dump(document))


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    """A project without files in its artifact's folder."""
    return Sample(tmp_path)
