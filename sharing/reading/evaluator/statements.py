"""Execute statements. Where a condition is not known both sides run, each in a doubt; what differs is unknown."""

from __future__ import annotations

import ast

from festaf.sharing.reading.airflow.contexts import enter, leave
from festaf.sharing.reading.evaluator.definitions import define_class, define_function
from festaf.sharing.reading.evaluator.items import iterate
from festaf.sharing.reading.evaluator.loops import for_, while_
from festaf.sharing.reading.evaluator.operations import binary, same_value
from festaf.sharing.reading.evaluator.targets import assign
from festaf.sharing.reading.machine import Execute, Machine, RaisedError, Signal, truth
from festaf.sharing.reading.scope import MISSING, Missing, Scope
from festaf.sharing.reading.values import Dict, External, List, LocalClass, Made, Set, Unknown


def expression(machine: Machine, node: ast.stmt, scope: Scope) -> Signal | None:
    """Evaluate an expression for what it does."""
    assert isinstance(node, ast.Expr)
    machine.evaluate(node.value, scope)
    return None


def assignment(machine: Machine, node: ast.stmt, scope: Scope) -> Signal | None:
    """Assign to one or more targets."""
    assert isinstance(node, ast.Assign)
    value = machine.evaluate(node.value, scope)
    for target in node.targets:
        assign(machine, target, value, scope)
    return None


def annotated(machine: Machine, node: ast.stmt, scope: Scope) -> Signal | None:
    """Assign to a target with a type."""
    assert isinstance(node, ast.AnnAssign)
    if node.value is not None:
        assign(machine, node.target, machine.evaluate(node.value, scope), scope)
    return None


def augmented(machine: Machine, node: ast.stmt, scope: Scope) -> Signal | None:
    """Apply an operator in place; a list is changed for everyone who holds it."""
    assert isinstance(node, ast.AugAssign)
    load = ast.copy_location(_loading(node.target), node.target)
    current = machine.evaluate(load, scope)
    value = machine.evaluate(node.value, scope)
    if isinstance(current, List) and isinstance(node.op, ast.Add):
        items, gap = iterate(machine, value, node, scope)
        machine.budget.make(len(current) + len(items))
        current.extend(items)
        current.gap = current.gap or gap or machine.gap_for(current.born)
        return None
    if isinstance(current, Set | Dict) and isinstance(node.op, ast.BitOr) and isinstance(value, type(current)):
        current.update(value)  # type: ignore[arg-type]  # Both are of one kind.
        current.gap = current.gap or value.gap or machine.gap_for(current.born)
        return None
    assign(machine, node.target, binary(machine, node.op, current, value, node, scope), scope)
    return None


def _loading(target: ast.expr) -> ast.expr:
    if isinstance(target, ast.Name):
        return ast.Name(target.id, ast.Load())
    if isinstance(target, ast.Attribute):
        return ast.Attribute(target.value, target.attr, ast.Load())
    if isinstance(target, ast.Subscript):
        return ast.Subscript(target.value, target.slice, ast.Load())
    return target


def if_(machine: Machine, node: ast.stmt, scope: Scope) -> Signal | None:
    """Run one side, or both when the condition is not known."""
    assert isinstance(node, ast.If)
    test = machine.evaluate(node.test, scope)
    decided = truth(test)
    if decided is not None:
        return machine.run(node.body if decided else node.orelse, scope)
    reason = test.reason if isinstance(test, Unknown) else "A condition is not known"
    return either(machine, [node.body, node.orelse], reason, node, scope)


def either(machine: Machine, bodies: list[list[ast.stmt]], reason: str, node: ast.AST, scope: Scope) -> Signal | None:
    """Run bodies of which exactly one will run; a body that raises is not the one."""
    place = machine.place(node, scope)
    before = dict(scope.names)
    outcomes: list[tuple[dict[str, object], Signal | None]] = []
    for body in bodies:
        scope.names.clear()
        scope.names.update(before)
        try:
            with machine.doubting(reason, place):
                signal = machine.run(body, scope)
        except RaisedError:
            continue
        outcomes.append((dict(scope.names), signal))
    if not outcomes:
        raise RaisedError("Exception", reason)
    ended = [signal for _, signal in outcomes if signal is not None]
    going = [names for names, signal in outcomes if signal is None]
    _join(scope, going or [names for names, _ in outcomes], Unknown(reason, place))
    return _join_signals(machine, ended, bool(going), Unknown(reason, place))


def _join(scope: Scope, outcomes: list[dict[str, object]], unknown: Unknown) -> None:
    """Keep what all outcomes agree on; the rest is unknown."""
    first, *rest = outcomes
    scope.names.clear()
    scope.names.update(first)
    for other in rest:
        for name in {**scope.names, **other}:
            mine, theirs = scope.names.get(name, MISSING), other.get(name, MISSING)
            if mine is theirs:
                continue
            if isinstance(mine, Missing) or isinstance(theirs, Missing):
                # A name that only one side defines is only used where that side ran.
                scope.names[name] = theirs if isinstance(mine, Missing) else mine
            elif not same_value(mine, theirs):
                scope.names[name] = unknown


def _join_signals(machine: Machine, ended: list[Signal], going: bool, unknown: Unknown) -> Signal | None:
    if not ended:
        return None
    returned = [signal.value for signal in ended if signal.kind == "return"]
    if going:
        # What follows runs only perhaps: the doubt stays until the function or the loop ends.
        from festaf.sharing.reading.values import Doubt

        if returned and machine.returns:
            machine.returns[-1].extend(returned)
        machine.doubts.append(Doubt(unknown.reason, unknown.place))
        return None
    if len(returned) == len(ended):
        value = returned[0] if all(same_value(returned[0], other) for other in returned[1:]) else unknown
        return Signal("return", value)
    return ended[0]


def try_(machine: Machine, node: ast.stmt, scope: Scope) -> Signal | None:
    """Run the body; a handler runs when the body certainly raises what it handles."""
    assert isinstance(node, ast.Try | ast.TryStar)
    try:
        signal = machine.run(node.body, scope)
        for missing in node.handlers:
            _make_optional(machine, missing, node, scope)
        if signal is None:
            signal = machine.run(node.orelse, scope)
    except RaisedError as error:
        handler = next((item for item in node.handlers if _handles(machine, item, error, scope)), None)
        if handler is None:
            machine.run(node.finalbody, scope)
            raise
        if handler.name:
            scope.names[handler.name] = machine.unknown("An exception that was caught", handler, scope)
        signal = machine.run(handler.body, scope)
    return machine.run(node.finalbody, scope) or signal


def _make_optional(machine: Machine, handler: ast.ExceptHandler, node: ast.Try | ast.TryStar, scope: Scope) -> None:
    """Let what an import binds be undecided where the handler of a failed import binds a constant instead."""
    imports = any(isinstance(item, ast.Import | ast.ImportFrom) for item in node.body)
    names = (
        {inner.id for inner in ast.walk(handler.type) if isinstance(inner, ast.Name)}
        if handler.type
        else {"ImportError"}
    )
    if not imports or not names & {"ImportError", "ModuleNotFoundError", "Exception"}:
        return
    for item in handler.body:
        if isinstance(item, ast.Assign) and isinstance(item.value, ast.Constant):
            for target in item.targets:
                if isinstance(target, ast.Name) and target.id in scope.names:
                    value = scope.names[target.id]
                    scope.names[target.id] = (
                        External(value.path, optional=True)
                        if isinstance(value, External)
                        else machine.plain("Whether a package is installed is not known", node, scope)
                        if isinstance(value, bool | None)
                        else value
                    )


HIERARCHY = {
    "KeyError": {"LookupError", "Exception"},
    "IndexError": {"LookupError", "Exception"},
    "ModuleNotFoundError": {"ImportError", "Exception"},
    "ImportError": {"Exception"},
    "FileNotFoundError": {"OSError", "Exception"},
}


def _handles(machine: Machine, handler: ast.ExceptHandler, error: RaisedError, scope: Scope) -> bool:
    if handler.type is None:
        return True
    value = machine.evaluate(handler.type, scope)
    kinds = value if isinstance(value, tuple) else (value,)
    names = {kind.name for kind in kinds if isinstance(kind, External | LocalClass)}
    return error.kind in names or bool(names & (HIERARCHY.get(error.kind, {"Exception"}) | {"BaseException"}))


def raise_(machine: Machine, node: ast.stmt, scope: Scope) -> Signal | None:
    """Raise for certain."""
    assert isinstance(node, ast.Raise)
    kind = "Exception"
    if node.exc is not None:
        value = machine.evaluate(node.exc, scope)
        if isinstance(value, Made):
            value = value.cls
        if isinstance(value, External):
            kind = value.name
    raise RaisedError(kind, f"raised in line {node.lineno}")


def with_(machine: Machine, node: ast.stmt, scope: Scope) -> Signal | None:
    """Run a body in contexts: DAGs, task groups, setups, files, and others that do nothing here."""
    assert isinstance(node, ast.With | ast.AsyncWith)
    opened: list[object] = []
    try:
        for item in node.items:
            value = enter(machine, machine.evaluate(item.context_expr, scope), item.context_expr, scope)
            opened.append(value)
            if item.optional_vars is not None:
                assign(machine, item.optional_vars, value, scope)
        return machine.run(node.body, scope)
    finally:
        for value in reversed(opened):
            leave(machine, value, node, scope)


def return_(machine: Machine, node: ast.stmt, scope: Scope) -> Signal | None:
    """End the function."""
    assert isinstance(node, ast.Return)
    return Signal("return", machine.evaluate(node.value, scope) if node.value is not None else None)


def break_(machine: Machine, node: ast.stmt, scope: Scope) -> Signal | None:
    """End the loop."""
    return Signal("break")


def continue_(machine: Machine, node: ast.stmt, scope: Scope) -> Signal | None:
    """End this round of the loop."""
    return Signal("continue")


def import_(machine: Machine, node: ast.stmt, scope: Scope) -> Signal | None:
    """Bind modules, read when they belong to the package."""
    assert isinstance(node, ast.Import)
    for alias in node.names:
        module = machine.modules.load(machine, alias.name, node, scope)
        if alias.asname:
            scope.home(alias.asname).names[alias.asname] = module
        else:
            root = alias.name.partition(".")[0]
            scope.home(root).names[root] = machine.modules.load(machine, root, node, scope)
    return None


def import_from(machine: Machine, node: ast.stmt, scope: Scope) -> Signal | None:
    """Bind names of a module."""
    assert isinstance(node, ast.ImportFrom)
    machine.modules.import_names(machine, node, scope)
    return None


def global_(machine: Machine, node: ast.stmt, scope: Scope) -> Signal | None:
    """Let names mean the module's, or an outer function's."""
    assert isinstance(node, ast.Global | ast.Nonlocal)
    for name in node.names:
        home = scope.module
        outer = scope.outer
        while isinstance(node, ast.Nonlocal) and outer is not None:
            if name in outer.names:
                home = outer
                break
            outer = outer.outer
        if home is not scope:
            scope.aliases[name] = home
    return None


def delete(machine: Machine, node: ast.stmt, scope: Scope) -> Signal | None:
    """Forget names and items."""
    assert isinstance(node, ast.Delete)
    for target in node.targets:
        if isinstance(target, ast.Name):
            scope.home(target.id).names.pop(target.id, None)
        elif isinstance(target, ast.Subscript):
            container = machine.evaluate(target.value, scope)
            key = machine.evaluate(target.slice, scope)
            _delete_item(machine, container, key, target, scope)
    return None


def _delete_item(machine: Machine, container: object, key: object, node: ast.AST, scope: Scope) -> None:
    if isinstance(container, Dict | List):
        if isinstance(key, str | int) and machine.gap_for(container.born) is None:
            try:
                del container[key]  # type: ignore[arg-type]
            except (KeyError, IndexError, TypeError):
                raise RaisedError("KeyError", "an item to delete is not there") from None
        else:
            container.gap = container.gap or machine.unknown("What is deleted here is not known", node, scope)


def match_(machine: Machine, node: ast.stmt, scope: Scope) -> Signal | None:
    """Run the case that matches a plain value, or all when it is not known."""
    assert isinstance(node, ast.Match)
    subject = machine.evaluate(node.subject, scope)
    for case in node.cases:
        decided = _matches(machine, case, subject, scope)
        if decided is None:
            bodies = [other.body for other in node.cases]
            return either(machine, [*bodies, []], "Which case of a match applies is not known", node, scope)
        if decided:
            return machine.run(case.body, scope)
    return None


def _matches(machine: Machine, case: ast.match_case, subject: object, scope: Scope) -> bool | None:
    pattern = case.pattern
    if case.guard is not None or isinstance(subject, Unknown):
        return None
    if isinstance(pattern, ast.MatchAs) and pattern.pattern is None:
        if pattern.name:
            scope.names[pattern.name] = subject
        return True
    options = pattern.patterns if isinstance(pattern, ast.MatchOr) else [pattern]
    for option in options:
        if not isinstance(option, ast.MatchValue | ast.MatchSingleton):
            return None
        value = option.value if isinstance(option, ast.MatchSingleton) else machine.evaluate(option.value, scope)
        if isinstance(value, Unknown):
            return None
        if same_value(value, subject):
            return True
    return False


def pass_(machine: Machine, node: ast.stmt, scope: Scope) -> Signal | None:
    """Do nothing."""
    return None


STATEMENTS: dict[type[ast.AST], Execute] = {
    ast.Expr: expression,
    ast.Assign: assignment,
    ast.AnnAssign: annotated,
    ast.AugAssign: augmented,
    ast.If: if_,
    ast.For: for_,
    ast.AsyncFor: for_,
    ast.While: while_,
    ast.Try: try_,
    ast.TryStar: try_,
    ast.Raise: raise_,
    ast.With: with_,
    ast.AsyncWith: with_,
    ast.Return: return_,
    ast.Break: break_,
    ast.Continue: continue_,
    ast.Import: import_,
    ast.ImportFrom: import_from,
    ast.Global: global_,
    ast.Nonlocal: global_,
    ast.Delete: delete,
    ast.Match: match_,
    ast.FunctionDef: define_function,
    ast.AsyncFunctionDef: define_function,
    ast.ClassDef: define_class,
    ast.Pass: pass_,
}
