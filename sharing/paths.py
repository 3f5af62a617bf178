"""Which paths a package may have: those that mean the same file on every disk and to every eye.

A path is refused when one system would write it elsewhere (``..``, drives, streams), when two of them would be one file
(case, Unicode), when a person would read it wrongly (invisible characters), or when the file does something by its mere
presence (``sitecustomize.py``) or can be read by no one (bytecode, nested archives).
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

from festaf.contract.dag_package import MANIFEST_PATH
from festaf.sharing import limits
from festaf.sharing.errors import ArchiveError
from festaf.sharing.names import DEVICES
from festaf.sharing.standard_library import STANDARD_LIBRARY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories of characters that are not seen, or that move those that are."""
_SPACES: Final = frozenset({"Zs"})
_BAD_CHARACTERS: Final = frozenset('<>"|?*')
_DRIVE = re.compile(r"[A-Za-z]:")
_SHOWN: Final = 80

_ARCHIVES: Final = """
.zip .whl .egg .pyz .pyzw .jar .war .tar .tgz .gz .bz2 .tbz2 .xz .txz .lzma .7z .rar .zst .cab .iso .rpm .deb .apk
"""
_KEYS: Final = ".pem .key .p12 .pfx .jks .keystore .ppk .kdbx .asc .gpg .pgp .ovpn"
_KEY_NAMES: Final = """
id_rsa id_dsa id_ecdsa id_ed25519 credentials credentials.json service_account.json service-account.json kubeconfig
.netrc .pgpass .pypirc .npmrc .htpasswd .git-credentials
"""
_LOADED_UNASKED: Final = "sitecustomize.py usercustomize.py conftest.py airflow_local_settings.py webserver_config.py"

_BY_ENDING: Final = {
    **dict.fromkeys((".pyc", ".pyo"), ("bytecode", "bytecode cannot be reviewed; Python makes it from the source")),
    **dict.fromkeys(
        (".so", ".dll", ".dylib", ".pyd", ".exe", ".node"),
        ("native_code", "compiled code cannot be reviewed; require a package that brings it"),
    ),
    **dict.fromkeys(
        _ARCHIVES.split(),
        ("nested_archive", "an archive in an archive cannot be reviewed, and Airflow loads DAGs from a .zip"),
    ),
    **dict.fromkeys(_KEYS.split(), ("key_file", "it holds keys or credentials")),
    **dict.fromkeys(
        (".pth", ".pyi", ".pyw"), ("python_file", "Python and its tools read files of this ending in ways of their own")
    ),
    ".env": ("environment_file", "it holds an environment, often with secrets"),
}
_BY_NAME: Final = {
    **dict.fromkeys(_KEY_NAMES.split(), ("key_file", "it holds keys or credentials")),
    **dict.fromkeys(
        _LOADED_UNASKED.split(),
        ("loaded_unasked", "Python, Airflow or pytest loads a file of this name without being asked"),
    ),
    **dict.fromkeys(
        ("airflow.cfg", "unittests.cfg"), ("settings_file", "it holds settings of an Airflow, often secrets")
    ),
    ".airflowignore": ("airflowignore", "it hides DAGs from Airflow; leave files out of the package instead"),
    ".env": ("environment_file", "it holds an environment, often with secrets"),
}
REPOSITORIES: Final = frozenset({".git", ".hg", ".svn", ".bzr", "cvs"})


def refused_paths(paths: Iterable[str]) -> Iterator[ArchiveError]:
    """Give every reason for which files may not stand in a package under these paths, the manifest's aside."""
    accepted: list[str] = []
    for path in paths:
        reason = _refused_form(path) or _refused_kind(path)
        if reason is None:
            accepted.append(path)
        else:
            yield reason
    yield from _twins(accepted)
    yield from _shadows(accepted)


def _refused_form(path: str) -> ArchiveError | None:
    """Tell why a path cannot be written to every disk as what it says."""
    for code, message in _form_reasons(path):
        return ArchiveError(code, f"The path {shown(path)} {message}", shown(path))
    return None


def _form_reasons(path: str) -> Iterator[tuple[str, str]]:
    parts = path.split("/")
    if not path:
        yield "empty_path", "is empty"
    if path == MANIFEST_PATH or path.casefold() == MANIFEST_PATH:
        yield "manifest_path", "is the manifest's; festaf writes it itself"
    if "\\" in path:
        yield "backslash", "has a backslash, which some systems take for a folder; use /"
    if path.startswith("/"):
        yield "absolute_path", "is absolute; paths begin at the package's root"
    if _DRIVE.match(path):
        yield "drive", "begins with a drive letter"
    if ":" in path:
        yield "stream", "has a colon, which names a stream of a file on Windows"
    if ".." in parts:
        yield "parent_folder", "leads out of the package by '..'"
    if "." in parts or "" in parts:
        yield "unclear_path", "has an empty part or a '.'"
    yield from _character_reasons(path)
    yield from _part_reasons(path, parts)


def _character_reasons(path: str) -> Iterator[tuple[str, str]]:
    if "\0" in path:
        yield "nul", "has a NUL character"
    categories = {unicodedata.category(character) for character in path}
    if categories & _UNSEEN:
        yield "unseen_character", "has a control, invisible or direction-changing character"
    if any(character != " " and unicodedata.category(character) in _SPACES for character in path):
        yield "unseen_character", "has a space that is not the plain one"
    if _BAD_CHARACTERS & set(path):
        yield "bad_character", "has a character that Windows refuses"
    if unicodedata.normalize("NFC", path) != path:
        yield "not_normalized", "is not in Unicode's composed form (NFC); rename the file"


def _part_reasons(path: str, parts: list[str]) -> Iterator[tuple[str, str]]:
    if len(path.encode(errors="surrogatepass")) > limits.PATH_BYTES:
        yield "long_path", f"is longer than {limits.PATH_BYTES} bytes"
    if any(len(part.encode(errors="surrogatepass")) > limits.PATH_PART_BYTES for part in parts):
        yield "long_path", f"has a part that is longer than {limits.PATH_PART_BYTES} bytes"
    if len(parts) > limits.PATH_DEPTH:
        yield "deep_path", f"is deeper than {limits.PATH_DEPTH} folders"
    for part in parts:
        if part != part.strip(" ") or part.endswith("."):
            yield "trailing_dot_or_space", "has a part that begins or ends with a space, or ends with a dot"
        if part.split(".")[0].casefold() in DEVICES:
            yield "device_name", f"has the part {part!r}, a device of Windows"


def _refused_kind(path: str) -> ArchiveError | None:
    """Tell why a file of this name may be in no package."""
    for code, message in _kind_reasons(path):
        return ArchiveError(code, f"{path} may not be in a package: {message}", path)
    return None


def _kind_reasons(path: str) -> Iterator[tuple[str, str]]:
    *folders, name = path.casefold().split("/")
    ending = f".{name.rsplit('.', 1)[1]}" if "." in name else ""
    if REPOSITORIES & {*folders, name}:
        yield "repository", "it belongs to a version control system"
    if name in _BY_NAME:
        yield _BY_NAME[name]
    if name.startswith(".env."):
        yield _BY_NAME[".env"]
    if ending in _BY_ENDING:
        yield _BY_ENDING[ending]
    if "__pycache__" in folders:
        yield _BY_ENDING[".pyc"]
    if any(part.startswith(".") for part in (*folders, name)):
        yield "hidden_file", "names that begin with a dot are hidden from those who review it"
    if ending == ".py" and not path.endswith(".py"):
        yield "python_file", "the ending must be .py in lower case"


def _twins(paths: list[str]) -> Iterator[ArchiveError]:
    """Find paths that are one file on some disks, and files that are folders as well."""
    spellings: dict[str, str] = {}
    files = set()
    told = set()
    for path in paths:
        if path in files:
            yield ArchiveError("duplicate", f"{path} is there twice", path)
        files.add(path)
        parts = path.split("/")
        for depth in range(1, len(parts) + 1):
            part = "/".join(parts[:depth])
            known = spellings.setdefault(unicodedata.normalize("NFKC", part).casefold(), part)
            if known != part and part not in told:
                told.add(part)
                yield ArchiveError("twins", f"{part} and {known} are one file on some disks; rename one", part)
    folders = {path.rsplit("/", depth)[0] for path in paths for depth in range(1, path.count("/") + 1)}
    for path in sorted(files & folders):
        yield ArchiveError("file_and_folder", f"{path} is a file and a folder at once", path)


def _shadows(paths: list[str]) -> Iterator[ArchiveError]:
    """Find top-level modules of a name that Python or Airflow has."""
    tops = sorted({path.split("/")[0].removesuffix(".py") for path in paths if path.endswith(".py")})
    for top in tops:
        if top.casefold() in STANDARD_LIBRARY:
            message = f"The top-level module {top} has the name of one of Python's; put it into a folder of your own"
            yield ArchiveError("shadows_python", message, top)
        if top.casefold() in ("airflow", "festaf"):
            message = f"The top-level module {top} has the name of an installed package; rename it"
            yield ArchiveError("shadows_airflow", message, top)


def shown(path: str) -> str:
    """Show a path that a stranger wrote: escaped, and not longer than a line."""
    return ascii(path if len(path) <= _SHOWN else f"{path[:_SHOWN]}...")
