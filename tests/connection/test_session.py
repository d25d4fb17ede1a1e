"""What a session sends is what `requests` would make of it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import requests
from hypothesis import given
from hypothesis import strategies as st
from loopback import TOKEN, Says

from pvenet.connection import Connection
from pvenet.connection.endpoint import Endpoint
from pvenet.connection.exchange import Request

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pytest

words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12).filter(
    lambda word: word not in {".", "..", "self", "timeout"}
)
values = words | st.integers()
hosts = st.sampled_from(
    ["127.0.0.1", "pve-1.example.org", "pve1.", "knödel.example.org", "fd00::1", "FD00::A", "PVE1", "a_b", "1"]
)


class Hears(Says):
    """Answers everything with nothing, and keeps what it was asked last."""

    asked: requests.PreparedRequest

    def send(self, request: requests.PreparedRequest, **kept: Any) -> requests.Response:  # type: ignore[override]
        """As `Says`."""
        self.asked = request
        return super().send(request, **kept)


def heard(host: str = "pve1") -> tuple[Hears, Connection, str]:
    """Who hears what is sent to a host, what sends it, and where the host's API begins."""
    hears = Hears('{"data": null}')
    endpoint = Endpoint(host=host, adapter=hears)
    return hears, Connection([endpoint], TOKEN), endpoint.base_url


@given(hosts, st.lists(words, min_size=1, max_size=4), st.dictionaries(words, values))
def test_a_url_is_as_requests_writes_it(host: str, path: Sequence[str], query: Mapping[str, Any]) -> None:
    """Whatever the names in the path and the values in the query are, and however the host is written."""
    hears, connection, base = heard(host)
    connection.get(*path, **query)
    url = "/".join((base, *(quote(part, safe=":@!") for part in path)))
    assert hears.asked.url == requests.Request("GET", url, params=query).prepare().url
    assert (hears.asked.method, hears.asked.body) == ("GET", None)


@given(st.dictionaries(words, values))
def test_a_form_is_as_requests_writes_it(form: Mapping[str, str | int]) -> None:
    """With its length and its type, also an empty one."""
    hears, connection, base = heard()
    connection.put("nodes", form=form)
    theirs = requests.Request("PUT", base, data=form).prepare()
    assert hears.asked.body == theirs.body
    assert theirs.headers.items() <= hears.asked.headers.items()


def test_the_interface_in_an_address_escapes_nothing_twice() -> None:
    """As `requests` does, which takes its % for that of a URL that nobody has escaped yet."""
    hears, connection, _ = heard("fe80::1%eth0")
    connection.get("access", "permissions", path="/vms")
    assert hears.asked.url == "https://[fe80::1%25eth0]:8006/api2/json/access/permissions?path=%2Fvms"


def test_what_is_sent_shows_no_secret() -> None:
    """In whichever traceback or log it may come to stand."""
    headers = {"Authorization": f"PVEAPIToken=root@pam!a={TOKEN.secret}"}
    sent = Request(method="POST", origin="https://pve1:8006", target="/", headers=headers, body="password=hunter2")
    assert "pve1" in repr(sent)
    assert not any(secret in repr(sent) for secret in (TOKEN.secret, "hunter2"))


def test_no_log_shows_what_has_answered_in_process(caplog: pytest.LogCaptureFixture) -> None:
    """As of an answer over the network: proxmoxer writes each into its own."""
    caplog.set_level(logging.DEBUG, logger="proxmoxer.core")
    connection = Connection([Endpoint(host="pve1", adapter=Says('{"data": "all that is in a report"}'))], TOKEN)
    assert connection.get("nodes", "pve1", "report").text() == "all that is in a report"
    assert any("output:" in text for text in caplog.messages)
    assert "all that is" not in "".join(caplog.messages)
