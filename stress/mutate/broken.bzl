# SPDX-License-Identifier: MIT
"""A core or a port with one deliberate bug in it.

The bug is a patch of one file, and what has to be compiled again depends on
where that file is:

* a .c of core/lib or core/boot: this file alone. The others are compiled once
  for each of them, as what is left of the core without it;
* a .c or .S of a port: this file alone. It is linked before the healthy port,
  and defines all that the healthy file defines, so the linker leaves that one
  in its archive. Were it not before the port, both would be linked, and the
  linker would refuse;
* a header of the core: the core, of which each file includes the broken header
  before anything else. Its include guard then keeps the healthy one out;
* a header of a port: the same with the port, and with the core if the header is
  the port's backend.
"""

load("@rules_cc//cc:defs.bzl", "cc_library")
load("//core/build:copts.bzl", "HIGHMEM_COPTS")
load(
    "//core/build:highmem.bzl",
    "CORE_HEADERS",
    "CORE_SOURCES",
    "label_of",
    "port_library",
)
load("//stress/kernel:kernel.bzl", "kernel_image")

# What files of a port include besides their own headers.
_PORT_DEPS = {
    "host": [],
    "i686": [
        "//core/ports/i686:acpi",
        "//core/ports/i686:parts",
    ],
    "sim": [
        "//core/ports/sim:fiber",
        "//core/ports/sim:walk",
    ],
}

PORTS = _PORT_DEPS.keys()

_VISIBILITY = [
    "//ci:__subpackages__",
    "//fuzz:__pkg__",
    "//stress:__subpackages__",
]

# A header that comes first includes libc's before the file can say that it
# wants more of them than C.
_COPTS = HIGHMEM_COPTS + ["-D_GNU_SOURCE=", "-Wno-unused-macros"]

def source_path(source):
    """The path of a mutant's `source`; without a folder it is in core/lib."""
    return source if "/" in source else "core/lib/" + source

def _port_of(path):
    """The port that the file belongs to; None: all ports have the bug."""
    parts = path.split("/")
    if parts[:2] == ["core", "ports"]:
        if len(parts) != 4 or parts[2] not in _PORT_DEPS:
            fail("%s is in none of the ports %s" % (path, ", ".join(PORTS)))
        return parts[2]
    if parts[:2] not in [["core", "boot"], ["core", "lib"]]:
        fail("%s: a mutant breaks a file of core/boot, lib or ports" % path)
    return None

def broken_ports(source):
    """The ports whose machine has the bug."""
    port = _port_of(source_path(source))
    return [port] if port else PORTS

def breaks_port(source):
    return _port_of(source_path(source)) != None

# ---- Parts of the core ----------------------------------------------------------

def _core_part(name, port, srcs, headers_first = {}):
    port_library(
        name = name,
        testonly = True,
        srcs = srcs + [label_of(h) for h in CORE_HEADERS],
        headers_first = headers_first,
        port = port,
        tags = ["manual"],
        visibility = _VISIBILITY,
        alwayslink = True,
        deps = ["//core/build:instrumentation"],
    )

def _all_but(path):
    return [label_of(s) for s in CORE_SOURCES if s != path] + \
           ["//core/build:instrumentation.c"]

def _rest(path, port):
    return "rest_of_%s_%s" % (path.split("/")[-1].split(".")[0], port)

def core_parts(healthy):
    """What broken cores share, and the healthy core.

    Targets: rest_of_FILE_PORT for each file of the core; HEALTHY_PORT, of which
    a shared library has all, and HEALTHY.kernel.

    Args:
      healthy: stands where a mutant's name does.
    """
    for port in PORTS:
        for path in CORE_SOURCES:
            _core_part(_rest(path, port), port, _all_but(path))
        _core_part("%s_%s" % (healthy, port), port, _all_but(None))
    _core_part("format_sim", "sim", ["//core/lib:format.c"])
    _kernel(healthy)

def _kernel(name):
    kernel_image(
        name = name + ".kernel",
        core = name + "_i686",
        tags = ["manual"],
    )

# ---- Broken ones ----------------------------------------------------------------

def _broken_source(name, path, patch):
    """NAME_source: the file with the bug, and the path of the healthy one.

    Checks and sanitizers then name the healthy path, as its tests expect.
    A patch that does not apply exactly, or changes nothing, fails the build: a
    canary must not turn into the healthy core because the core moved on.
    """
    source = label_of(path)
    native.genrule(
        name = name + "_source",
        srcs = [source, patch],
        outs = [name + "/" + path.split("/")[-1]],
        cmd = " && ".join([
            "cp $(location %s) $@" % source,
            "chmod u+w $@",
            "patch --fuzz=0 --silent --reject-file=- $@ $(location %s)" % patch,
            "! cmp --silent $(location %s) $@" % source,
            "sed -i '1i #line 1 \"%s\"' $@" % path,
        ]),
        message = "Breaking",
        tags = ["manual"],
    )

def _broken_part(name, port, path, header):
    """The part of the port that differs from the healthy one."""
    folder = "//core/ports/%s:" % port
    port_library(
        name = "%s_%s_part" % (name, port),
        testonly = True,
        srcs = [folder + "private_headers"] +
               ([folder + "sources"] if header else [name + "_source"]),
        copts = _COPTS if header else HIGHMEM_COPTS,
        headers_first = header,
        port = port,
        tags = ["manual"],
        alwayslink = True,
        deps = [
            "//core/port:machine",
            "//core/ports/" + port,
        ] + _PORT_DEPS[port],
    )

def _broken_core(name, port, path, header):
    """[labels] of the core, and of what belongs before the port."""
    part = "%s_%s_part" % (name, port)
    core = "%s_%s_core" % (name, port)
    if breaks_port(path):
        _broken_part(name, port, path, header)
        if not path.endswith("port_backend.h"):
            return [part, "//core:highmem_" + port]
        _core_part(core, port, _all_but(None), header)
        return [part, core]
    if header:
        _core_part(core, port, _all_but(None), header)
        return [core]
    _core_part(core, port, [name + "_source"])
    return [core, "//stress/mutate:" + _rest(path, port)]

def broken(name, source, patch = None):
    """A mutant.

    Targets: NAME_PORT for each port that has the bug, what a program links as
    its core, before the port; and NAME.kernel, if the PC has it.

    Args:
      name: of the mutant.
      source: the file that the patch breaks, as in mutants.bzl.
      patch: of that file; by default mutants/NAME.patch.
    """
    path = source_path(source)
    _broken_source(name, path, patch or "mutants/%s.patch" % name)
    header = {}
    if path.endswith(".h"):
        file = "%s/%s/%s" % (native.package_name(), name, path.split("/")[-1])
        header = {name + "_source": file}
    for port in broken_ports(source):
        cc_library(
            name = "%s_%s" % (name, port),
            testonly = True,
            tags = ["manual"],
            visibility = _VISIBILITY,
            deps = _broken_core(name, port, path, header),
        )
    if "i686" in broken_ports(source):
        _kernel(name)
