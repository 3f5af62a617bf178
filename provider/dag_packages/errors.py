"""What goes wrong with DAG packages on the Airflow side.

FestafError
└── PackageError                 FinalError: a retry cures none of these
    ├── LockError                the lock file cannot be read, contradicts itself, or is in use
    ├── StoreError               a copy on the disk is not what it must be, or cannot be written
    ├── UntrustedPackageError    digest, signature or policy say no
    ├── QuarantinedError         the registry says that nobody may run it
    └── TargetError              this Airflow lacks something; ``lacking`` names all of it
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from festaf.provider.errors import FinalError

if TYPE_CHECKING:
    from festaf.provider.dag_packages.importing.lack import Lack


class PackageError(FinalError):
    """Something is wrong with a DAG package."""


class LockError(PackageError):
    """The lock file cannot be used."""


class StoreError(PackageError):
    """A copy on the disk cannot be used or made."""


class UntrustedPackageError(PackageError):
    """What came is not what was promised, or nobody who is trusted promised it."""


class QuarantinedError(PackageError):
    """Nobody may run it."""


class TargetError(PackageError):
    """This Airflow lacks what the package needs."""

    def __init__(self, message: str, lacking: tuple[Lack, ...] = ()) -> None:
        super().__init__(message, lacking)
        self.message = message
        self.lacking = lacking

    def __str__(self) -> str:
        return self.message
