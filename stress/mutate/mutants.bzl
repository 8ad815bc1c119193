# SPDX-License-Identifier: MIT
"""The mutants: which file each breaks, and which lanes must find it.

A lane comes with what it has to say: a regular expression for one line of its
output. What is wrong, and where it went wrong before, stands on top of
mutants/NAME.patch.
"""

_LOST_WAKEUP = "lost wake-up: task [0-9]+ sleeps on colour [0-9]+ while slot"
_LOST_IN_KERNEL = "the waiter sleeps, and there is a slot for it"
_STALE = "stale TLB entry: CPU [0-9]+ still has pfn"

MUTANTS = {
    "last_page": {
        "lanes": {
            "conformance": "not ok [0-9]+ first_and_last_window_of_each_cpu",
            "unit": "\\[FAIL\\] page::frames_outside_mem_map_have_no_page",
        },
        "source": "page.c",
    },
    "local_flush": {
        "lanes": {
            "conformance": "not ok [0-9]+ other_cpu_sees_the_reused_slot",
            "fuzz": _STALE,
        },
        "source": "pkmap.c",
    },
    "lost_wakeup": {
        "lanes": {
            "fuzz": _LOST_WAKEUP,
            "replay": _LOST_WAKEUP,
            "torture": _LOST_WAKEUP,
        },
        "source": "pkmap.c",
    },
    "missing_flush": {
        "lanes": {
            "fuzz": _STALE,
            "replay": _STALE,
            "torture": "still translates .*: a flush is missing|" +
                       "reads .*: it sees another page",
        },
        "source": "pkmap.c",
    },
    "no_second_look": {
        "lanes": {"kernel": _LOST_IN_KERNEL},
        "source": "pkmap.c",
    },
    "no_wake_in_interrupt": {
        "lanes": {"kernel": _LOST_IN_KERNEL},
        "source": "pkmap_queue.c",
    },
    "plain_store": {
        "lanes": {"tsan": "#0 slot_install core/lib/pkmap\\.c:"},
        "source": "pkmap.c",
    },
    "pop_before_clear": {
        "lanes": {"kernel": "pte_set at 0x[0-9a-f]+: it still holds"},
        "source": "kmap_local.c",
    },
    "publish_too_early": {
        "lanes": {"kernel": "page fault at 0xff8[0-9a-f]+: read of a page"},
        "source": "pkmap.c",
    },
    "wake_check_too_early": {
        "lanes": {"unit": "\\[FAIL\\] pkmap_race::a_waiter_against_"},
        "source": "pkmap.c",
    },
    "window_bound": {
        "lanes": {"unit": "\\[FAIL\\] kmap_to_page::"},
        "source": "page.c",
    },
}
