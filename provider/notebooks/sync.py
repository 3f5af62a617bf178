"""Keep a notebook and a module in step: what one side changed goes to the other, and two changes are a conflict.

Both sides hold the hash of what they were when they were last in step. It says which of them changed since; when
their contents agree, it does not matter, so a repeat after a crash between the two writes finds them in step.
"""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from festaf.provider.notebooks.blueprint import draw, task_name
from festaf.provider.notebooks.document import Cell, Document, fresh_id, read_document
from festaf.provider.notebooks.errors import CellError, ConflictError, NotebookError, UnreadableError
from festaf.provider.notebooks.files import Original, write_all
from festaf.provider.notebooks.function import Written, derived_signature, signature_of, take_apart
from festaf.provider.notebooks.module import MARKER, Module, Part, hash_of, parts_of, read_module, write_module

Side = Literal["notebook", "module"]


@dataclass(frozen=True)
class Step:
    """What a sync found and, unless it was only to look, did."""

    notebook: Path
    module: Path
    state: Literal["in step", "new", "notebook", "module"]
    """``notebook`` or ``module``: the side that changed and was taken; ``new``: there was no module."""
    updated: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    difference: str = ""
    written: tuple[Path, ...] = ()


def sync(
    notebook: Path, module: Path | None = None, *, prefer: Side | None = None, delete: bool = False, write: bool = True
) -> Step:
    """Bring a notebook and a module in step, or say why that is not done."""
    if not notebook.exists():
        raise UnreadableError(f"There is no notebook {notebook}")
    original = Original.read(notebook)
    document = read_document(original.text, notebook.name)
    target = Original.read(module or _module_path(notebook, document))
    if target.path.suffix != ".py":
        raise UnreadableError(f"{target.path} is no Python module: its name must end with .py")
    document.give_ids()
    if target.data is None:
        step, new = _Sync(document, None, prefer, delete).first(notebook)
    else:
        step, new = _Sync(document, read_module(target.text, target.path.name), prefer, delete).run()
    recorded = Path(os.path.relpath(target.path, notebook.parent)).as_posix()
    document.settings = document.settings | {"sync": {"module": recorded, "hash": new.state}}
    new = replace(new, notebook=Path(os.path.relpath(notebook, target.path.parent)).as_posix())
    text = write_module(new, read_module(target.text, target.path.name) if target.data is not None else None)
    _check_written(text, new, target.path.name, document)
    changes = [target.with_text(text), original.with_text(document.text())]
    difference = "".join(_difference(change.original, change.data) for change in changes if change.needed)
    written = write_all(changes) if write else ()
    return replace(step, notebook=notebook, module=target.path, difference=difference, written=written)


def _module_path(notebook: Path, document: Document) -> Path:
    """The module that the notebook was in step with last, or one of its own name beside it."""
    recorded = document.settings.get("sync", {})
    if isinstance(recorded, dict) and isinstance(recorded.get("module"), str):
        return notebook.parent / str(recorded["module"])
    stem = "".join(letter if letter.isalnum() else "_" for letter in notebook.stem)
    return notebook.with_name(f"{stem if stem.isidentifier() else f'nb_{stem}'}.py")


def _check_written(text: str, module: Module, name: str, document: Document) -> None:
    """Read the module back before it is written: it must say what the notebook says."""
    for cell in document.cells:
        if cell.role is not None and any(MARKER.match(line) for line in cell.source.split("\n")):
            raise CellError(
                f"{document.label(cell)} has a line that begins with '# %%', which starts a cell in a module"
            )
    try:
        compile(text, name, "exec", dont_inherit=True)
    except SyntaxError as error:
        raise CellError(f"The cells make no valid module: {error.msg} (line {error.lineno} of {name})") from None
    if hash_of(read_module(text, name).parts) != module.state:
        raise NotebookError(f"{name} would not read back as it is written; nothing was written")


def _difference(original: Original, data: bytes) -> str:
    """Show how a file changes."""
    old, new = original.text.splitlines(keepends=True), data.decode().replace("\r\n", "\n").splitlines(keepends=True)
    name = str(original.path)
    return "".join(line if line.endswith("\n") else line + "\n" for line in difflib.unified_diff(old, new, name, name))


class _Sync:
    """One run, on a notebook that is changed where it stands."""

    def __init__(self, document: Document, module: Module | None, prefer: Side | None, delete: bool) -> None:
        self.document = document
        self.module = module or Module("", ())
        self.prefer = prefer
        self.delete = delete
        self.plan = draw(document)
        self.parts = parts_of(self.plan)
        self.notes: list[str] = []

    def first(self, notebook: Path) -> tuple[Step, Module]:
        """Write a module where none is."""
        if not self.parts:
            raise CellError(
                f"{notebook.name} has no cell tagged export, task or parameters, so there is nothing to keep in step; "
                f"tag the cells that a module should have"
            )
        preamble = f'"""Code of the notebook {notebook.name}; both are kept in step by ``festaf notebook sync``."""\n'
        return self._done("new", added=[part.id for part in self.parts], preamble=preamble)

    def run(self) -> tuple[Step, Module]:
        """Find the side that changed and take it."""
        ours = {part.id: part.canonical for part in self.parts}
        theirs = {part.id: part.canonical for part in self.module.parts if part.id}
        new = [part for part in self.module.parts if not part.id]
        if list(ours.items()) == list(theirs.items()) and not new:
            return self._done("in step")
        side = self.prefer or self._changed_side()
        updated = [cell_id for cell_id in ours if cell_id in theirs and ours[cell_id] != theirs[cell_id]]
        gone_here = [cell_id for cell_id in theirs if cell_id not in ours]
        gone_there = [cell_id for cell_id in ours if cell_id not in theirs]
        if side == "notebook":
            self._check_deleted("notebook", gone_here + ["without a marker" for _ in new], "module")
            return self._done("notebook", updated=updated, added=gone_there, deleted=gone_here)
        if gone_here:
            raise CellError(
                f"The module has the markers of cells that are not tagged in the notebook, or are not there: "
                f"{', '.join(gone_here)}; take a marker's [nb:...] away, and its text becomes a new cell"
            )
        self._check_deleted("module", gone_there, "notebook")
        added = self._take_module(set(gone_there))
        return self._done("module", updated=updated, added=added, deleted=gone_there)

    def _changed_side(self) -> Side:
        recorded = self.document.settings.get("sync", {})
        base = recorded.get("hash") if isinstance(recorded, dict) else None
        notebook_changed, module_changed = hash_of(self.parts) != base, self.module.hash != base
        if base is not None and base == self.module.state and notebook_changed != module_changed:
            return "notebook" if notebook_changed else "module"
        why = "both changed since they were in step" if base == self.module.state else "they were never in step"
        if base is None and self.module.state is None:
            why = "the module stands already and was not made from it"
        raise ConflictError(
            f"The notebook and the module differ, and {why}. Nothing was written: take over by hand what you "
            f"want to keep, then say which to take with --prefer notebook or --prefer module",
            self._show_both(),
        )

    def _show_both(self) -> str:
        texts = [
            "\n".join(
                line for part in parts for line in (f"[{part.id}] {list(part.tags)}", *part.canonical[2].split("\n"))
            )
            for parts in (self.parts, self.module.parts)
        ]
        lines = difflib.unified_diff(texts[0].split("\n"), texts[1].split("\n"), "notebook", "module", lineterm="")
        return "\n".join(lines) + "\n"

    def _check_deleted(self, side: Side, gone: list[str], other: str) -> None:
        if gone and not self.delete:
            raise CellError(
                f"The {side} has no longer what the {other} has: cells {', '.join(gone)}. Nothing was written; "
                f"delete them from the {other}, too, with --delete"
            )

    def _take_module(self, gone: set[str]) -> list[str]:
        """Change the notebook as the module says; cells that the module left alone are not touched."""
        cells = {cell.id: cell for cell in self.document.cells}
        ours = {part.id: part for part in self.parts}
        kept = [part.id for part in self.module.parts if part.id]
        if kept != [part.id for part in self.parts if part.id not in gone]:
            raise CellError("The module's cells stand in another order than the notebook's; move them in the notebook")
        self.document.cells = [cell for cell in self.document.cells if cell.id not in gone]
        bodies: list[tuple[Cell, Written]] = []
        added: list[str] = []
        position = next(
            (place for place, cell in enumerate(self.document.cells) if cell.role), len(self.document.cells)
        )
        for part in self.module.parts:
            if part.id:
                cell = cells[part.id]
                if ours[part.id].canonical != part.canonical:
                    self._update(cell, part, bodies)
                position = self.document.cells.index(cell) + 1
            else:
                given = fresh_id(f"{len(cells) + len(added)}\n{part.text}", set(cells) | set(added))
                cell = Cell.made("code", part.canonical[2], given, list(part.tags))
                self.document.cells.insert(position, cell)
                position += 1
                added.append(given)
        self.plan = draw(self.document)
        for cell, written in bodies:
            self._keep_head(cell, written)
        return added

    def _update(self, cell: Cell, part: Part, bodies: list[tuple[Cell, Written]]) -> None:
        task = self.plan.task_of(cell)
        if tuple(cell.tags) != part.tags:
            cell.tags = list(part.tags)
        if task is None or task.is_function or cell.role != "task":
            cell.source = part.canonical[2]
            return
        written = take_apart(part.canonical[2], self.document.label(cell))
        cell.source = written.body
        settings = {
            key: value for key, value in cell.settings.items() if key not in ("signature", "returns", "decorators")
        }
        settings.pop("name", None)
        cell.settings = settings
        if written.name != task_name(self.document, cell):
            settings["name"] = written.name
        if written.decorators:
            settings["decorators"] = written.decorators
        cell.settings = settings
        bodies.append((cell, written))

    def _keep_head(self, cell: Cell, written: Written) -> None:
        """Record what the author gave the function beyond what the cells say: types, order, more results."""
        task = self.plan.task_of(cell)
        if task is None:
            return
        if set(written.returns) > set(task.returns) and set(written.returns) <= set(task.uses.binds):
            cell.settings = cell.settings | {"returns": list(written.returns)}
        elif written.returns != task.returns:
            self.notes.append(
                f"{task.name} returns {', '.join(task.returns) or 'nothing'}: what later cells read of it"
            )
        if written.signature != derived_signature(task):
            cell.settings = cell.settings | {"signature": written.signature}
            if (head := signature_of(task)) == derived_signature(task):
                cell.settings = {key: value for key, value in cell.settings.items() if key != "signature"}
            else:
                cell.settings = cell.settings | {"signature": head}
        if set(written.parameters) != set(task.parameters):
            self.notes.append(f"{task.name} takes {', '.join(task.parameters) or 'nothing'}: what its cell reads")

    def _done(
        self,
        state: Literal["in step", "new", "notebook", "module"],
        *,
        updated: list[str] | None = None,
        added: list[str] | None = None,
        deleted: list[str] | None = None,
        preamble: str | None = None,
    ) -> tuple[Step, Module]:
        plan = draw(self.document)
        parts = parts_of(plan)
        module = Module(self.module.preamble if preamble is None else preamble, parts, hash_of(parts))
        step = Step(
            Path(),
            Path(),
            state,
            tuple(updated or ()),
            tuple(added or ()),
            tuple(deleted or ()),
            (*plan.notes, *self.notes),
        )
        return step, module
