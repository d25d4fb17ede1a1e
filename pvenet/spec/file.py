"""The types that load a network file, made from the model's dataclasses; and so its JSON Schema.

Only this module meets pydantic. A key is a field of the model by the model's name; whether a value is legal on a node
is not asked here but of the plan.
"""

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from enum import Enum
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    PlainValidator,
    StrictBool,
    StrictInt,
    StrictStr,
    Tag,
    WithJsonSchema,
    create_model,
)
from pydantic import Field as Key

from pvenet.limits import NODE
from pvenet.lint import RULES
from pvenet.model import ALSO_CALLED, BondMode, Ethernet, settable
from pvenet.model.addresses import SPELLINGS, parse_address
from pvenet.spec.network_spec import KINDS, MAC, Kind

STRICT = ConfigDict(extra="forbid", hide_input_in_errors=True, defer_build=True)
TYPELESS = "<typeless>"
STATE = "<state>"
TAGS = frozenset({TYPELESS, STATE, *(f"<{word}>" for word in KINDS)})
"""Tags of entries; pydantic puts them into the paths of errors."""


def _address(field: str) -> Any:
    """The type of an address as the file writes it."""
    spelling = SPELLINGS[field]
    pattern = ("[0-9.]+" if "." in spelling.example else "[^/]*:[^/]*") + ("/[0-9]+" if spelling.prefix else "")
    schema = {"type": "string", "pattern": f"^{pattern}$", "examples": [spelling.example]}
    return Annotated[Any, PlainValidator(lambda value: parse_address(field, value)), WithJsonSchema(schema)]


def _worded(value: Any) -> Any:
    """A number in a list of words: `vids: [7]`."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _moded(value: Any) -> Any:
    """A mode by a name that people have for it: `mode: lacp`."""
    return ALSO_CALLED.get(value, value) if isinstance(value, str) else value


_TYPES: Mapping[Any, Any] = {
    BondMode: Annotated[BondMode, BeforeValidator(_moded)],
    bool: StrictBool,
    int: StrictInt,
    str: StrictStr,
    tuple[str, ...]: tuple[
        Annotated[StrictStr, BeforeValidator(_worded), WithJsonSchema({"type": ["string", "integer"]})], ...
    ],
    IPv4Interface: _address("cidr"),
    IPv6Interface: _address("cidr6"),
    IPv4Address: _address("gateway"),
    IPv6Address: _address("gateway6"),
}
"""How a file writes the types of the model's fields; enumerations write themselves."""
_NAMES = {each.__name__: each for each in (IPv4Interface, IPv6Interface, IPv4Address, IPv6Address)}


_PRESENT: Mapping[str, Any] = {"state": (Literal["present"], "present")}


def _keys(kind: Kind) -> Mapping[str, Any]:
    hints = get_type_hints(kind, localns=_NAMES)
    by_name = {each.name: each for each in fields(kind)}
    return {name: _key(hints[name], by_name[name]) for name in settable(kind)}


def _key(hint: Any, of: Field[Any]) -> Any:
    wanted = hint
    if get_origin(hint) in (Union, UnionType):
        (wanted,) = (each for each in get_args(hint) if each is not NoneType)
    return _TYPES.get(wanted, wanted) | None if _clearable(of) else _TYPES.get(wanted, wanted)


def _clearable(of: Field[Any]) -> bool:
    """Whether null has a meaning: a mode and an autostart are always one thing or the other."""
    return of.default is not MISSING and of.default is not True and not isinstance(of.default, Enum)


def _entry(kind: Kind) -> type[BaseModel]:
    """The type of an entry that says which kind it is."""
    own: dict[str, Any] = {
        "type": (Literal[kind.type], Key(description="Its kind, by PVE's name.")),
        **_PRESENT,
        **{name: (wanted, None) for name, wanted in KEYS[kind.type].items()},
    }
    return create_model(kind.__name__, __config__=STRICT, __doc__=kind.__doc__, **own)


def _typeless() -> type[BaseModel]:
    """An entry of a node that leaves its type to the defaults, with the keys of every kind."""
    found: dict[str, Any] = {}
    for own_keys in KEYS.values():
        for name, wanted in own_keys.items():
            found[name] = wanted if name not in found else found[name] | wanted
    own: dict[str, Any] = {**_PRESENT, **{name: (wanted, None) for name, wanted in found.items()}}
    about = "Where a node differs from the defaults, which give its type."
    return create_model("OfTheDefaults", __config__=STRICT, __doc__=about, **own)


_MAC: Any = Annotated[
    StrictStr,
    Key(pattern="^([0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}$", description="The card; its name is the file's own then."),
]
KEYS = {word: {**_keys(kind), **({MAC: _MAC} if kind is Ethernet else {})} for word, kind in KINDS.items()}
"""What an entry may say beside its type and its state, by type: each key with its type."""


class NotThere(BaseModel):
    """An interface that shall be absent, or (`ignore`) that the defaults have and this node shall not be asked for."""

    model_config = STRICT

    state: Literal["absent", "ignore"]


def _which(value: Any) -> str:
    """What an entry has to be, by what it says of itself."""
    if not isinstance(value, dict):
        return TYPELESS
    if value.get("state", "present") != "present":
        return STATE
    word = value.get("type")
    return f"<{word}>" if isinstance(word, str) and word in KINDS else TYPELESS


_described = [Annotated[_entry(kind), Tag(f"<{word}>")] for word, kind in KINDS.items()]
Entry: Any = Annotated[
    Union[(*_described, Annotated[_typeless(), Tag(TYPELESS)], Annotated[NotThere, Tag(STATE)])],
    Discriminator(_which),
]
RuleName: Any = Literal[tuple(RULES)]
Default: Any = Annotated[Union[(*_described, Annotated[NotThere, Tag(STATE)])], Discriminator(_which)]


class Lint(BaseModel):
    """What `pvenet lint` is to leave out."""

    model_config = STRICT

    ignore: tuple[RuleName, ...] = Key(default=(), description="Rules to ignore, by name.")


class NodeEntries(BaseModel):
    """A node's interfaces by name, over the defaults."""

    model_config = ConfigDict(extra="allow", hide_input_in_errors=True, defer_build=True)
    __pydantic_extra__: dict[str, Entry] = Key(init=False)

    only: StrictBool = Key(
        default=False, description="The file is complete for this node: what it does not mention is removed."
    )
    lint: Lint | None = Key(None, description="For this node.")


class NetworkFile(BaseModel):
    """The network of Proxmox VE nodes, for pvenet."""

    model_config = STRICT

    defaults: dict[str, Default] | None = Key(
        None, description="Interfaces of every node, unless the node says otherwise."
    )
    nodes: dict[str, NodeEntries | None] = Key(
        description="The nodes, by name.", json_schema_extra={"propertyNames": {"pattern": f"^{NODE}$"}}
    )
    lint: Lint | None = Key(None, description="For all nodes.")


class SavedNode(BaseModel):
    """One node of a saved plan; what was shown of it is for people."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True, defer_build=True)

    node: StrictStr
    against: StrictStr
    desired: dict[str, Default]
    nics: dict[str, StrictStr] = Key(default_factory=dict)


class SavedPlan(BaseModel):
    """What `pvenet plan -o` writes."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True, defer_build=True)

    pvenet_plan: Literal[1]
    id: Annotated[StrictStr, Key(pattern="^[0-9a-f]{16}$")]
    file: StrictStr
    nodes: list[SavedNode]
