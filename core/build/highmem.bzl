# SPDX-License-Identifier: MIT
"""Stamps the core once per port.

The port is bound here, at build time: the same sources are compiled against
the headers of one port's backend, and no call goes through a pointer.
"""

load("@rules_cc//cc:defs.bzl", "cc_library", "cc_test")
load("//core/build:copts.bzl", "HIGHMEM_COPTS")

# The core, every file of it.
CORE_SOURCES = [
    "core/boot/layout.c",
    "core/boot/layout_words.c",
    "core/boot/memmap.c",
    "core/boot/pgtable.c",
    "core/boot/pgtable_entry.c",
    "core/boot/pgtable_kernel.c",
    "core/lib/fixmap.c",
    "core/lib/format.c",
    "core/lib/init.c",
    "core/lib/kmap_local.c",
    "core/lib/page.c",
    "core/lib/pkmap.c",
    "core/lib/pkmap_queue.c",
    "core/lib/report.c",
    "core/lib/stats.c",
    "core/lib/validate.c",
]

CORE_HEADERS = [
    "core/boot/pgtable.h",
    "core/lib/internal.h",
    "core/lib/pkmap_queue.h",
]

def label_of(path):
    """The label of a file, by its path in the tree."""
    folder, _, file = path.rpartition("/")
    return "//%s:%s" % (folder, file)

# Which platform a port's code can be built for.
_PORT_NEEDS = {
    "host": ["@platforms//os:linux"],
    "i686": [
        "@platforms//cpu:x86_32",
        "@platforms//os:none",
    ],
    "sim": ["@platforms//os:linux"],
}

def port_constraints(port):
    """target_compatible_with of everything that belongs to a port."""
    if port not in _PORT_NEEDS:
        fail("port '%s' is none of %s" % (port, ", ".join(_PORT_NEEDS)))
    return _PORT_NEEDS[port]

def highmem_library(name, port, copts = [], **kwargs):
    """The core, compiled against one port.

    Args:
      name: of the cc_library.
      port: directory under core/ports; its `:backend` supplies the headers.
      copts: options besides those of the whole tree.
      **kwargs: handed on to cc_library.
    """
    port_library(
        name = name,
        srcs = [label_of(s) for s in CORE_SOURCES + CORE_HEADERS] +
               ["//core/build:instrumentation.c"],
        copts = HIGHMEM_COPTS + ["-Wmissing-variable-declarations"] + copts,
        port = port,
        deps = ["//core/build:instrumentation"],
        **kwargs
    )

def _first(headers_first):
    """Options that include these headers before anything else."""
    return [
        option
        for path in headers_first.values()
        for option in ["-include", path]
    ]

def port_library(
        name,
        port,
        srcs = [],
        deps = [],
        copts = HIGHMEM_COPTS,
        headers_first = {},
        **kwargs):
    """A library compiled against one port's backend: the port, or its tests.

    Args:
      name: of the cc_library.
      port: directory under core/ports; its `:backend` supplies the headers.
      srcs: as of cc_library.
      deps: as of cc_library.
      copts: options of the compiler.
      headers_first: {label: path}; each file includes these before anything
        else. Their include guards keep out the core's headers of those names.
      **kwargs: handed on to cc_library.
    """
    cc_library(
        name = name,
        srcs = srcs + headers_first.keys(),
        copts = copts + _first(headers_first),
        linkstatic = True,
        target_compatible_with = port_constraints(port),
        deps = deps + [
            "//core:headers",
            "//core/port",
            "//core/ports/%s:backend" % port,
        ],
        **kwargs
    )

def conformance_test(name, port, core = None, **kwargs):
    """The conformance suite on a port that runs on this host.

    Args:
      name: of the test.
      port: "sim" or "host".
      core: the core to judge; by default the healthy one.
      **kwargs: handed on to cc_test.
    """
    cc_test(
        name = name,
        srcs = ["//core/port/conformance:conformance_main.c"],
        copts = HIGHMEM_COPTS,
        target_compatible_with = port_constraints(port),
        deps = [
            core or "//core:highmem_" + port,
            "//core/port",
            "//core/port/conformance:conformance_" + port,
            "//core/ports/%s" % port,
        ],
        **kwargs
    )
