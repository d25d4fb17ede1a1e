# Copyright: The pvenet authors
# MIT licence (see LICENSE or https://opensource.org/license/mit)
# SPDX-License-Identifier: MIT
"""The options that the modules share, as ansible-core takes them."""

from __future__ import annotations

from typing import Any

PREFIX = "pvenet_"
"""Of an inventory's variable that says what an option of the connection leaves open: `pvenet_api_host`."""

CONNECTION: dict[str, dict[str, Any]] = {
    "api_host": {"type": "list", "elements": "str", "aliases": ["endpoint"]},
    "api_port": {"type": "int"},
    "api_user": {"type": "str"},
    "api_password": {"type": "str", "no_log": True},
    "api_token_id": {"type": "str", "no_log": False},
    "api_token_secret": {"type": "str", "no_log": True},
    "api_token_file": {"type": "path", "no_log": False},
    "validate_certs": {"type": "bool"},
    "ca_path": {"type": "path"},
    "fingerprint": {"type": "list", "elements": "str"},
    "profile": {"type": "str"},
    "sim": {"type": "path"},
    "node": {"type": "str"},
    "state_dir": {"type": "path"},
}
"""Where to go, who we are, whom to trust."""

RIVALS: dict[str, tuple[str, ...]] = {
    "api_host": ("sim",),
    "sim": ("api_host",),
    "api_password": ("api_token_id", "api_token_secret", "api_token_file"),
    "api_token_secret": ("api_token_file", "api_password"),
    "api_token_file": ("api_token_secret", "api_password"),
    "api_token_id": ("api_password",),
    "ca_path": ("fingerprint",),
    "fingerprint": ("ca_path",),
}
"""What an inventory does not say any more where a task says the option: it would count in its stead."""

ALLOW: dict[str, dict[str, Any]] = {
    "allow_management": {"type": "bool", "default": False},
    "allow_guests": {"type": "list", "elements": "str", "default": []},
    "timeout": {"type": "float", "default": 60.0},
    "verify": {"type": "str", "choices": ["auto", "kernel", "flags"]},
    "sdn_lock": {"type": "bool"},
}
"""Of whatever reloads a node."""

APPLY: dict[str, dict[str, Any]] = {
    **ALLOW,
    "on_failure": {"type": "str", "choices": ["rollback", "keep"], "default": "rollback"},
    "confirm_within": {"type": "float"},
    "arm": {"type": "bool", "default": False},
    "adopt": {"type": "bool", "default": False},
    "require": {"type": "list", "elements": "str", "choices": ["lacp", "carrier"], "default": []},
    "update_hosts": {"type": "bool", "default": False},
    "verify_with": {"type": "str"},
}
"""Of an apply."""
