"""Where baselines and reports are kept: objects in S3, or files."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from festaf.provider.errors import InputError, RefusedError, ServiceError

if TYPE_CHECKING:
    from festaf.provider.hooks.aws import AwsHook

STANDS = frozenset({"PreconditionFailed", "412"})
BUSY = "ConditionalRequestConflict"
"""Someone else writes the same object at this moment: the same request may succeed."""


@dataclass(frozen=True)
class Store:
    """Reads and writes texts by URI: ``s3://bucket/key``, ``file://`` or a path."""

    hook: AwsHook

    def read(self, uri: str) -> bytes | None:
        """Read a text; None when there is none."""
        place = _place(uri)
        if isinstance(place, Path):
            return place.read_bytes() if place.is_file() else None
        bucket, key = place
        answer = self.hook.call_or_none("s3", "get_object", Bucket=bucket, Key=key)
        if answer is None:
            return None
        body: bytes = answer["Body"].read()
        return body

    def write(self, uri: str, content: bytes, content_type: str) -> None:
        """Write a text, whatever stood there."""
        place = _place(uri)
        if isinstance(place, Path):
            _replace(place, content)
            return
        bucket, key = place
        self.hook.call("s3", "put_object", Bucket=bucket, Key=key, Body=content, ContentType=content_type)

    def create(self, uri: str, content: bytes, content_type: str) -> bool:
        """Write a text where none stands; False when one does."""
        place = _place(uri)
        if isinstance(place, Path):
            place.parent.mkdir(parents=True, exist_ok=True)
            draft = place.with_name(f".{place.name}.{os.getpid()}")
            draft.write_bytes(content)
            try:
                # A link appears whole and never replaces what stands.
                os.link(draft, place)
            except FileExistsError:
                return False
            finally:
                with contextlib.suppress(FileNotFoundError):
                    draft.unlink()
            return True
        bucket, key = place
        asked = {"Bucket": bucket, "Key": key, "Body": content, "ContentType": content_type, "IfNoneMatch": "*"}
        try:
            self.hook.call("s3", "put_object", **asked)
        except RefusedError as error:
            if error.code in STANDS:
                return False
            if error.code == BUSY:
                raise ServiceError(str(error), code=error.code, operation=error.operation) from error
            raise
        return True


def below(uri: str, *parts: str) -> str:
    """Name what lies below a folder."""
    return "/".join([uri.rstrip("/"), *parts])


def _place(uri: str) -> Path | tuple[str, str]:
    parts = urlsplit(uri)
    if parts.scheme in {"", "file"}:
        return Path(unquote(parts.path) if parts.scheme else uri).expanduser().absolute()
    bucket, key = parts.netloc, parts.path.lstrip("/")
    if parts.scheme != "s3" or not bucket or not key:
        raise InputError(f"{uri} is no place: write s3://bucket/key, file:// or a path")
    return bucket, key


def _replace(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_bytes(content)
    draft.replace(path)
