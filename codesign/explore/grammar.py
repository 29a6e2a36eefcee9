"""The grammar of constraints: arithmetic, comparisons and words, and nothing that could run.

    either  = both {"or" both}
    both    = maybe {"and" maybe}
    maybe   = "not" maybe | compare
    compare = sum [("<=" | "<" | ">=" | ">" | "==" | "!=") sum]
    sum     = term {("+" | "-") term}
    term    = sign {("*" | "/") sign}
    sign    = "-" sign | atom
    atom    = number | 'text' | name | ("min" | "max") "(" sum {"," sum} ")" | "(" either ")"

A name has letters, digits, ``_`` and dots: ``sram.size``, ``params``.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from codesign.errors import StudyError, did_you_mean

Value: TypeAlias = "float | int | str | bool"
Values: TypeAlias = "Mapping[str, Value]"

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<text>'[^']*'|\"[^\"]*\")"
    r"|(?P<name>[A-Za-z_][\w.]*)"
    r"|(?P<sign><=|>=|==|!=|[-+*/()<>,]))"
)
_LIMIT = re.compile(
    r"\s*(?P<name>[A-Za-z_][\w.]*)\s*<=?\s*(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*"
)
_COMPARE: Mapping[str, Callable[[Value, Value], bool]] = {
    "<=": operator.le,
    "<": operator.lt,
    ">=": operator.ge,
    ">": operator.gt,
    "==": operator.eq,
    "!=": operator.ne,
}
_ARITHMETIC: Mapping[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
_WORDS = ("and", "or", "not")
_LENGTH = 500
"""Most characters of a constraint."""
_DEPTH = 50
"""Most brackets and signs within one another: a text from anyone may not exhaust the stack."""

_Node: TypeAlias = "Callable[[Values], Value]"


@dataclass(frozen=True)
class Constraint:
    """A condition on the values of a point.

    Attributes:
        text: as it was written.
        names: that it speaks of, in order of first use.
    """

    text: str
    names: tuple[str, ...]
    _node: _Node

    @classmethod
    def parse(cls, text: str) -> Constraint:
        """Reads a constraint such as ``params <= 20e6 and cell != 'lstm'``.

        Raises:
            StudyError: the text breaks the grammar; with the place.
        """
        if not isinstance(text, str) or len(text) > _LENGTH:
            raise StudyError(
                f"a constraint must be a text of at most {_LENGTH} characters, got "
                f"{repr(text)[:60]}; make several of it"
            )
        parser = _Parser(text)
        node = parser.either(0)
        if parser.kind:
            parser.fail("must end here")
        return cls(text, tuple(dict.fromkeys(parser.names)), node)

    @property
    def upper_limit(self) -> tuple[str, float] | None:
        """Name and number of ``name <= number`` or ``name < number``; None of any other."""
        found = _LIMIT.fullmatch(self.text)
        return (found["name"], float(found["number"])) if found else None

    def holds(self, values: Values) -> bool:
        """Whether a point keeps to it.

        Args:
            values: by name.

        Raises:
            StudyError: a name without a value, arithmetic on text, a division by zero, or an
                expression that is neither true nor false.
        """
        missing = [name for name in self.names if name not in values]
        if missing:
            raise StudyError(
                f"constraint {self.text!r}: unknown name {missing[0]!r}"
                f"{did_you_mean(missing[0], values)}"
            )
        try:
            found = self._node(values)
        except (TypeError, ZeroDivisionError, OverflowError) as error:
            used = ", ".join(f"{name}={values[name]!r}" for name in self.names)
            raise StudyError(
                f"constraint {self.text!r} means nothing for {used}: {error}; compare numbers "
                "with numbers and text with text"
            ) from error
        if not isinstance(found, bool):
            raise StudyError(
                f"constraint {self.text!r} must be true or false, got {found!r}; compare it with "
                "something"
            )
        return found


class _Parser:
    """A text, read from the left with one word ahead."""

    def __init__(self, text: str) -> None:
        self.names: list[str] = []
        self._text, self._place = text, 0
        self._tokens = self._read()
        self.kind = self.word = ""
        self._next()

    def fail(self, rule: str) -> None:
        """Tells where the text breaks which rule."""
        found = repr(self.word) if self.kind else "its end"
        raise StudyError(
            f"constraint {self._text!r}: at {found} (character {self._place + 1}): {rule}; write "
            "for example params <= 20e6"
        )

    def either(self, depth: int) -> _Node:
        node = self._both(depth)
        while self._takes("or"):
            node = _logical(node, self._both(depth), is_and=False)
        return node

    def _both(self, depth: int) -> _Node:
        node = self._maybe(depth)
        while self._takes("and"):
            node = _logical(node, self._maybe(depth), is_and=True)
        return node

    def _maybe(self, depth: int) -> _Node:
        if not self._takes("not"):
            return self._compare(depth)
        inner = self._maybe(self._deeper(depth))
        return lambda values: not _truth(inner(values))

    def _compare(self, depth: int) -> _Node:
        left = self._sum(depth)
        sign = self.word
        if self.kind != "sign" or sign not in _COMPARE:
            return left
        self._next()
        right, compare = self._sum(depth), _COMPARE[sign]
        return lambda values: compare(left(values), right(values))

    def _sum(self, depth: int) -> _Node:
        return self._chain(("+", "-"), self._term, depth)

    def _term(self, depth: int) -> _Node:
        return self._chain(("*", "/"), self._sign, depth)

    def _chain(self, signs: tuple[str, ...], part: Callable[[int], _Node], depth: int) -> _Node:
        node = part(depth)
        while self.kind == "sign" and self.word in signs:
            sign = self.word
            self._next()
            node = _binary(_ARITHMETIC[sign], node, part(depth))
        return node

    def _sign(self, depth: int) -> _Node:
        if not self._takes("-"):
            return self._atom(depth)
        inner = self._sign(self._deeper(depth))
        return lambda values: -_number(inner(values))

    def _atom(self, depth: int) -> _Node:
        kind, word = self.kind, self.word
        if kind == "name" and word in _WORDS:
            self.fail("a number, a name or a text must stand here")
        if self._takes("("):
            node = self.either(self._deeper(depth))
            if not self._takes(")"):
                self.fail("a bracket must be closed")
            return node
        if kind not in ("number", "text", "name"):
            self.fail("a number, a name or a text must stand here")
        self._next()
        if kind == "number":
            number = float(word)
            return lambda _: number
        if kind == "text":
            return lambda _: word[1:-1]
        if word in ("min", "max") and self._takes("("):
            return self._least(min if word == "min" else max, self._deeper(depth))
        self.names.append(word)
        return lambda values: values[word]

    def _least(self, choose: Callable[[list[float]], float], depth: int) -> _Node:
        parts = [self._sum(depth)]
        while self._takes(","):
            parts.append(self._sum(depth))
        if not self._takes(")"):
            self.fail("a bracket must be closed")
        return lambda values: choose([_number(part(values)) for part in parts])

    def _deeper(self, depth: int) -> int:
        if depth >= _DEPTH:
            self.fail(f"at most {_DEPTH} brackets and signs may stand within one another")
        return depth + 1

    def _takes(self, word: str) -> bool:
        if self.kind not in ("sign", "name") or self.word != word:
            return False
        self._next()
        return True

    def _next(self) -> None:
        self.kind, self.word, self._place = next(self._tokens, ("", "", len(self._text)))

    def _read(self) -> Iterator[tuple[str, str, int]]:
        place = 0
        while self._text[place:].strip():
            found = _TOKEN.match(self._text, place)
            if found is None or found.lastgroup is None:
                self._place, self.kind = place, "sign"
                self.word = self._text[place:].strip()[0]
                self.fail("this sign means nothing")
                return
            yield found.lastgroup, found[found.lastgroup], found.start(found.lastgroup)
            place = found.end()


def _truth(value: Value) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{value!r} is neither true nor false")
    return value


def _number(value: Value) -> float:
    if isinstance(value, (bool, str)):
        raise TypeError(f"{value!r} is no number")
    return value


def _binary(compute: Callable[[float, float], float], left: _Node, right: _Node) -> _Node:
    return lambda values: compute(_number(left(values)), _number(right(values)))


def _logical(left: _Node, right: _Node, *, is_and: bool) -> _Node:
    if is_and:
        return lambda values: _truth(left(values)) and _truth(right(values))
    return lambda values: _truth(left(values)) or _truth(right(values))
