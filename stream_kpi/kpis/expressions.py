"""The language of formulas in the settings: text -> a checked tree (pure).

``count(x)``, ``sum(x)``, ``mean(x)``, ``quantile(x, 0.9)`` and ``level(x)`` of a measure of the vocabulary, numbers,
``+ - * /`` and parentheses. Python's grammar gives the precedence; of its syntax only this much is allowed.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from operator import add, mul, sub, truediv
from typing import Final, Literal, NamedTuple

from stream_kpi.kpis.vocabulary import OFFERED
from stream_kpi.measures.registry import Kind, Measure

MOST_CHARS: Final = 500
"""Of a formula."""
_GREATEST_NUMBER: Final = 1e9

Operator = Literal["+", "-", "*", "/"]
_OPERATORS: Final[dict[type[ast.operator], Operator]] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_ARITHMETIC: Final[dict[Operator, Callable[[float, float], float]]] = {"+": add, "-": sub, "*": mul, "/": truediv}
_FUNCTIONS: Final = ("count", "sum", "mean", "quantile", "level")


class Dimension(NamedTuple):
    """Exponents of the units that a figure is in: seconds per seconds are none."""

    seconds: int = 0
    money: int = 0
    points: int = 0

    def __str__(self) -> str:
        powers = [
            name if power == 1 else f"{name}^{power}" for name, power in zip(self._fields, self, strict=True) if power
        ]
        return " x ".join(powers) or "plain numbers"


PLAIN: Final = Dimension()


@dataclass(frozen=True, slots=True)
class Number:
    """A number of the formula's text."""

    value: float

    @property
    def dimension(self) -> Dimension:
        """None."""
        return PLAIN


@dataclass(frozen=True, slots=True)
class Reading:
    """A function of a measure."""

    function: str
    measure: Measure
    q: float = 0
    """Of a quantile: which, 0 to 1."""

    @property
    def dimension(self) -> Dimension:
        """That of the measure's values; counts and levels have none, unless they are amounts of money."""
        offered = OFFERED[self.measure.name]
        if offered.is_money:
            return Dimension(money=1)
        if self.function in {"count", "level"}:
            return PLAIN
        return Dimension(seconds=1) if self.measure.kind is Kind.DURATION else Dimension(points=1)


@dataclass(frozen=True, slots=True)
class Operation:
    """Two figures put together. Both sides of a sum have one dimension."""

    operator: Operator
    left: Expression
    right: Expression

    @property
    def dimension(self) -> Dimension:
        """That of the result."""
        left, right = self.left.dimension, self.right.dimension
        if self.operator in "+-":
            return left
        sign = 1 if self.operator == "*" else -1
        return Dimension(*[one + sign * other for one, other in zip(left, right, strict=True)])


Expression = Number | Reading | Operation


def parse(text: str) -> Expression:
    """The tree of a formula.

    Raises:
        ValueError: with what is allowed instead, for people.
    """
    if len(text) > MOST_CHARS:
        raise ValueError(f"must have at most {MOST_CHARS} characters")
    line = " ".join(text.split())
    if not (line.isascii() and line.isprintable()) or "#" in line:
        raise ValueError("must be made of printable ASCII characters, without comments")
    try:
        expression = _expression(ast.parse(line, mode="eval").body)
    except SyntaxError as error:
        raise ValueError(f"is no formula: see character {error.offset}") from error
    except RecursionError as error:
        raise ValueError("is no formula: it is nested too deeply") from error
    if not readings(expression):
        raise ValueError("must read a measure, such as count(tickets_created)")
    return expression


def readings(expression: Expression) -> tuple[Reading, ...]:
    """What the tree reads, each once, from left to right."""
    if isinstance(expression, Operation):
        return tuple(dict.fromkeys(readings(expression.left) + readings(expression.right)))
    return (expression,) if isinstance(expression, Reading) else ()


def is_sum(expression: Expression) -> bool:
    """Whether figures of the cuts of a dimension add up: sums, differences and multiples of what is counted."""
    if isinstance(expression, Reading):
        return expression.function in {"count", "sum", "level"}
    if isinstance(expression, Number):
        return False
    if expression.operator in "+-":
        return is_sum(expression.left) and is_sum(expression.right)
    if expression.operator == "*" and isinstance(expression.left, Number):
        return is_sum(expression.right)
    return is_sum(expression.left) and isinstance(expression.right, Number)


def as_ratio(expression: Expression) -> tuple[Expression, Expression] | None:
    """Numerator and denominator, both sums, that the tree is the quotient of: of ``1 - count(a) / count(b)`` too. None
    if it is no ratio of sums."""
    parts = _quotient(expression)
    if parts is None or parts[1] is None or not (is_sum(parts[0]) and is_sum(parts[1])):
        return None
    return parts[0], parts[1]


_Quotient = tuple[Expression, Expression | None]


def _quotient(expression: Expression) -> _Quotient | None:
    """The tree as what is above and what is below one line (None: there is none); None if it has several lines."""
    if isinstance(expression, Reading) and expression.function == "mean":
        return Reading("sum", expression.measure), Reading("count", expression.measure)
    if not isinstance(expression, Operation):
        return None if isinstance(expression, Reading) and expression.function == "quantile" else (expression, None)
    left, right = _quotient(expression.left), _quotient(expression.right)
    if left is None or right is None:
        return None
    (above, below), (right_above, right_below) = left, right
    if expression.operator == "/":
        if isinstance(right_above, Number) and right_below is None:
            return Operation("/", above, right_above), below
        return (above, right_above) if below is None and right_below is None else None
    if expression.operator == "*":
        if below is None or right_below is None:
            one_is_number = isinstance(above if below is None else right_above, Number)
            if one_is_number or (below is None and right_below is None):
                return Operation("*", above, right_above), below or right_below
        return None
    if below is None and right_below is not None and isinstance(above, Number):
        above, below = Operation("*", above, right_below), right_below
    elif right_below is None and below is not None and isinstance(right_above, Number):
        right_above, right_below = Operation("*", right_above, below), below
    return (Operation(expression.operator, above, right_above), below) if below == right_below else None


def _expression(node: ast.expr) -> Expression:
    if isinstance(node, ast.Constant):
        return _number(node)
    if isinstance(node, ast.Call):
        return _reading(node)
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return _operation(_OPERATORS[type(node.op)], _expression(node.left), _expression(node.right))
    if isinstance(node, ast.Name) and node.id in OFFERED:
        raise ValueError(f"must say what of {node.id}, such as {OFFERED[node.id].functions[0]}({node.id})")
    raise ValueError(f"{ast.unparse(node)} is not allowed; only numbers, + - * /, parentheses and {_named(_FUNCTIONS)}")


def _number(node: ast.Constant) -> Number:
    value = _real(node)
    if value is None or not 0 <= value <= _GREATEST_NUMBER:
        raise ValueError(f"{ast.unparse(node)} is not allowed; a number must be from 0 to {_GREATEST_NUMBER:,.0f}")
    return Number(value)


def _real(node: ast.expr) -> float | None:
    value = node.value if isinstance(node, ast.Constant) else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _operation(operator: Operator, left: Expression, right: Expression) -> Expression:
    if operator in "+-" and left.dimension != right.dimension:
        word = "add" if operator == "+" else "subtract"
        raise ValueError(f"cannot {word} {left.dimension} and {right.dimension}")
    if operator == "/" and isinstance(right, Number) and right.value <= 0:
        raise ValueError(f"cannot divide by {right.value:g}")
    if isinstance(left, Number) and isinstance(right, Number):
        return Number(_ARITHMETIC[operator](left.value, right.value))
    return Operation(operator, left, right)


def _reading(node: ast.Call) -> Reading:
    function = node.func.id if isinstance(node.func, ast.Name) else ast.unparse(node.func)
    if function not in _FUNCTIONS:
        raise ValueError(f"there is no function {function}; must be one of {_named(_FUNCTIONS)}")
    wanted = 2 if function == "quantile" else 1
    example = "quantile(first_response, 0.9)" if wanted == 2 else f"{function}(NAME)"
    if len(node.args) != wanted or node.keywords or not isinstance(node.args[0], ast.Name):
        raise ValueError(f"{ast.unparse(node)} must be written as {example}")
    name = node.args[0].id
    offered = OFFERED.get(name)
    if offered is None:
        close = get_close_matches(name, sorted(OFFERED), n=1, cutoff=0)[0]
        raise ValueError(f"there is no measure {name}; the nearest is {close}, docs/custom-kpis.md lists all")
    if function not in offered.functions:
        raise ValueError(f"{function}({name}) has no meaning; of {name} there is {_named(offered.functions)}")
    return Reading(function, offered.measure, _rank(node.args[1]) if wanted == 2 else 0)


def _rank(node: ast.expr) -> float:
    q = _real(node)
    if q is None or not 0 <= q <= 1:
        raise ValueError(f"a quantile must be a number from 0 to 1, not {ast.unparse(node)}")
    return q


def _named(names: tuple[str, ...]) -> str:
    return ", ".join(names)
