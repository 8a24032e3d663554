# SPDX-License-Identifier: MIT
"""docs/schema: what it promises of each command's document, and whether a document keeps that."""

import datetime
import json
import pathlib
import warnings

# Debian's python3-jsonschema, which scripts/setup installs. 4.0 was the first to know draft
# 2020-12.
import jsonschema

DIRECTORY = pathlib.Path(__file__).resolve().parents[2] / "docs" / "schema"
SCHEMAS = {
    path.stem: json.loads(path.read_text(encoding="utf-8")) for path in DIRECTORY.glob("*.json")
}

formats = jsonschema.FormatChecker(formats=())


@formats.checks("date-time", raises=ValueError)
def is_time(text):
    # The pattern beside each format has seen to the shape; this is for a 30th of February. A zone
    # of "Z" is too new for some Pythons.
    return not isinstance(text, str) or bool(
        datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ")
    )


def validator(name):
    schema = SCHEMAS[name]
    with warnings.catch_warnings():
        # What came after RefResolver is not in Debian 12.
        warnings.simplefilter("ignore", DeprecationWarning)
        by_address = {path.as_uri(): SCHEMAS[path.stem] for path in DIRECTORY.glob("*.json")}
        resolver = jsonschema.RefResolver(
            (DIRECTORY / f"{name}.json").as_uri(), schema, store=by_address
        )
        return jsonschema.Draft202012Validator(schema, resolver=resolver, format_checker=formats)


def complaints(name, document):
    """What is wrong with the document of a command, or with an "error": a list of sentences."""
    if name not in SCHEMAS:
        return [f"docs/schema/{name}.json is missing"]
    return [
        f"{name}{error.json_path[1:]}: {error.message}"
        for error in validator(name).iter_errors(document)
    ]
