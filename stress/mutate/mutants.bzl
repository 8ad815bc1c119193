# SPDX-License-Identifier: MIT
"""The mutants: which file each breaks, and which lanes must find it.

A lane comes with what it has to say: a regular expression for one line of its
output. What is wrong, and where it went wrong before, stands on top of
mutants/NAME.patch.

Each mutant must also be killed in kill_matrix_test, by a technique of its
choice. `first` is the one to try first, to save time; `slow` says why a mutant
is left out of that test, and only the whole matrix speaks of it.
"""

_LOST_WAKEUP = "lost wake-up: task [0-9]+ sleeps on colour [0-9]+ while slot"
_LOST_IN_KERNEL = "the waiter sleeps, and there is a slot for it"
_STALE = "stale TLB entry: CPU [0-9]+ still has pfn"

MUTANTS = {
    "address_of_unmapped": {
        "first": "unit",
        "lanes": {},
        "source": "page.c",
    },
    "any_order": {
        "first": "unit",
        "lanes": {},
        "source": "kmap_local.c",
    },
    "atomic_failure_leaks": {
        "lanes": {},
        "source": "kmap_local.c",
    },
    "barging": {
        "first": "unit",
        "lanes": {},
        "source": "pkmap.c",
    },
    "bits_beyond_slots": {
        "lanes": {},
        "source": "pkmap.c",
    },
    "cancelled_stays": {
        "lanes": {},
        "source": "pkmap_queue.c",
    },
    "cancelled_takes_slot": {
        "lanes": {},
        "source": "pkmap_queue.c",
    },
    "claims_window_late": {
        "lanes": {},
        "source": "kmap_local.c",
    },
    "count_before_page": {
        "lanes": {},
        "slow": "a window of one step between threads; TSan finds it",
        "source": "pkmap.c",
    },
    "double_kunmap": {
        "lanes": {},
        "source": "pkmap.c",
    },
    "first_highmem_page": {
        "lanes": {},
        "source": "page.c",
    },
    "flush_before_clear": {
        "lanes": {},
        "source": "pkmap.c",
    },
    "flush_serves_nobody": {
        "first": "unit",
        "lanes": {},
        "source": "pkmap.c",
    },
    "flush_wrong_colour": {
        "lanes": {},
        "source": "pkmap.c",
    },
    "flushes_wrong_window": {
        "lanes": {},
        "source": "kmap_local.c",
    },
    "force_map_ignored": {
        "lanes": {},
        "source": "kmap_local.c",
    },
    "full_flush_forgotten": {
        "first": "unit",
        "lanes": {},
        "source": "pkmap.c",
    },
    "given_slot_leaks": {
        "first": "unit",
        "lanes": {},
        "source": "pkmap.c",
    },
    "given_slot_unserved": {
        "first": "unit",
        "lanes": {},
        "source": "pkmap.c",
    },
    "handover_unflushed": {
        "lanes": {},
        "source": "pkmap.c",
    },
    "handover_without_taking": {
        "lanes": {},
        "source": "pkmap.c",
    },
    "hit_in_the_dark": {
        "lanes": {},
        "source": "pkmap.c",
    },
    "last_frame_refused": {
        "first": "unit",
        "lanes": {},
        "source": "init.c",
    },
    "last_one_gave_up_leak": {
        "lanes": {},
        "source": "pkmap.c",
    },
    "last_page": {
        "lanes": {
            "conformance": "not ok [0-9]+ first_and_last_window_of_each_cpu",
            "unit": "\\[FAIL\\] page::frames_outside_mem_map_have_no_page",
        },
        "source": "page.c",
    },
    "last_slot_not_flushed": {
        "lanes": {},
        "source": "pkmap.c",
    },
    "length_never_falls": {
        "first": "unit",
        "lanes": {},
        "source": "pkmap_queue.c",
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
    "lowmem_meets_pkmap": {
        "first": "unit",
        "lanes": {},
        "source": "init.c",
    },
    "migrates_with_windows": {
        "first": "unit",
        "lanes": {},
        "source": "kmap_local.c",
    },
    "migration_stays_off": {
        "first": "unit",
        "lanes": {},
        "source": "kmap_local.c",
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
    "newest_first": {
        "first": "unit",
        "lanes": {},
        "source": "pkmap_queue.c",
    },
    "no_recheck_after_sleep": {
        "first": "unit",
        "lanes": {},
        "source": "pkmap.c",
    },
    "no_second_look": {
        "lanes": {"kernel": _LOST_IN_KERNEL},
        "source": "pkmap.c",
    },
    "no_share": {
        "lanes": {},
        "source": "pkmap.c",
    },
    "no_wake_in_interrupt": {
        "first": "unit",
        "lanes": {"kernel": _LOST_IN_KERNEL},
        "source": "pkmap_queue.c",
    },
    "one_window_too_few": {
        "lanes": {},
        "source": "kmap_local.c",
    },
    "one_window_too_many": {
        "lanes": {},
        "source": "kmap_local.c",
    },
    "overflow_leaks_depth": {
        "lanes": {},
        "source": "kmap_local.c",
    },
    "pae_entry_32_bits": {
        "lanes": {},
        "source": "kmap_local.c",
    },
    "pae_frame_20_bits": {
        "lanes": {},
        "source": "pkmap.c",
    },
    "page_keeps_slot": {
        "lanes": {},
        "source": "pkmap.c",
    },
    "pin_from_zero": {
        "lanes": {},
        "source": "pkmap.c",
    },
    "pin_leak": {
        "first": "unit",
        "lanes": {},
        "source": "pkmap.c",
    },
    "pin_without_look": {
        "first": "unit",
        "lanes": {},
        "source": "pkmap.c",
    },
    "pkmap_meets_fixmap": {
        "first": "unit",
        "lanes": {},
        "source": "init.c",
    },
    "plain_count": {
        "lanes": {},
        "source": "pkmap.c",
    },
    "plain_queue_length": {
        "lanes": {},
        "slow": "a data race; only TSan sees it",
        "source": "pkmap_queue.c",
    },
    "plain_store": {
        "lanes": {"tsan": "#0 slot_install core/lib/pkmap\\.c:"},
        "slow": "a data race; only TSan sees it",
        "source": "pkmap.c",
    },
    "pop_before_clear": {
        "first": "unit",
        "lanes": {"kernel": "pte_set at 0x[0-9a-f]+: it still holds"},
        "source": "kmap_local.c",
    },
    "preempted_in_pop": {
        "lanes": {},
        "source": "kmap_local.c",
    },
    "preempted_in_push": {
        "lanes": {},
        "source": "kmap_local.c",
    },
    "publish_too_early": {
        "lanes": {"kernel": "page fault at 0xff8[0-9a-f]+: read of a page"},
        "source": "pkmap.c",
    },
    "queue_lock_irqs_on": {
        "first": "unit",
        "lanes": {},
        "source": "pkmap_queue.c",
    },
    "refused_unmap_enables": {
        "first": "unit",
        "lanes": {},
        "source": "kmap_local.c",
    },
    "restore_skips_last": {
        "lanes": {},
        "source": "kmap_local.c",
    },
    "restore_wrong_window": {
        "lanes": {},
        "source": "kmap_local.c",
    },
    "retire_forgets_newer": {
        "first": "unit",
        "lanes": {},
        "source": "pkmap.c",
    },
    "retire_without_cas": {
        "first": "unit",
        "lanes": {},
        "source": "pkmap.c",
    },
    "search_wrong_colour": {
        "lanes": {},
        "source": "pkmap.c",
    },
    "serves_one": {
        "first": "unit",
        "lanes": {},
        "source": "pkmap.c",
    },
    "share_without_count": {
        "lanes": {},
        "source": "pkmap.c",
    },
    "shootdown_irqs_off": {
        "lanes": {},
        "source": "pkmap.c",
    },
    "silent_unpin": {
        "first": "unit",
        "lanes": {},
        "source": "pkmap.c",
    },
    "sleeps_in_atomic": {
        "lanes": {},
        "source": "pkmap.c",
    },
    "slot_keeps_page": {
        "lanes": {},
        "source": "pkmap.c",
    },
    "spurious_is_a_grant": {
        "lanes": {},
        "source": "pkmap.c",
    },
    "stack_gone": {
        "lanes": {},
        "slow": "a window of one step between threads; TSan finds it",
        "source": "pkmap.c",
    },
    "switch_leaves_window": {
        "lanes": {},
        "source": "kmap_local.c",
    },
    "switch_unflushed": {
        "lanes": {},
        "source": "kmap_local.c",
    },
    "tail_dangles": {
        "lanes": {},
        "source": "pkmap_queue.c",
    },
    "take_live": {
        "lanes": {},
        "source": "pkmap.c",
    },
    "try_waits": {
        "first": "unit",
        "lanes": {},
        "source": "pkmap.c",
    },
    "wake_before_count": {
        "lanes": {},
        "source": "pkmap.c",
    },
    "wake_check_too_early": {
        "lanes": {"unit": "\\[FAIL\\] pkmap_race::a_waiter_against_"},
        "source": "pkmap.c",
    },
    "wake_none": {
        "lanes": {},
        "source": "pkmap_queue.c",
    },
    "window_bound": {
        "lanes": {"unit": "\\[FAIL\\] kmap_to_page::"},
        "source": "page.c",
    },
    "window_flush_before_clear": {
        "lanes": {},
        "source": "kmap_local.c",
    },
    "window_unflushed": {
        "lanes": {},
        "source": "kmap_local.c",
    },
    "windows_have_no_page": {
        "lanes": {},
        "source": "page.c",
    },
    "wrap_skips_slot_0": {
        "lanes": {},
        "source": "pkmap.c",
    },
    "wrong_colour_queue": {
        "first": "unit",
        "lanes": {},
        "source": "pkmap.c",
    },
    "zero_on_kunmap": {
        "lanes": {},
        "source": "pkmap.c",
    },
}
