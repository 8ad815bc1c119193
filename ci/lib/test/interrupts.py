# SPDX-License-Identifier: MIT
"""Ctrl-C is a way to end a command: one sentence and 130, no traceback."""

import ast
from pathlib import Path


def _is_main(node):
    """if __name__ == "__main__":"""
    return (
        isinstance(node, ast.If)
        and isinstance(node.test, ast.Compare)
        and getattr(node.test.left, "id", None) == "__name__"
    )


def _catches(tree):
    """Is KeyboardInterrupt caught anywhere, or taken as a signal?"""
    names = {getattr(n, "id", None) or getattr(n, "attr", None)
             for handler in ast.walk(tree)
             if isinstance(handler, ast.ExceptHandler) and handler.type
             for n in ast.walk(handler.type)}
    return "KeyboardInterrupt" in names


def _ends_with_130(tree):
    """By the number, by 128 + SIGINT, or by a name for it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and node.value in (128, 130):
            return True
        if isinstance(node, ast.Name) and node.id.endswith("INTERRUPTED"):
            return True
    return False


def complaint(path, text):
    """What is wrong with one file; None for no command, and for a good one."""
    tree = ast.parse(text)
    if path.name.endswith("_test.py") or not any(
        map(_is_main, tree.body)
    ):
        return None
    if not _catches(tree):
        return f"{path}: Ctrl-C ends it with a traceback"
    if not _ends_with_130(tree):
        return f"{path}: after Ctrl-C its exit status is not 130"
    return None


def check(paths):
    """Every command in Python ends in order on Ctrl-C."""
    found = (complaint(p, p.read_text()) for p in paths
             if p.suffix == ".py")
    return [said for said in found if said]


def check_here():
    """Ctrl-C ends every command in Python with a sentence and 130."""
    return check(
        path
        for path in sorted(Path(".").rglob("*.py"))
        if not path.parts[0].startswith(("bazel-", ".git"))
    )
