"""The JSON object that a client has sent."""

from __future__ import annotations

from typing import Any

from plone.restapi.deserializer import json_body
from plone.restapi.exceptions import DeserializationError


def json_object(request: Any) -> dict[str, Any]:
    """The body of the request; DeserializationError says why it is no object."""
    try:
        return json_body(request)
    except RecursionError as error:
        # This is how json refuses what is nested too deeply: not the server's fault.
        raise DeserializationError("The JSON is nested too deeply") from error
