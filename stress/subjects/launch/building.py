# SPDX-License-Identifier: MIT
"""From a subject's folder and a file to a program, or one sentence why not."""

import hashlib
import re
import subprocess

import names

LLVM = "/usr/lib/llvm-19/bin/"
CLANG = LLVM + "clang"

# As a 32-bit kernel is compiled; and each access that others can see is announced.
UNIT_FLAGS = """
    -std=gnu17 -O2 -g -w -ffreestanding -fno-common -fno-strict-aliasing -fwrapv
    -fno-pic -fno-delete-null-pointer-checks -fno-omit-frame-pointer
    -mgeneral-regs-only -fno-optimize-sibling-calls -fno-stack-protector
    -Werror=implicit-function-declaration -Werror=implicit-int
    -Werror=int-conversion -Werror=incompatible-pointer-types
    -fsanitize=thread -mllvm -tsan-instrument-func-entry-exit=0
    -mllvm -tsan-instrument-read-before-write=1
""".split()
HARNESS_FLAGS = "-std=c17 -O2 -g -w -fno-pic".split()

_ASM = re.compile(r'\basm (?:\w+ )*"(?:[^"\\]|\\.)+".*?(?:!dbg !(\d+)|$)',
                  re.MULTILINE)
_UNDEFINED = re.compile(r"undefined symbol: (\S+)")
_KERNEL = re.compile(r'^\s*#\s*include\s*[<"]((?:linux|asm|asm-generic|uapi|generated|'
                     r'trace)/[^>"]+)[>"]', re.MULTILINE)


class Refused(Exception):
    """One sentence: what is wrong, and what to do."""


def _run(*arguments):
    return subprocess.run(
        [str(a) for a in arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


class Job:
    """One program to be built."""

    def __init__(self, top, kit, folder, flags, source):
        self.top = top
        self.folder = folder
        self.flags = flags
        self.source = source
        lines = [l.split(" ", 1) for l in kit.read_text().splitlines()]
        self.includes = [p for kind, p in lines if kind == "include"]
        self.archives = [
            (kind, top / p) for kind, p in lines if kind in ("archive", "whole")
        ]
        # Without a folder it is our core, which is among the archives.
        self.harness = sorted(
            p for p in folder.glob("*.c") if p.name != "unit.c"
        ) if folder else []

    def key(self):
        """A name for all that goes into it."""
        digest = hashlib.sha256(
            repr((self.flags, UNIT_FLAGS, HARNESS_FLAGS)).encode()
        )
        files = [p for _, p in self.archives]
        files += sorted(self.folder.glob("*.[ch]")) if self.folder else []
        files += sorted((self.top / "stress/subjects/plain").glob("*.h"))
        if self.source:
            # Debug information names it, and traces read that.
            digest.update(str(self.source).encode())
            files.append(self.source)
        for path in files:
            digest.update(path.read_bytes())
        return digest.hexdigest()[:24]

    def _compile(self, source, out, flags):
        include = ["-I" + str(self.top)]
        include += ["-I" + str(self.top / folder) for folder in self.includes]
        return _run(CLANG, *flags, *self.flags, *include, source, "-o", out)

    # ---- The file --------------------------------------------------------------

    def _empty_headers(self, scratch):
        """What the file includes of its kernel is empty: kernel.h came before."""
        text = self.source.read_text(errors="replace") if self.source else ""
        for name in _KERNEL.findall(text):
            path = scratch / "empty" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("")
        return ["-I" + str(scratch / "empty")]

    def _complain(self, done):
        """The first thing that the compiler says."""
        errors = [l for l in done.stderr.splitlines() if "error:" in l]
        first = errors[0] if errors else done.stderr.strip()[:300]
        name = self.source or self.folder
        raise Refused(
            f"{name} does not compile as {self.folder.name}: {first}"
            + (f" (and {len(errors) - 1} more)" if len(errors) > 1 else "")
        )

    def _check_code(self, text):
        """Nothing in it goes past the machine."""
        for match in _ASM.finditer(text):
            line = re.search(rf"^!{match[1]} = .*?line: (\d+)", text, re.MULTILINE)
            where = f" at line {line[1]}" if line else ""
            raise Refused(
                f"{self.source or self.folder} has inline assembly{where}, whose "
                "accesses nobody would see: give the function that has it in "
                "kernel.h instead"
            )
        if "@__tsan_" not in text:
            raise Refused(
                f"{self.source or self.folder} announces no access: nothing of it "
                "could be interleaved; is it empty, or built without the compiler's "
                "instrumentation?"
            )

    def _check_variables(self, obj):
        """All of them are in the two sections that are reset at each boot."""
        table = _run(LLVM + "llvm-objdump", "--syms", obj).stdout
        for line in table.splitlines():
            match = re.match(r"\S+ .{7} (\.(?:bss|data|tbss|tdata)\S*)\s+\S+ (\S+)$",
                             line)
            if match and not match[2].startswith("."):
                raise Refused(
                    f"{self.source or self.folder}: its variable {match[2]} is in "
                    f"{match[1]} and would keep its value from run to run: let "
                    "kernel.h begin with PLAIN_SECTIONS, and define the section "
                    "attributes away"
                )

    def _unit(self, scratch):
        flags = list(UNIT_FLAGS)
        if (self.folder / "kernel.h").is_file():
            flags += ["-include", self.folder / "kernel.h"]
        flags += self._empty_headers(scratch)
        if self.source:
            flags.append(f'-DSUBJECT_FILE="{self.source}"')
        text = scratch / "unit.ll"
        done = self._compile(
            self.folder / "unit.c", text, [*flags, "-S", "-emit-llvm"]
        )
        if done.returncode != 0:
            self._complain(done)
        self._check_code(text.read_text())
        obj = scratch / "unit.o"
        done = _run(CLANG, "-O2", "-fno-pic", "-mgeneral-regs-only", "-Xclang",
                    "-disable-llvm-passes", "-w", "-c", text, "-o", obj)
        if done.returncode != 0:
            self._complain(done)
        self._check_variables(obj)
        self._name_members(obj, scratch)
        # Its names are not to meet the harness's.
        _run(LLVM + "llvm-objcopy", "-w", "--keep-global-symbol=unit_*", obj)
        return obj

    def _name_members(self, obj, scratch):
        """names.c: what plain/words.c calls the parts of variables."""
        text = _run(LLVM + "llvm-dwarfdump", "--debug-info", obj).stdout
        (scratch / "names.c").write_text(names.as_c(names.layout(text)))

    # ---- The program ---------------------------------------------------------------

    def build(self, out):
        """Link it, at a fixed address: pointers are in traces and in hashes."""
        scratch = out.parent
        # One that is written for the port has no unit: stress/subjects/example.
        unit = self.folder and (self.folder / "unit.c").is_file()
        objects = [self._unit(scratch)] if unit else []
        sources = self.harness + ([scratch / "names.c"] if unit else [])
        for source in sources:
            obj = scratch / (source.stem + ".o")
            done = self._compile(source, obj, [*HARNESS_FLAGS, "-c"])
            if done.returncode != 0:
                raise Refused(f"{source} does not compile: "
                              + done.stderr.strip().splitlines()[0])
            objects.append(obj)
        words = []
        for kind, path in self.archives:
            whole = kind == "whole"
            words += ["-Wl,--whole-archive"] if whole else []
            words.append(path)
            words += ["-Wl,--no-whole-archive"] if whole else []
        done = _run(CLANG, "-no-pie", "-fuse-ld=lld", *objects, "-Wl,--start-group",
                    *words, "-Wl,--end-group", "-o", out)
        if done.returncode == 0:
            return
        missing = sorted(set(_UNDEFINED.findall(done.stderr)))
        if not missing:
            raise Refused(f"{self.folder} does not link: {done.stderr.strip()[:300]}")
        raise Refused(
            f"{self.source or self.folder}: nobody defines {', '.join(missing)}; "
            f"{self.folder}/kernel.h is the place"
        )
