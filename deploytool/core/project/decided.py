"""A template with the conditions decided that its parameters decide. Pure."""

from collections.abc import Mapping
from typing import Any

from deploytool.core.project.expressions import Evaluator


def decided(document: Mapping[str, Any], parameters: Mapping[str, str | None]) -> dict[str, Any]:
    """Return the document with each Fn::If replaced by its branch where that is known.

    Resources whose condition is false are left out. `parameters` are as for `Evaluator`: None for
    a parameter whose value is not known yet.
    """
    evaluator = Evaluator(document, parameters)
    resources: dict[str, Any] = {}
    for name, resource in document["Resources"].items():
        # A loop or a transform stands in the place of a resource (`core.transforms`).
        if not isinstance(resource, Mapping) or evaluator.has_resource(resource) is not False:
            resources[name] = _decided(resource, evaluator)
    return {**document, "Resources": resources}


def _decided(value: Any, evaluator: Evaluator) -> Any:  # noqa: ANN401  # any node of a template
    match value:
        case {"Fn::If": [condition, if_true, if_false]}:
            met = evaluator.condition(condition)
            if met is not None:
                return _decided(if_true if met else if_false, evaluator)
            branches = [_decided(branch, evaluator) for branch in (if_true, if_false)]
            return {"Fn::If": [condition, *branches]}
        case Mapping():
            return {key: _decided(part, evaluator) for key, part in value.items()}
        case list():
            return [_decided(item, evaluator) for item in value]
    return value
