"""Write a festaf.toml for a package, with what is known of it and comments on what is left to say."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from festaf.contract.dag_package import Ancestor, Manifest


def settings_text(
    manifest: Manifest, *, namespace: str, name: str, version: str, ancestor: Ancestor | None = None
) -> str:
    """Write the settings of a package that is like a given one."""
    requires = manifest.requires
    lines = [
        "[package]",
        f"namespace = {_text(namespace)}",
        f"name = {_text(name)}",
        f"version = {_text(version)}",
        f"summary = {_text(manifest.summary)}",
        *(_optional("readme", manifest.readme)),
        *(_optional("licence", manifest.licence) or ['# licence = "Apache-2.0"']),
        f"maturity = {_text(manifest.maturity)}  # experimental, beta, stable or deprecated",
        f"tags = {_list(manifest.tags)}",
        f"owners = {_list(manifest.owners)}",
        *([f"screenshots = {_list(manifest.screenshots)}"] if manifest.screenshots else []),
        *_included(manifest),
        "",
        "[package.requires]",
        *(_optional("python", requires.python)),
        *(_optional("airflow", requires.airflow)),
        f"providers = {_list(requires.providers)}",
        f"packages = {_list(requires.packages)}",
        *([f"plugins = {_list(requires.plugins)}"] if requires.plugins else []),
        *([f"system = {_list(requires.system)}"] if requires.system else []),
    ]
    for parameter in manifest.parameters:
        lines += ["", "[[package.parameters]]", f"name = {_text(parameter.name)}"]
        lines += [f"description = {_text(parameter.description)}"] if parameter.description else []
        lines += [f"json_schema = {_value(parameter.json_schema)}"] if parameter.json_schema else []
        lines += [f"default = {_value(parameter.default)}"] if parameter.default is not None else []
        lines += ["required = true"] if parameter.required else []
    if ancestor is not None:
        lines += ["", "[package.ancestor]"]
        lines += [f"{key} = {_text(value)}" for key, value in ancestor.model_dump().items() if value is not None]
    return "\n".join(lines) + "\n"


def _included(manifest: Manifest) -> list[str]:
    """Name the files that no DAG imports or names, so that they go along again."""
    known = {manifest.readme, *manifest.screenshots}
    for dag in manifest.dags:
        known |= {dag.file, *dag.local_files, *dag.data_files}
    others = [file.path for file in manifest.files if file.path not in known]
    return [f"include = {_list(others)}"] if others else []


def _optional(key: str, value: str | None) -> list[str]:
    return [] if value is None else [f"{key} = {_text(value)}"]


def _text(value: str) -> str:
    """Write a TOML string; JSON's are TOML's, but for one character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _list(values: Iterable[str]) -> str:
    return f"[{', '.join(_text(value) for value in values)}]"


def _value(value: object) -> str:
    if isinstance(value, dict):
        inner = ", ".join(f"{_text(str(key))} = {_value(item)}" for key, item in value.items() if item is not None)
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_value(item) for item in value)}]"
    return _text(value) if isinstance(value, str) else json.dumps(value)
