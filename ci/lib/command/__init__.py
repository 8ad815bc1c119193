# SPDX-License-Identifier: MIT
"""The command line of a program in Python; stress/process/command.h
does the same in C.

What is wrong costs one sentence on stderr and exit status 1, and nothing else is
printed or done. --help and --version are everywhere.

    parser = command.Parser("ci/test", "Runs every test.", epilog=HELP)
    parser.add_argument("--jobs", type=command.number(1, 64), metavar="N")
"""

import argparse
import difflib
import os
import re
import subprocess

EXIT_USAGE = 1

LONGEST = 365 * 86400.0

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_PART = r"(\d+(?:\.\d+)?|\.\d+)(ms|s|m|h|d)"


# ---- The version -------------------------------------------------------------


def _top():
    here = os.path.dirname(os.path.realpath(__file__))
    return os.path.abspath(os.path.join(here, "../../.."))


def _commit():
    """The commit of the tree that this stands in, if it is one."""
    top = os.environ.get("BUILD_WORKSPACE_DIRECTORY") or _top()
    if not os.path.exists(os.path.join(top, ".git")):
        return ""
    try:
        run = subprocess.run(
            ["git", "-C", top, "describe", "--always", "--abbrev=12",
             "--exclude=*", "--dirty= and changes"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            check=False)
    except OSError:
        return ""
    return run.stdout.strip()


def version(name):
    """What --version prints."""
    with open(os.path.join(_top(), "core/version.h"), encoding="utf-8") as file:
        said = dict(re.findall(r'#define (\w+) "?([\w.]+)', file.read()))
    commit = _commit()
    return (f"{name} (highmem) {said['HIGHMEM_VERSION']}, "
            f"choices v{said['PROGRAM_CHOICES_VERSION']}"
            + (f", commit {commit}" if commit else ""))


# ---- Values ------------------------------------------------------------------


def wrong(expected, text):
    """What a type says of a value that is not one."""
    return argparse.ArgumentTypeError(f"expected {expected}, not '{text}'")


def number(low, high):
    """A whole number."""
    def parse(text):
        if re.fullmatch(r"[0-9]{1,20}", text) and low <= int(text) <= high:
            return int(text)
        raise wrong(f"a number from {low} to {high}", text)
    return parse


def seconds(text):
    """A time, as a number of seconds: 500ms, 1.5s, 8h, 1h30m, 60."""
    plain = re.fullmatch(r"[0-9]+(\.[0-9]+)?", text, re.ASCII)
    whole = text + "s" if plain else text
    if re.fullmatch(f"({_PART})+", whole, re.ASCII):
        value = sum(float(n) * _UNITS[unit]
                    for n, unit in re.findall(_PART, whole))
        if 0 < value <= LONGEST:
            return value
    raise wrong("a time above 0 such as 500ms, 30s or 8h, up to 365d", text)


def whole_seconds(text, most=LONGEST):
    """The same, without a rest."""
    value = seconds(text)
    if value != int(value) or value > most:
        raise wrong(f"a time of whole seconds, up to {most / 3600:.0f}h", text)
    return int(value)


def names(text):
    """A,B,C"""
    found = text.split(",")
    if not all(found) or len(set(found)) < len(found):
        raise wrong("names with commas between them, each once", text)
    return found


# ---- The command line --------------------------------------------------------


class _Once:
    """An option that may come once."""

    def __call__(self, parser, namespace, values, option_string=None):
        if option_string and self in parser.taken:
            parser.error(f"{option_string} comes twice")
        parser.taken.append(self)
        super().__call__(parser, namespace, values, option_string)


def _once(action):
    return type("Once" + action.__name__, (_Once, action), {})


class _Version(argparse.Action):
    def __init__(self, option_strings, dest):
        super().__init__(option_strings, dest=argparse.SUPPRESS, nargs=0,
                         help="of it, and of the choices that it plays")

    def __call__(self, parser, *_):
        print(version(parser.prog.split()[0]))
        parser.exit()


# argparse's words, and ours.
_SAID = [
    (r"^argument ", ""),
    (r": ignored explicit argument '.*'$", " takes no value"),
    (r": not allowed with argument (.*)$", r" does not go with \1"),
]


class Parser(argparse.ArgumentParser):
    """argparse, but for what it says and does with what is wrong."""

    def __init__(self, prog, description=None, **more):
        self.taken = []
        more.setdefault("formatter_class",
                        argparse.RawDescriptionHelpFormatter)
        super().__init__(prog=prog, description=description,
                         allow_abbrev=False, **more)
        for name in (None, "store", "store_const", "store_true",
                     "store_false"):
            action = self._registry_get("action", name)
            self.register("action", name, _once(action))
        self.add_argument("--version", action=_Version)

    def error(self, message):
        for pattern, ours in _SAID:
            message = re.sub(pattern, ours, message)
        line = "".join(c if c.isprintable() else
                       c.encode("unicode_escape").decode() for c in message)
        self.exit(EXIT_USAGE, f"{self.prog}: {line}; see {self.prog} --help\n")

    def parse_known_args(self, args=None, namespace=None):
        self.taken.clear()
        return super().parse_known_args(args, namespace)

    def parse_args(self, args=None, namespace=None):
        found, rest = self.parse_known_args(args, namespace)
        if rest:
            self.unknown(rest[0])
        return found

    def unknown(self, word):
        """An option that there is not, or an argument too many."""
        if not word.startswith("-") or word == "-":
            self.error(f"no use for '{word[:200]}'")
        name = word.split("=")[0]
        near = difflib.get_close_matches(name, self._all_options(), 1, 0.7)
        self.error(f"there is no option {name[:60]}"
                   + (f"; did you mean {near[0]}?" if near else ""))

    def _all_options(self):
        found = list(self._option_string_actions)
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction):
                for parser in action.choices.values():
                    found += parser._option_string_actions
        return found

    def _get_value(self, action, arg_string):
        if not arg_string and action.type is None and not action.choices:
            raise argparse.ArgumentError(
                action, f"expected {action.metavar or 'something'}, not ''")
        return super()._get_value(action, arg_string)

    def _match_argument(self, action, arg_strings_pattern):
        try:
            return super()._match_argument(action, arg_strings_pattern)
        except argparse.ArgumentError:
            if action.nargs is not None:
                raise
            what = action.metavar or (
                "one of " + ", ".join(map(str, action.choices))
                if action.choices else "a value")
            raise argparse.ArgumentError(action, f"expected {what}") from None

    def _check_value(self, action, value):
        if action.choices is None or value in action.choices:
            return
        near = difflib.get_close_matches(str(value), map(str, action.choices), 1)
        raise argparse.ArgumentError(
            action, f"expected one of {', '.join(map(str, action.choices))}, "
            f"not '{value}'" + (f"; did you mean {near[0]}?" if near else ""))
