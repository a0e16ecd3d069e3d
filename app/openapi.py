"""The OpenAPI document, generated from the table of routes and the models."""

from __future__ import annotations

import http
import re
from collections.abc import Iterable
from typing import Any

import msgspec

from app.errors import PROBLEM_JSON, ProblemDocument
from app.models import INSTEAD
from app.routes import JSON, Parameter, Route

Document = dict[str, Any]
_REF = "#/components/schemas/{name}"
#: Health routes return the same body for healthy and unhealthy.
_ALSO_503 = frozenset({"/status", "/ready"})
_ANYWHERE = (500, 503)
#: The id in the response is that of the cart to check out.
_CHECKOUT = {"operationId": "check_out", "requestBody": "$response.body"}


def openapi(routes: Iterable[Route]) -> Document:
    """Return the document that describes ``routes``."""
    routes = list(routes)
    models = [model for route in routes for model in (route.gives, route.takes) if model]
    schemas, components = msgspec.json.schema_components(
        [*models, ProblemDocument], ref_template=_REF
    )
    schemas, components = _better(list(schemas)), _better(components)
    found = dict(zip(map(str, models), schemas, strict=False))
    paths: dict[str, Document] = {}
    for route in routes:
        path = re.sub(r"<(\w+)>", r"{\1}", route.rule)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route, found)
    return {
        "openapi": "3.1.0",
        "info": {"title": "The shop", "version": "1"},
        "paths": paths,
        "components": {"schemas": components},
    }


def _better(schema: Any) -> Any:
    """Return the schema with the replacements under INSTEAD applied."""
    if isinstance(schema, dict):
        return schema.get(INSTEAD) or {name: _better(each) for name, each in schema.items()}
    return [_better(each) for each in schema] if isinstance(schema, list) else schema


def _operation(route: Route, schemas: dict[str, Document]) -> Document:
    operation: Document = {
        "operationId": route.handler.__name__,
        "summary": route.summary,
        "parameters": [_parameter(each) for each in route.parameters],
        "responses": {"200": _content("Done", route.content_type, schemas[str(route.gives)])},
    }
    if route.takes:
        body = {JSON: {"schema": schemas[str(route.takes)]}}
        operation["requestBody"] = {"required": True, "content": body}
    if route.rule == "/cart":
        operation["responses"]["200"]["links"] = {"checkout": _CHECKOUT}
    if route.rule in _ALSO_503:
        unwell = _content("Not healthy", JSON, schemas[str(route.gives)])
        return {**operation, "responses": {**operation["responses"], "503": unwell}}
    problem = {"$ref": _REF.format(name=ProblemDocument.__name__)}
    for status in sorted({*route.problems, *_ANYWHERE}):
        phrase = http.HTTPStatus(status).phrase
        operation["responses"][str(status)] = _content(phrase, PROBLEM_JSON, problem)
    return operation


def _parameter(parameter: Parameter) -> Document:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.required,
        "schema": dict(parameter.schema),
    }


def _content(description: str, content_type: str, schema: Document) -> Document:
    media = content_type.partition(";")[0]
    return {"description": description, "content": {media: {"schema": schema}}}
