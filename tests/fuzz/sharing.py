"""Throw mutated bytes at the readers of what strangers send: DAG files and archives.

    make fuzz FUZZ_SECONDS=1800

Nothing but the room's own refusals may come out of them, whatever goes in, and an archive that opens must be, byte for
byte, the one that its content makes. Seeds are Airflow's example DAGs and a small package; what libFuzzer finds
interesting is kept in ``tests/fuzz/corpus``, which is not committed. Words after the options go to libFuzzer.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["festaf.sharing"]):
    from festaf.sharing.archive import build_archive, open_archive
    from festaf.sharing.errors import SharingError
    from festaf.sharing.reading import read_file
    from festaf.sharing.signature import verify

from airflow import example_dags
from pydantic import ValidationError

from festaf.contract.dag_package import Signature
from tests.sharing.packages import archive

CORPUS = Path(__file__).parent / "corpus"
SOURCE, ARCHIVE, SIGNATURE = 0, 1, 2
LARGEST = 20_000
"""Bytes of a seed: larger ones make each of the thousands of runs slow."""


def feed(data: bytes) -> None:
    """Let one of the readers read; the first byte says which."""
    kind, content = (data[0] % 3 if data else SOURCE), data[1:]
    if kind == SOURCE:
        read_file({"dag.py": content, "helper.py": b"NAME = 'x'\n"}, "dag.py")
    elif kind == ARCHIVE:
        _open(content)
    else:
        _verify(content)


def _open(content: bytes) -> None:
    try:
        opened = open_archive(content)
    except SharingError:
        return
    assert build_archive(opened.manifest, opened.files) == content


def _verify(content: bytes) -> None:
    try:
        verify(Signature.model_validate_json(content), ())
    except (SharingError, ValidationError):
        return
    raise AssertionError("A signature held though no key is trusted")


def plant() -> None:
    """Write the seeds."""
    CORPUS.mkdir(exist_ok=True)
    for path in Path(next(iter(example_dags.__path__))).rglob("*.py"):
        content = path.read_bytes()
        if len(content) < LARGEST:
            (CORPUS / f"seed-{path.name}").write_bytes(bytes([SOURCE]) + content)
    (CORPUS / "seed-package").write_bytes(bytes([ARCHIVE]) + archive())
    (CORPUS / "seed-signature").write_bytes(
        bytes([SIGNATURE]) + Signature(payload_type="t", payload="", key_id="", signature="").model_dump_json().encode()
    )


if __name__ == "__main__":
    plant()
    atheris.Setup([sys.argv[0], str(CORPUS), *sys.argv[1:]], feed)
    atheris.Fuzz()
