"""The text of a task cell as a function, and back: the body is the cell, the head and the return are made."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from festaf.provider.notebooks.errors import CellError
from festaf.provider.notebooks.indentation import dedent, indent

if TYPE_CHECKING:
    from festaf.provider.notebooks.blueprint import Task


@dataclass(frozen=True)
class Written:
    """A function as it stands in a module, taken apart."""

    name: str
    decorators: str
    signature: str
    """From the opening parenthesis to the end of the line with the colon."""
    parameters: tuple[str, ...]
    body: str
    returns: tuple[str, ...]


def render(task: Task, decorators: str = "", doc: str = "") -> str:
    """Write a task cell as a function; ``doc`` is a docstring that stands above the cell's code."""
    source = task.cell.source.strip("\n")
    if task.is_function:
        return decorators + source
    keyword = "async def" if task.uses.awaits else "def"
    own = str(task.cell.settings.get("decorators", ""))
    head = f"{decorators}{own}{keyword} {task.name}{signature_of(task)}\n{doc}"
    body = indent(source) if _does_something(source) else indent(f"{source}\npass".lstrip("\n"))
    given = task.returns
    if not given:
        return f"{head}{body}"
    value = given[0] if len(given) == 1 else "{" + ", ".join(f'"{name}": {name}' for name in given) + "}"
    return f"{head}{body}\n    return {value}"


def _does_something(source: str) -> bool:
    return bool(ast.parse(source).body)


def signature_of(task: Task) -> str:
    """Write the parameters: as an author wrote them in the module while they are the same, or anew with their types."""
    recorded = task.cell.settings.get("signature")
    if not isinstance(recorded, str):
        return f"({', '.join(task.parameters)}):"
    try:
        arguments, result = _arguments(recorded)
    except SyntaxError:
        raise CellError(
            f"The metadata of cell [{task.cell.id}] hold a signature that is no Python: {recorded}"
        ) from None
    known = {argument.arg: ast.unparse(argument) for argument in _all(arguments)}
    if set(known) == set(task.parameters):
        return recorded
    inside = ", ".join(known.get(name, name) for name in task.parameters)
    return f"({inside}){f' -> {ast.unparse(result)}' if result else ''}:"


def derived_signature(task: Task) -> str:
    """The parameters as they are without anything that an author wrote."""
    return f"({', '.join(task.parameters)}):"


def _arguments(signature: str) -> tuple[ast.arguments, ast.expr | None]:
    function = ast.parse(f"def f{signature}\n    pass").body[0]
    if not isinstance(function, ast.FunctionDef):
        raise SyntaxError(signature)
    return function.args, function.returns


def _all(arguments: ast.arguments) -> list[ast.arg]:
    extra = [argument for argument in (arguments.vararg, arguments.kwarg) if argument]
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *extra]


def take_apart(text: str, label: str) -> Written:
    """Read a function back into the text of a cell, or say what no cell can hold."""
    function = ast.parse(text).body[0]
    if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
        raise CellError(f"{label} is a task and must be a function")
    lines = text.split("\n")
    if function.body[0].lineno == function.lineno:
        raise CellError(f"{label}: write the body of {function.name} on lines of its own")
    start = min([function.lineno, *(decorator.lineno for decorator in function.decorator_list)])
    decorators = "".join(f"{line}\n" for line in lines[start - 1 : function.lineno - 1])
    head_end = _end_of_head(lines, function)
    head = "\n".join(lines[function.lineno - 1 : head_end])
    signature = head[head.index(function.name, head.index("def ") + 4) + len(function.name) :]
    last = function.body[-1]
    returns: tuple[str, ...] = ()
    body_end = len(lines)
    if isinstance(last, ast.Return):
        returns = _returned(last, function.name, label)
        body_end = last.lineno - 1
    else:
        body_end = last.end_lineno or body_end
    _check_no_other_returns(function, label)
    around = [line for line in lines[: start - 1] + lines[last.end_lineno or body_end :] if line.strip()]
    body = dedent("\n".join([*around, *lines[head_end:body_end]]))
    if len(function.body) == 1 and isinstance(last, ast.Pass):
        body = body.removesuffix("pass")
    parameters = tuple(argument.arg for argument in _all(function.args))
    return Written(function.name, decorators, signature, parameters, body.strip("\n"), returns)


def _end_of_head(lines: list[str], function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The number of the line that ends the head: the first with which the head alone is a function."""
    for number in range(function.lineno, function.body[0].lineno):
        head = "\n".join(lines[function.lineno - 1 : number])
        try:
            ast.parse(head + "\n    pass")
        except SyntaxError:
            continue
        return number
    raise CellError(f"The head of {function.name} cannot be read")


def _returned(node: ast.Return, name: str, label: str) -> tuple[str, ...]:
    """The names that a last return gives: one, or a dictionary of them."""
    value = node.value
    if value is None:
        return ()
    if isinstance(value, ast.Name):
        return (value.id,)
    if isinstance(value, ast.Dict):
        pairs = zip(value.keys, value.values, strict=True)
        names = [
            item.id for key, item in pairs
            if isinstance(key, ast.Constant) and isinstance(item, ast.Name) and key.value == item.id
        ]  # fmt: skip
        if len(names) == len(value.values):
            return tuple(names)
    raise CellError(
        f"{label}: {name} returns {ast.unparse(value)!r}; a cell has no return, so give it a name and return the name "
        f'(several as {{"name": name, ...}})'
    )


def _check_no_other_returns(function: ast.FunctionDef | ast.AsyncFunctionDef, label: str) -> None:
    pending: list[ast.AST] = list(function.body)
    while pending:
        node = pending.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            continue
        if isinstance(node, (ast.Yield, ast.YieldFrom)) or (
            isinstance(node, ast.Return) and node is not function.body[-1]
        ):
            what = "returns in the middle" if isinstance(node, ast.Return) else "yields"
            raise CellError(
                f"{label}: {function.name} {what} (line {node.lineno} of its cell), which no cell can do; "
                f"write it in one path, or move it into an export cell that this one calls"
            )
        pending.extend(ast.iter_child_nodes(node))
