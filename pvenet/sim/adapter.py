"""The simulated node in process: a `requests` adapter, and no socket anywhere."""

from __future__ import annotations

import io
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers
from urllib3 import HTTPHeaderDict, HTTPResponse

from pvenet.sim.front import Dropped, Front, Silence
from pvenet.sim.http.frame import Request
from pvenet.sim.state import Sim

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from pvenet.sim.faults import Fault
    from pvenet.sim.http.frame import Response


class SimAdapter(BaseAdapter):
    """Answers every request that is sent through it from a sim's folder."""

    def __init__(
        self,
        place: Path | Sim,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        faults: Sequence[Fault | str] = (),
        by_address: bool = False,
    ) -> None:
        """With `by_address` a node answers at an address only while it has it."""
        super().__init__()
        self.sim = place if isinstance(place, Sim) else Sim.open(place)
        self.front = Front(self.sim, clock=clock, sleep=sleep, faults=faults, by_address=by_address)
        self._connection = 0

    @property
    def credentials(self) -> tuple[str, str]:
        """A token that may do everything, and its secret."""
        return self.sim.users().credentials()

    def send(  # noqa: PLR0913, PLR0917  the adapter's interface
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: ARG002, FBT001, FBT002  the adapter's interface
        timeout: float | tuple[float | None, float | None] | None = None,
        verify: bool | str = True,  # noqa: ARG002, FBT001, FBT002  see above
        cert: Any = None,  # noqa: ARG002  see above
        proxies: Mapping[str, str] | None = None,  # noqa: ARG002  see above
    ) -> requests.Response:
        connect, read = timeout if isinstance(timeout, tuple) else (timeout, timeout)
        try:
            answer = self.front.answer(_plain(request, self._connection), patience=read)
        except Dropped as error:
            if error.garbled:
                raise requests.exceptions.SSLError("record layer failure", request=request) from error
            raise requests.ConnectionError("Remote end closed connection without response", request=request) from error
        except Silence as error:
            if error.reached:
                raise requests.ReadTimeout("the simulated node does not answer in time", request=request) from error
            self.front.sleep(connect or 0.0)
            raise requests.ConnectTimeout("the simulated node can't be reached", request=request) from error
        # As http.client would: the first Connection header says whether the next request comes on a new connection.
        self._connection += dict(reversed(answer.headers))["Connection"] == "close"
        if answer.torn:
            raise _torn(request, answer)
        body = _Trickle(answer, self.front.sleep, read) if answer.pace else io.BytesIO(answer.body)
        return _response(request, answer, body)

    def close(self) -> None:
        """The next request comes on a new connection, which may meet another worker."""
        self._connection += 1


def _plain(request: requests.PreparedRequest, connection: int) -> Request:
    parts = urlsplit(request.url or "")
    body = request.body or b""
    return Request(
        method=request.method or "GET",
        target=f"{parts.path}?{parts.query}" if parts.query else parts.path,
        headers={name.lower(): _text(value) for name, value in request.headers.items()},
        body=body.encode() if isinstance(body, str) else bytes(body),
        host=parts.hostname or "",
        worker=connection,
    )


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


class _Trickle(io.RawIOBase):
    """The body of an answer that comes byte by byte; its reader waits so many seconds for the whole, as pvenet does."""

    def __init__(self, answer: Response, sleep: Callable[[float], None], patience: float | None) -> None:
        self._body = io.BytesIO(answer.body)
        self._pace = answer.pace
        self._sleep = sleep
        self._left = patience

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not (byte := self._body.read(1)):
            return 0
        if self._left is not None:
            if self._pace > self._left:
                self._sleep(self._left)
                raise TimeoutError("the simulated node does not go on in time")
            self._left -= self._pace
        self._sleep(self._pace)
        buffer[:1] = byte
        return 1


def _torn(request: requests.PreparedRequest, answer: Response) -> requests.RequestException:
    if answer.body:
        return requests.exceptions.ChunkedEncodingError("Connection broken: IncompleteRead", request=request)
    return requests.ConnectionError("Remote end closed connection without response", request=request)


def _response(request: requests.PreparedRequest, answer: Response, body: io.IOBase) -> requests.Response:
    """As `requests` itself makes one of what came over a socket."""
    headers = HTTPHeaderDict(answer.headers)
    raw = HTTPResponse(
        body=body,
        headers=headers,
        status=answer.status,
        version=11,
        reason=answer.reason,
        preload_content=False,
        request_method=request.method,
    )
    response = requests.Response()
    response.status_code = answer.status
    response.reason = answer.reason
    response.headers = CaseInsensitiveDict(headers)
    response.encoding = get_encoding_from_headers(response.headers)
    response.raw = raw
    response.url = request.url or ""
    response.request = request
    return response
