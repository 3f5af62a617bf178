"""Prove that an archive is what the registry and a publisher said: digest, and signature by a key that is trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from festaf.provider.dag_packages.errors import UntrustedPackageError
from festaf.sharing.errors import SignatureError
from festaf.sharing.signature import verify

if TYPE_CHECKING:
    from collections.abc import Sequence

    from festaf.contract.dag_package import PackageVersion, PublisherKey


def signer(found: PackageVersion, keys: Sequence[PublisherKey], *, required: bool) -> str | None:
    """Give the key whose signature over a version holds; None when nobody signed it and nobody has to.

    A signature was made at some time before the version was published; a key that expired later still counts.

    :param keys: those that are trusted
    :param required: whether a version without a signature is refused, so that none can be taken away
    :raises UntrustedPackageError: no trusted key signed it, or a signature is of something else
    """
    named = f"{found.namespace}/{found.name} {found.version}"
    reasons = []
    for signature in found.signatures:
        try:
            said = verify(signature, keys, at=found.published_at)
        except SignatureError as error:
            reasons.append(str(error))
            continue
        if (said.namespace, said.name, said.version, said.digest) != (
            *(found.namespace, found.name, found.version),
            found.digest,
        ):
            raise UntrustedPackageError(
                f"{named} carries a signature over {said.namespace}/{said.name} {said.version} ({said.digest}): it was "
                "taken from another version. Do not import it, and tell the owners of the namespace"
            )
        return signature.key_id
    if reasons:
        raise UntrustedPackageError(f"No key that is trusted here signed {named}: {'; '.join(reasons)}")
    if required:
        raise UntrustedPackageError(f"{named} is not signed, and versions of it that were used here are")
    return None
