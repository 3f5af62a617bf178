"""A folder in S3: small documents that are read and written whole, and what lies under a prefix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from festaf.contract.training_set import DataFile
from festaf.provider.errors import InputError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from festaf.provider.hooks.feature_store import FeatureStoreHook
    from festaf.provider.hooks.patience import Patience


@dataclass(frozen=True)
class Folder:
    """A folder by its URI, without a slash at the end; every call waits patiently while S3 throttles or fails."""

    hook: FeatureStoreHook
    patience: Patience
    uri: str

    @classmethod
    def of(cls, hook: FeatureStoreHook, patience: Patience, uri: str) -> Folder:
        """Take an ``s3://`` URI.

        :raises InputError: it is none
        """
        parts = urlsplit(uri)
        if parts.scheme != "s3" or not parts.netloc:
            raise InputError(f"{uri!r} is no S3 URI: write s3://bucket/prefix")
        return cls(hook, patience, uri.rstrip("/"))

    def under(self, name: str) -> Folder:
        """Give a folder in this one."""
        return Folder(self.hook, self.patience, f"{self.uri}/{name}")

    @property
    def bucket(self) -> str:
        """Give the bucket."""
        return urlsplit(self.uri).netloc

    def key(self, name: str) -> str:
        """Give the key of a name in this folder; the folder's own prefix for an empty name."""
        path = urlsplit(self.uri).path.strip("/")
        return f"{path}/{name}" if path else name

    def read(self, name: str) -> bytes | None:
        """Read a document (GetObject); None when there is none."""

        def ask() -> bytes | None:
            answer = self.hook.call_or_none("s3", "get_object", Bucket=self.bucket, Key=self.key(name))
            if answer is None:
                return None
            with answer["Body"] as body:
                content: bytes = body.read()
            return content

        return self.patience.ask(ask)

    def write(self, name: str, content: bytes) -> None:
        """Write a document (PutObject)."""
        self._put(name, content)

    def write_new(self, name: str, content: bytes) -> bytes:
        """Write a document unless there is one (PutObject with If-None-Match), and give what stands then."""
        try:
            self._put(name, content, IfNoneMatch="*")
        except RefusedError as error:
            # 412: it stands; 409: another is writing it now; 501: the store knows no conditions.
            if error.code not in {"PreconditionFailed", "ConditionalRequestConflict", "NotImplemented"}:
                raise
        found = self.read(name)
        if found is None:
            self.write(name, content)
            return content
        return found

    def files(self) -> Iterator[DataFile]:
        """List what lies in this folder (ListObjectsV2), empty objects that only mark a folder left out."""
        asked: dict[str, Any] = {"Bucket": self.bucket, "Prefix": self.key("")}
        while True:
            page = self.patience.ask(lambda: self.hook.call("s3", "list_objects_v2", **asked))
            for item in page.get("Contents", ()):
                if not item["Key"].endswith("/"):
                    yield DataFile(
                        uri=f"s3://{self.bucket}/{item['Key']}", bytes=item["Size"], etag=item["ETag"].strip('"')
                    )
            if not page.get("NextContinuationToken"):
                return
            asked["ContinuationToken"] = page["NextContinuationToken"]

    def copy(self, file: DataFile, name: str) -> None:
        """Copy an object into this folder within S3 (CopyObject, up to 5 GB)."""
        parts = urlsplit(file.uri)
        source = {"Bucket": parts.netloc, "Key": parts.path.lstrip("/")}
        self.patience.ask(
            lambda: self.hook.call("s3", "copy_object", Bucket=self.bucket, Key=self.key(name), CopySource=source)
        )

    def delete(self) -> int:
        """Delete everything in this folder, and give how many objects there were."""
        return self.patience.ask(lambda: self.hook.delete_objects(self.bucket, self.key("")))

    def delete_document(self, name: str) -> None:
        """Delete one document (DeleteObject); none is a success."""
        self.patience.ask(lambda: self.hook.call("s3", "delete_object", Bucket=self.bucket, Key=self.key(name)))

    def _put(self, name: str, content: bytes, **conditions: str) -> None:
        self.patience.ask(
            lambda: self.hook.call(
                "s3",
                "put_object",
                Bucket=self.bucket,
                Key=self.key(name),
                Body=content,
                ContentType="application/json",
                **conditions,
            )
        )
