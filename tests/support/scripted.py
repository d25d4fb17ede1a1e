"""Answers by what is asked, in process, in any order and from any thread."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import requests
from loopback import TOKEN
from requests.adapters import BaseAdapter

from pvenet.connection import Connection
from pvenet.connection.endpoint import Endpoint
from pvenet.node import Node

if TYPE_CHECKING:
    from collections.abc import Mapping


class Refusal(str):
    """What PVE says instead of an answer: `403 Permission check failed (/, Sys.Audit)`."""

    __slots__ = ()


class Scripted(BaseAdapter):
    """Answers each path, with its query, with its data; nobody may ask for anything else."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        super().__init__()
        self._answers = answers
        self.asked: list[str] = []

    def send(self, request: requests.PreparedRequest, **_kept: Any) -> requests.Response:  # type: ignore[override]
        path = str(request.path_url).removeprefix("/api2/json")
        self.asked.append(path)
        data = self._answers[path]
        response = requests.Response()
        response.request, response.status_code, response.reason = request, 200, "OK"
        body = {"data": data}
        if isinstance(data, Refusal):
            status, _, message = str(data).partition(" ")
            response.status_code, response.reason = int(status), message
            body = {"data": None, "message": f"{message}\n"}
        response.raw = io.BytesIO(json.dumps(body).encode())
        return response

    def close(self) -> None:
        """Nothing is open."""


def node(answers: Mapping[str, Any]) -> tuple[Node, Scripted]:
    """A node that says these, and what hears what it was asked."""
    adapter = Scripted(answers)
    return Node(Connection([Endpoint(host="pve1", adapter=adapter)], TOKEN), "pve1"), adapter
