# SPDX-License-Identifier: MIT
"""Small changes to C code, made one at a time, without knowing what it means.

A change keeps the number of lines, so that everything else in the object file
stays what it was. Checks (HM_ASSERT, HM_CHECK) are left alone: in a core that
is right nobody can tell whether they are there. So is all outside of function
bodies.
"""

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""(?P<skip>\s+|/\*.*?\*/|//[^\n]*)
      | (?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
      | (?P<number>0[xX][0-9a-fA-F]+[uUlL]*|\d+[uUlL]*)
      | (?P<name>[A-Za-z_]\w*)
      | (?P<sign><<=|>>=|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|.)
    """,
    re.VERBOSE | re.DOTALL,
)

_CHECKS = ("HM_ASSERT", "HM_ASSERT_EXPENSIVE", "HM_CHECK", "_Static_assert")

# What may stand instead of an operator with two operands.
_OPERATORS = {
    "<": ["<=", ">"], "<=": ["<"], ">": [">=", "<"], ">=": [">"],
    "==": ["!="], "!=": ["=="],
    "&&": ["||"], "||": ["&&"],
    "+": ["-"], "-": ["+"], "/": ["*"], "%": ["/"],
    "<<": [">>"], ">>": ["<<"], "&": ["|"], "|": ["&"],
    "+=": ["-="], "-=": ["+="], "|=": ["&="], "&=": ["|="],
}
_CLASS = {
    "<": "relation", "<=": "relation", ">": "relation", ">=": "relation",
    "==": "relation", "!=": "relation", "&&": "logic", "||": "logic",
}
_EITHER = {"++": "--", "--": "++"}
_NAMES = {"true": "false", "false": "true", "break": "continue",
          "continue": "break"}

# Words that begin something other than an expression.
_NOT_AN_EXPRESSION = {
    "if", "else", "for", "while", "do", "switch", "case", "default", "return",
    "goto", "break", "continue", "struct", "static", "const", "enum", "union",
    "unsigned", "signed", "int", "char", "bool", "void", "register", "extern",
    "typedef", "volatile",
}


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Mutation:
    """text[start:end] becomes `new`."""

    operator: str
    start: int
    end: int
    new: str

    def apply(self, text):
        lines = text[self.start:self.end].count("\n") - self.new.count("\n")
        return text[:self.start] + self.new + "\n" * lines + text[self.end:]


def _blank_directives(text):
    """The text with preprocessor lines as spaces, every offset unchanged."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group())
    return re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", blank, text,
                  flags=re.MULTILINE)


def tokens_of(text):
    text = _blank_directives(text)
    return [Token(m.lastgroup, m.group(), m.start(), m.end())
            for m in _TOKEN.finditer(text) if m.lastgroup != "skip"]


def _closing(tokens, at):
    """The index of the bracket that closes the one at `at`."""
    depth = 0
    for i in range(at, len(tokens)):
        depth += tokens[i].text in ("(", "[", "{")
        depth -= tokens[i].text in (")", "]", "}")
        if depth == 0:
            return i
    raise ValueError(f"bracket at offset {tokens[at].start} is never closed")


def _bodies(tokens):
    """[(first, last)]: what stands between the braces of each function."""
    found, at = [], 0
    while at < len(tokens):
        if tokens[at].text in ("{", "(", "["):
            end = _closing(tokens, at)
            if tokens[at].text == "{" and at and tokens[at - 1].text == ")":
                found.append((at + 1, end))
            at = end
        at += 1
    return found


def _outside_checks(tokens, first, last):
    """The indices of a body, less those of its checks."""
    at = first
    while at < last:
        if tokens[at].text in _CHECKS and tokens[at + 1].text == "(":
            at = _closing(tokens, at + 1) + 1
            continue
        yield at
        at += 1


def _is_operand(token):
    return token.kind in ("name", "number", "text") or token.text in (")", "]")


def _operators(tokens, at):
    token = tokens[at]
    if token.text in _EITHER:
        yield "arithmetic", _EITHER[token.text]
    if token.text in _OPERATORS and _is_operand(tokens[at - 1]) and \
            tokens[at - 1].text not in ("return", "case"):
        for new in _OPERATORS[token.text]:
            yield _CLASS.get(token.text, "arithmetic"), new


def _numbers(token):
    digits = token.text.rstrip("uUlL")
    suffix = token.text[len(digits):]
    value = int(digits, 0)
    form = hex if digits[:2] in ("0x", "0X") else str
    yield form(value + 1) + suffix
    if value:
        yield form(value - 1) + suffix


def _conditions(tokens, at):
    """if (C), while (C): the index of the end of C, or None."""
    if tokens[at].text in ("if", "while") and tokens[at + 1].text == "(":
        return _closing(tokens, at + 1)
    return None


def _statements(tokens, first, last):
    """[(start, end)] of simple statements; end is the index of the ';'."""
    found, at, begins = [], first, True
    while at < last:
        text = tokens[at].text
        if begins and tokens[at].kind == "name" and \
                text not in _NOT_AN_EXPRESSION and text not in _CHECKS:
            end = at
            while tokens[end].text != ";":
                if tokens[end].text in ("(", "[", "{"):
                    end = _closing(tokens, end)
                end += 1
            # "port_irq_t flags": two names in a row declare something.
            declares = tokens[at + 1].kind == "name" or (
                tokens[at + 1].text == "*" and tokens[at + 2].kind == "name")
            if not declares:
                found.append((at, end))
            at, begins = end + 1, True
            continue
        if text in ("if", "while", "for", "switch") and \
                tokens[at + 1].text == "(":
            at, begins = _closing(tokens, at + 1) + 1, True
            continue
        # No statements in there: a cast, an initialiser.
        if text == "(" or (text == "{" and tokens[at - 1].text == "="):
            at = _closing(tokens, at)
        begins = text in (";", "{", "}", ":", "else", "do")
        at += 1
    return found


def _swaps(text, tokens, statements):
    """Two statements in a row, the other way round."""
    for (a, a_end), (b, b_end) in zip(statements, statements[1:]):
        if b != a_end + 1:
            continue
        start, end = tokens[a].start, tokens[b_end].end
        between = text[tokens[a_end].end:tokens[b].start]
        if between.count("\n") != 1:
            continue
        yield Mutation("order", start, end,
                       text[tokens[b].start:end] + between +
                       text[start:tokens[a_end].end])


def mutations_of(text):
    """All changes to all functions of a file, in order."""
    tokens, found = tokens_of(text), []

    def change(operator, at, new, last=None):
        end = tokens[at if last is None else last].end
        found.append(Mutation(operator, tokens[at].start, end, new))

    for first, last in _bodies(tokens):
        statements = _statements(tokens, first, last)
        for start, end in statements:
            change("statement", start, ";", end)
        found += _swaps(text, tokens, statements)
        for at in _outside_checks(tokens, first, last):
            token = tokens[at]
            if token.kind == "number":
                for new in _numbers(token):
                    change("constant", at, new)
            if token.text in _NAMES:
                change("constant" if token.text in ("true", "false")
                       else "jump", at, _NAMES[token.text])
            if token.kind == "sign":
                for operator, new in _operators(tokens, at):
                    change(operator, at, new)
            end = _conditions(tokens, at)
            if end:
                inside = text[tokens[at + 1].start:tokens[end].end]
                change("condition", at + 1, f"(!{inside})", end)
    return sorted(found, key=lambda m: (m.start, m.end, m.operator, m.new))


def lines_changed(old, new):
    """(line number, [lines of old], [lines of new]) where the two differ."""
    a, b = old.split("\n"), new.split("\n")
    first = next(i for i, (x, y) in enumerate(zip(a, b)) if x != y)
    last = next(i for i, (x, y) in enumerate(zip(a[::-1], b[::-1])) if x != y)
    return first + 1, a[first:len(a) - last], b[first:len(b) - last]
