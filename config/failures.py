"""
Which failures an operation can answer with, read from the code that it runs.

Nobody keeps a list for each operation: it would soon be out of date. Instead the verbs that a handler calls are
followed through our modules, by the names that they are called by, and every failure that one of them makes is taken
down. That may be more than ever happens, where a caller deals with a failure itself. What is called under another name
is found where a value of the settings, or a table of a module, names it.
"""

import ast
import inspect
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import Manager, Model, QuerySet
from django.utils.module_loading import import_string
from rest_framework import serializers
from rest_framework.exceptions import APIException

from core.errors import Failure

type_of_failure = type[Failure] | type[APIException]
# The roots of our own packages: nothing else is followed.
OURS = frozenset({
    "analytics", "antifraud", "campaigns", "config", "core", "events", "integrations", "members", "referrals",
    "rewards", "scoring", "tenants",
})  # fmt: skip
# Their methods are queries and forms, which make no failure of ours.
NOT_FOLLOWED = (Model, Manager, QuerySet, serializers.BaseSerializer, serializers.Field)
# It names every failure there is, and makes none.
NOT_READ = frozenset({"core.http.problems"})
# Parts of the syntax that do nothing with the names in them: types, and what is caught.
NOT_DONE = frozenset({"annotation", "returns", "decorator_list", "type"})
MISSING = object()


class Read(NamedTuple):
    """What one function makes, and what it calls."""

    failures: frozenset[type_of_failure]
    calls: frozenset[FunctionType]


def failures_of(*roots: FunctionType, of: type) -> frozenset[type_of_failure]:
    """Return every failure that functions can end with; `of` is the class that `self` is in them."""
    seen: set[FunctionType] = set()
    found: set[type_of_failure] = set()
    waiting = list(roots)
    while waiting:
        function = waiting.pop()
        if function not in seen:
            seen.add(function)
            read = _read(function, of if function in _methods_of(of) else None)
            found |= read.failures
            waiting += read.calls
    return frozenset(found)


@cache
def _read(function: FunctionType, owner: type | None) -> Read:
    failures: set[type_of_failure] = set()
    calls: set[FunctionType] = set()
    names = {**function.__globals__, **_closure(function)}
    for node in _expressions(_tree_of(function)):
        value = _value(node, names, owner)
        for each in _meant(value):
            if isinstance(each, type) and issubclass(each, Failure | APIException):
                failures.add(each)
            elif isinstance(each, type):
                calls |= _methods_of(each)
            else:
                calls.add(inspect.unwrap(each))
    return Read(frozenset(failures), frozenset(calls))


def _tree_of(function: FunctionType) -> ast.AST:
    return _functions_in(function.__code__.co_filename).get(function.__code__.co_firstlineno, ast.Module([], []))


@cache
def _functions_in(path: str) -> dict[int, ast.AST]:
    """Return the functions of a file by the line that they begin at: that of the first decorator."""
    if not Path(path).is_file():
        # Of named tuples and data classes, for example.
        return {}
    tree = ast.parse(Path(path).read_text(encoding="utf-8"))
    found = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.Lambda)]
    return {min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", ()))]): node for node in found}


def _expressions(tree: ast.AST) -> Iterator[ast.expr]:
    """Yield the names in a function that it does something with."""
    for node in _parts(tree):
        if isinstance(node, ast.Name | ast.Attribute):
            yield node
        # What the first part of a longer name stands for is not itself what is called.
        if not (isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)):
            yield from _expressions(node)


def _parts(tree: ast.AST) -> Iterator[ast.AST]:
    for name, value in ast.iter_fields(tree):
        if name not in NOT_DONE:
            yield from (each for each in (value if isinstance(value, list) else [value]) if isinstance(each, ast.AST))


def _value(node: ast.expr, names: Mapping[str, Any], owner: type | None) -> Any:
    if isinstance(node, ast.Name):
        return names.get(node.id, MISSING)
    if isinstance(node, ast.Attribute):
        is_own = isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}
        above = owner if is_own and owner is not None else _value(node.value, names, owner)
        if above is settings:
            return _named_by(getattr(settings, node.attr, MISSING))
        if isinstance(above, ModuleType | type):
            return inspect.getattr_static(above, node.attr, MISSING)
    return MISSING


def _named_by(setting: Any) -> Any:
    """Return what a setting names by dotted paths."""
    if isinstance(setting, Mapping):
        return [_named_by(each) for each in setting.values()]
    if isinstance(setting, list | tuple):
        return [_named_by(each) for each in setting]
    if isinstance(setting, str) and setting.partition(".")[0] in OURS:
        try:
            return import_string(setting)
        except ImportError:
            return MISSING
    return MISSING


def _meant(value: Any) -> Iterator[Any]:
    """Yield the functions, classes and failures that a value stands for: itself, or what it holds."""
    if isinstance(value, Mapping):
        yield from (each for inner in value.values() for each in _meant(inner))
    elif isinstance(value, list | tuple | set | frozenset):
        yield from (each for inner in value for each in _meant(inner))
    else:
        value = getattr(value, "__func__", value)
        value = inspect.unwrap(value) if callable(value) and not isinstance(value, type) else value
        if isinstance(value, FunctionType | type) and _is_ours(value):
            yield value


def _is_ours(value: FunctionType | type) -> bool:
    return value.__module__.partition(".")[0] in OURS and value.__module__ not in NOT_READ and value is not Failure


@cache
def _methods_of(owner: type) -> frozenset[FunctionType]:
    if issubclass(owner, (*NOT_FOLLOWED, Failure)):
        return frozenset()
    found: Iterable[Any] = (value for base in owner.__mro__ for value in vars(base).values())
    return frozenset(
        each
        for value in found
        for each in _meant(value.fget if isinstance(value, property) else value)
        if isinstance(each, FunctionType)
    )


def _closure(function: FunctionType) -> dict[str, Any]:
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    return {name: cell.cell_contents for name, cell in cells}
