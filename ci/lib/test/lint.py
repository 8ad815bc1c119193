# SPDX-License-Identifier: MIT
"""ci/lint: format, clang-tidy and the rules of this tree."""

import ast
import json
import os
import re
import subprocess
import sys
from multiprocessing.pool import ThreadPool
from pathlib import Path

from ci.lib.command import Parser
from ci.lib.docs import blocks
from ci.lib.test import bazel, builds, commands, interrupts, names

CLANG_FORMAT = "/usr/bin/clang-format-19"
CLANG_TIDY = "/usr/bin/clang-tidy-19"

MAX_FILE_LINES = 500
MAX_FUNCTION_LINES = 70
MAX_COLUMNS = 100

C_SUFFIXES = {".c", ".cc", ".h"}
SOURCE_SUFFIXES = C_SUFFIXES | {".S", ".ld", ".py", ".bzl", ".sh"}
SOURCE_NAMES = {"BUILD", "WORKSPACE"}

# Compiler arguments that say what a file means; the rest is for the machine.
_TAKES_VALUE = {"-iquote", "-isystem", "-I"}
_MEANING = re.compile(
    r"-(I|D|std=|m|-target=|ffreestanding|nostdlibinc|iquote|isystem)"
)


def _is_source(path):
    if path.suffix in SOURCE_SUFFIXES or path.name in SOURCE_NAMES:
        return True
    if path.suffix or path.is_symlink():
        return False
    with path.open("rb") as file:
        return file.read(2) == b"#!"


def sources():
    """Every source file of the tree, without asking git."""
    found = []
    for folder, folders, files in os.walk("."):
        folders[:] = [
            f
            for f in folders
            if f not in (".git", "out", "__pycache__", "corpus")
            and not f.startswith("bazel-")
        ]
        paths = (Path(folder, f) for f in files)
        found += [p for p in paths if p.is_file() and _is_source(p)]
    return sorted(found)


def _each(function, items):
    """Complaints about all items, found on every core at once."""
    with ThreadPool(os.cpu_count()) as pool:
        return [c for found in pool.map(function, items) for c in found]


def _run(arguments):
    run = subprocess.run(
        arguments,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode == 0:
        return []
    return (run.stdout.strip() or run.stderr.strip()).splitlines()


def _format(path):
    if not _run([CLANG_FORMAT, "--dry-run", "-Werror", str(path)]):
        return []
    return [f"{path}: not in our format; ci/lint --fix puts it right"]


def check_format():
    """clang-format would change nothing."""
    return _each(_format, [p for p in sources() if p.suffix in C_SUFFIXES])


def fix_format():
    """Lets clang-format change what it wants to."""
    for path in sources():
        if path.suffix in C_SUFFIXES:
            subprocess.run([CLANG_FORMAT, "-i", str(path)], check=True)


def _meaning(arguments):
    kept = []
    source = None
    words = iter(arguments[1:])
    for word in words:
        if word == "-c":
            source = next(words)
        elif word in _TAKES_VALUE:
            kept += [word, next(words)]
        elif _MEANING.match(word):
            kept.append(word)
    return source, kept


def compile_commands():
    """{source file: compiler arguments}, as Bazel compiles it."""
    actions = json.loads(
        bazel.output_of(
            "aquery",
            "--output=jsonproto",
            "--keep_going",
            'mnemonic("CppCompile", deps(//...))',
        )
    ).get("actions", [])
    commands = {}
    for action in actions:
        source, arguments = _meaning(action["arguments"])
        if source and Path(source).suffix in C_SUFFIXES:
            if not source.startswith(("bazel-out/", "external/", "/")):
                commands.setdefault(source, arguments)
    return commands


def _tidy(command):
    source, arguments = command
    return _run([CLANG_TIDY, "--quiet", source, "--", *arguments])


def check_tidy():
    """clang-tidy has nothing to say about any file that Bazel compiles."""
    try:
        commands = compile_commands()
    except (RuntimeError, ValueError) as error:
        return [f"clang-tidy: no compiler arguments: {error}"]
    if not commands:
        return ["clang-tidy: Bazel compiles no C file"]
    return _each(_tidy, sorted(commands.items()))


def _c_functions(lines):
    """(first line, length) of each body: kernel style, braces in column 0."""
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line.startswith("}") and start:
            yield start, number - start + 1
            start = None


def _python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.lineno, node.end_lineno - node.lineno + 1


def _house_rules(path):
    text = path.read_text(errors="replace")
    lines = text.splitlines()
    if not any("SPDX-License-Identifier: MIT" in l for l in lines[:2]):
        yield f"{path}: no SPDX line at the top"
    if len(lines) > MAX_FILE_LINES:
        yield f"{path}: {len(lines)} lines, more than {MAX_FILE_LINES}"
    for number, line in enumerate(lines, 1):
        width = len(line.expandtabs(8))
        if width > MAX_COLUMNS and "://" not in line:
            yield f"{path}:{number}: {width} columns, more than {MAX_COLUMNS}"
        if line != line.rstrip():
            yield f"{path}:{number}: blanks at the end of the line"
    functions = []
    if path.suffix in C_SUFFIXES:
        functions = _c_functions(lines)
    elif path.suffix == ".py":
        functions = _python_functions(text)
    for number, length in functions:
        if length > MAX_FUNCTION_LINES:
            yield (
                f"{path}:{number}: a function of {length} lines, "
                f"more than {MAX_FUNCTION_LINES}"
            )


def check_limits():
    """Sizes, widths, licence lines."""
    return [c for path in sources() for c in _house_rules(path)]


def _interpreter(path):
    if path.suffix == ".py":
        return "python"
    with path.open(errors="replace") as file:
        first = file.readline()
    if first.startswith("#!"):
        return "python" if "python" in first else "shell"
    return None


def _script(path):
    interpreter = _interpreter(path)
    if interpreter == "python":
        try:
            ast.parse(path.read_text())
        except SyntaxError as error:
            return [f"{path}:{error.lineno}: {error.msg}"]
    elif interpreter == "shell":
        shell = "bash" if "bash" in path.open().readline() else "sh"
        return _run([shell, "-n", str(path)])
    return []


def check_scripts():
    """Every script parses."""
    return _each(_script, sources())


def _blocks(path):
    try:
        blocks.read(str(path), path.read_text())
    except blocks.Wrong as error:
        return [str(error)]
    folder = path.parent
    while not (folder / "BUILD").exists():
        folder = folder.parent
    label = f"//{'' if folder == Path() else folder}:documents"
    if f'"{label}"' not in Path("ci/lib/docs/BUILD").read_text():
        return [f"{path}: outputs_test does not see it: ci/lib/docs/BUILD does "
                f"not have {label}"]
    return []


def check_documents():
    """Every block of a document says what it is."""
    return [c for path in sorted(Path().rglob("*.md"))
            if not path.parts[0].startswith((".", "bazel-", "out"))
            for c in _blocks(path)]


def check_commands():
    """Every command is among those that must have --help and --version."""
    return commands.check(sources())


CHECKS = {
    "builds": builds.check,
    "commands": check_commands,
    "documents": check_documents,
    "format": check_format,
    "interrupts": interrupts.check_here,
    "limits": check_limits,
    "names": names.check,
    "scripts": check_scripts,
    "tidy": check_tidy,
}


def run_checks():
    """(name, complaints) of each check, as they come."""
    for name, check in CHECKS.items():
        yield name, check()


def main():
    """The command line."""
    parser = Parser(
        prog="ci/lint",
        description="Checks: "
        + "; ".join(
            f"{name}: {check.__doc__.rstrip('.').lower()}"
            for name, check in CHECKS.items()
        )
        + ". Exit status: 0 nothing to say, 1 something, 130 interrupted.",
    )
    parser.add_argument(
        "--fix", action="store_true", help="put the format right first"
    )
    if parser.parse_args().fix:
        fix_format()
    bad = 0
    for name, complaints in run_checks():
        print(f"{name}: {'FAILED' if complaints else 'ok'}", flush=True)
        for complaint in complaints:
            print(f"  {complaint}")
        bad += bool(complaints)
    return 1 if bad else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("ci/lint: interrupted; not all was checked", file=sys.stderr)
        sys.exit(130)
    except OSError as error:
        sys.exit(f"ci/lint: {error}")
