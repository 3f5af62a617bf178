"""What a DAG does, told for people: from its text alone, without importing it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from festaf.contract.dag_inspection import DagInspection, FileInspection

NEEDS = ("connections", "variables", "pools", "assets", "providers", "requirements", "local_modules")


def facts(text: str, path: Path) -> FileInspection:
    """Read the file as ``festaf dag inspect`` does, with the modules beside it."""
    from festaf.sharing.reading import read_file
    from festaf.sharing.reading.folder import Folder, TooManyFilesError, import_root

    if not path.exists():
        return read_file({path.name: text.encode()}, path.name)
    root = import_root(path.resolve())
    try:
        return read_file(Folder(root), path.resolve().relative_to(root).as_posix())
    except TooManyFilesError:
        return read_file({path.name: text.encode()}, path.name)


def tell(dag: DagInspection, name: str) -> list[str]:
    """Tell of a DAG: its title and words, when it runs, what it needs, and its graph."""
    texts = [f"# {dag.dag_id or name}\n\n{(dag.doc_md or dag.description or '').strip()}".strip()]
    lines = [
        f"- file: `{name}`",
        f"- schedule: {f'`{dag.schedule}`' if dag.schedule else 'none; it is started by hand'}",
    ]
    lines += [f"- {word}: {', '.join(value)}" for word, value in (("owner", dag.owners), ("tags", dag.tags)) if value]
    for need in NEEDS:
        if named := getattr(dag, need):
            lines.append(f"- {need.replace('_', ' ')}: {', '.join(f'`{one}`' for one in named)}")
    lines += [f"- not decided: {open_.what}: {open_.reason}" for open_ in dag.unresolved]
    texts.append("## What it does\n\n" + "\n".join(lines))
    if dag.tasks:
        texts.append(f"## The graph\n\n```mermaid\n{_graph(dag)}\n```")
    return texts


def _graph(dag: DagInspection) -> str:
    numbers = {task.task_id: f"t{number}" for number, task in enumerate(dag.tasks)}
    lines = ["graph LR", *(f'    {numbers[task.task_id]}["{task.task_id}"]' for task in dag.tasks)]
    for task in dag.tasks:
        lines += [f"    {numbers[task.task_id]} --> {numbers[other]}" for other in task.downstream if other in numbers]
    return "\n".join(lines)
