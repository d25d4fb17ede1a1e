"""Which journals are of the node that a command line names, told without asking the node."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pvenet.journal import Journals
from pvenet.journal.identity import Match, Place, beside, match

if TYPE_CHECKING:
    from pvenet.journal import Journal
    from pvenet.settings import Settings

_PORT = 8006


def journals_at(settings: Settings, node: str) -> tuple[Journal, ...]:
    """The journals of a node that are of this place by their endpoint, or by a certificate that is pinned."""
    kept, place = Journals(settings.state_dir, node), _place(settings)
    found = kept.all()
    if beside(kept.folder, place):
        return found
    return tuple(journal for journal in found if match(journal, place) in (Match.SAME, Match.LIKELY))


def _place(settings: Settings) -> Place:
    if settings.sim:
        return Place(endpoint=f"sim:{settings.sim}", certificates={})
    urls = [_url(text) for text in settings.endpoints]
    pins = settings.fingerprints or (None,)
    each = pins if len(pins) == len(urls) else pins[:1] * len(urls)
    hosts = frozenset(host for url in urls if (host := urlsplit(url).hostname))
    return Place(endpoint=urls[0], certificate=each[0], certificates=dict(zip(urls, each, strict=True)), hosts=hosts)


def _url(text: str) -> str:
    """An endpoint as a journal names it; `connection.endpoint` does that, and takes half the time that a TAB has."""
    parts = urlsplit(text if "://" in text else f"https://{text}")
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}:{parts.port or _PORT}"
