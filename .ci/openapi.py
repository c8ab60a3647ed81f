"""Validates the OpenAPI documents in the given directories: the form, that JSON and YAML say the same, and the examples."""

import json
import pathlib
import sys

import yaml
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import validate


def media_types(document):
    for path, item in document["paths"].items():
        operations = {**item, **item.get("x-additionalOperations", {})}
        for method, operation in operations.items():
            if method == "x-additionalOperations":
                continue
            bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
            for content in (body.get("content", {}) for body in bodies):
                yield from ((f"{method} {path}", media_type) for media_type in content.values())
            yield from ((f"{method} {path}", parameter) for parameter in operation.get("parameters", []))
    for name, response in document["components"]["responses"].items():
        yield from ((name, media_type) for media_type in response["content"].values())


def check_examples(document):
    count = 0
    for place, media_type in media_types(document):
        if "example" not in media_type:
            continue
        # References lead from the root of what is validated.
        schema = {**media_type["schema"], "components": document["components"]}
        Draft202012Validator.check_schema(schema)
        errors = list(Draft202012Validator(schema, format_checker=FormatChecker()).iter_errors(media_type["example"]))
        assert not errors, f"{place}: {errors[0]}"
        count += 1
    assert count, "no document is without examples"
    return count


for directory in map(pathlib.Path, sys.argv[1:]):
    document = json.loads((directory / "openapi.json").read_text())
    assert document == yaml.safe_load((directory / "openapi.yaml").read_text()), "JSON and YAML differ"
    validate(document)
    examples = check_examples(document)
    print(f"{directory.name}: {len(document['paths'])} paths, {examples} examples, valid")
