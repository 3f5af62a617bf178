"""Refuse names of packages that people would take for another one's."""

from __future__ import annotations

from festaf.registry_api.access.caller import Caller
from festaf.registry_api.dag_packages.repository import PackageRepository
from festaf.registry_api.errors import ConflictError
from festaf.sharing.names import look_alike, look_alike_key

HOW = "choose another name, or let an administrator of the namespace send it with allow_look_alike=true"


def refuse_alike(packages: PackageRepository, caller: Caller, namespace: str, name: str, *, allowed: bool) -> None:
    """Make sure that a new package's name is not read as another's.

    Within a namespace no name may be one character away from another. Of other namespaces only those names count that
    are read alike, such as ``sales`` and ``sa1es``, and only those that the caller sees: anything else would tell of
    what is hidden. The same name in another namespace is no trick.

    :param allowed: an administrator of the namespace says that it is meant
    :raises ConflictError: the name is read as another's
    """
    if allowed:
        caller.require_project_admin(namespace)
        return
    if (other := look_alike(name, sorted(packages.names(namespace)))) is not None:
        raise ConflictError(f"the name {name!r} looks like {namespace}/{other}, which stands already; {HOW}")
    for found in packages.alike(look_alike_key(name), caller.sight):
        if found.name != name:
            raise ConflictError(f"the name {name!r} looks like {found.namespace}/{found.name}; {HOW}")
