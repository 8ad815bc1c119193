# SPDX-License-Identifier: MIT
"""The mutants: which file each breaks, and which lanes must find it.

A lane comes with what it has to say: a regular expression for one line of its
output. What is wrong, and where it went wrong before, stands on top of
mutants/NAME.patch.

Each mutant must also be killed in kill_matrix_test, by a technique of its
choice. `first` is the one to try first, to save time; `slow` says why a mutant
is left out of that test, and only the whole matrix speaks of it.

The file is one of core/lib if it has no folder, else its path: a file of
core/boot, or of a port. A bug in a port is judged by what runs on it: the
unit tests on the sim, tsan on threads, the kernel on the PC.
"""

_LOST_WAKEUP = "lost wake-up: task [A-D] sleeps on colour [0-9]+ while slot"
_LOST_IN_KERNEL = "the waiter sleeps, and there is a slot for it"
_STALE_IN_KERNEL = "stale TLB entry: 0x[0-9a-f]+ (has no PTE|maps pfn)"
_HALF_AN_ENTRY = "the upper half of the PTE at 0x[0-9a-f]+ changes while it is"

# The kernel lane has three CPUs.
_SEEN_BY_LAST = "should be page [0-9]+, tag 0x[0-9a-f]+, but CPU 2 reads"
_STALE = "stale TLB entry: CPU [0-9]+ still has pfn"

# The core's own, after which no kernel goes on.
_CHECK = "Bail out! highmem: BUG: not true at core/lib/kmap_local\\.c:[0-9]+: %s"

def _mutant(source, first = "", slow = "", lanes = {}):
    return {"first": first, "lanes": lanes, "slow": slow, "source": source}

# What is wrong with 32-bit pointers only. No technique of the kill matrix has
# them, so these have lanes and no place there.
MUTANTS_32 = {
    "lowmem_end_wraps": _mutant(
        "init.c",
        lanes = {"i386": "not ok [0-9]+ - init::direct_map_ends_below_pkmap"},
    ),
    "range_end_wraps": _mutant(
        "core/boot/pgtable.c",
        lanes = {
            "i386": "not ok [0-9]+ - pgtable::the_last_page_joins_" +
                    "a_table_that_is_there # still running",
        },
    ),
}

MUTANTS = {
    "address_of_unmapped": _mutant("page.c", first = "unit"),
    "alloc_failure_ignored": _mutant("core/boot/pgtable.c", first = "unit"),
    "any_order": _mutant("kmap_local.c", first = "unit"),
    "atomic_failure_leaks": _mutant("kmap_local.c"),
    "atomic_kind_unasked": _mutant("kmap_local.c", first = "unit"),
    "atomic_stays_off": _mutant("kmap_local.c"),
    "barging": _mutant("pkmap.c", first = "unit"),
    "barging_by_colour": _mutant("pkmap.c", first = "explore"),
    "bits_beyond_slots": _mutant("init.c"),
    "cancelled_drops_slot": _mutant("pkmap_queue.c"),
    "cancelled_sleeps_on": _mutant("pkmap_queue.c"),
    "cancelled_stays": _mutant("pkmap_queue.c"),
    "cancelled_swallows_wakeup": _mutant("pkmap_queue.c"),
    "cancelled_takes_slot": _mutant("pkmap_queue.c"),
    "claims_window_late": _mutant("kmap_local.c"),
    "colour_of_slot_0_unasked": _mutant("init.c", first = "unit"),
    "count_wraps": _mutant("pkmap.c", first = "unit"),
    "deadline_starved": _mutant(
        "pkmap_queue.c",
        first = "unit",
        lanes = {
            "kernel": "a wait for 5 ticks, woken at each, took 100",
            "sched_fuzz": "sleeps again without a look at the clock",
        },
    ),
    "direct_unmap_unasked": _mutant("kmap_local.c", first = "unit"),
    "double_kunmap": _mutant("pkmap.c"),
    "enqueue_unfenced": _mutant(
        "pkmap.c",
        slow = "some 12 s of search with store buffers; planted_test does it",
    ),
    "first_highmem_page": _mutant("internal.h"),
    "flush_and_retry": _mutant("pkmap.c", first = "explore"),
    "flush_before_clear": _mutant("pkmap.c"),
    "flush_frees_given": _mutant("pkmap.c", first = "unit"),
    "flush_keeps_idle": _mutant("pkmap.c", first = "unit"),
    "flush_looks_once": _mutant("pkmap.c", first = "unit"),
    "flush_passes_handover": _mutant("pkmap.c", first = "unit"),
    "flush_serves_colour_0": _mutant(
        "pkmap.c",
        slow = "some seconds of search: three tasks and a second colour",
    ),
    "flush_serves_first": _mutant("pkmap.c"),
    "flush_serves_nobody": _mutant("pkmap.c", first = "unit"),
    "flush_wrong_colour": _mutant("pkmap.c"),
    "flushes_twice": _mutant("pkmap.c", first = "unit"),
    "flushes_wrong_window": _mutant("kmap_local.c"),
    "force_map_ignored": _mutant("kmap_local.c"),
    "free_slot_has_a_page": _mutant(
        "page.c",
        lanes = {"replay": "slot [0-9]+ is free, but kmap_to_page has a page"},
    ),
    "full_flush_forgotten": _mutant("pkmap.c", first = "unit"),
    "full_flush_of_one_cpu": _mutant(
        "core/ports/sim/sim_tlb.c",
        first = "unit",
    ),
    "gap_lost": _mutant("core/boot/layout.c", first = "unit"),
    "get_gives_up": _mutant("pkmap.c", first = "explore"),
    "given_serves_colour_0": _mutant(
        "pkmap.c",
        slow = "some seconds of search: four tasks and a second colour",
    ),
    "given_slot_leaks": _mutant("pkmap.c", first = "unit"),
    "given_slot_unserved": _mutant("pkmap.c", first = "unit"),
    "guard_page_lost": _mutant("core/boot/layout.c", first = "unit"),
    "handover_fears_lock": _mutant("pkmap.c", first = "unit"),
    "handover_unflushed": _mutant("pkmap.c"),
    "handover_without_taking": _mutant("pkmap.c"),
    "hit_in_the_dark": _mutant("pkmap.c"),
    "hit_without_cas": _mutant("pkmap.c", first = "unit"),
    "hook_goes_on": _mutant(
        "core/ports/i686/timer.c",
        first = "kernel",
        lanes = {"kernel": "a CPU is still in the hook that was replaced"},
    ),
    "idle_page_has_no_address": _mutant(
        "page.c",
        lanes = {"replay": "kmap_to_page and page_address do not agree"},
    ),
    "irqs_back_on": _mutant(
        "core/ports/i686/port_backend.h",
        first = "kernel",
        lanes = {
            # Unless an interrupt comes before the machine is ready for one.
            "kernel": "kunmap_leaves_interrupts_as_they_were|Bail out! ",
        },
    ),
    "irqs_stay_on": _mutant(
        "core/ports/i686/port_backend.h",
        first = "kernel",
        lanes = {
            "kernel": "Bail out! spin lock 0x[0-9a-f]+ taken twice on one CPU",
        },
    ),
    "kunmap_by_slot": _mutant("pkmap.c", first = "sched_replay"),
    "last_frame_refused": _mutant("init.c", first = "unit"),
    "last_one_gave_up_leak": _mutant("pkmap.c"),
    "last_page": _mutant(
        "page.c",
        lanes = {
            "conformance": "not ok [0-9]+ first_and_last_window_of_each_cpu",
            "unit": "\\[FAIL\\] page::frames_outside_mem_map_have_no_page",
        },
    ),
    "last_slot_not_flushed": _mutant("pkmap.c"),
    "last_unmap_unfenced": _mutant("pkmap.c"),
    "length_never_falls": _mutant("pkmap_queue.c", first = "unit"),
    "local_flush": _mutant(
        "pkmap.c",
        lanes = {
            "conformance": "not ok [0-9]+ other_cpu_sees_the_reused_slot",
            "fuzz": _STALE,
        },
    ),
    "lost_wakeup": _mutant(
        "pkmap.c",
        lanes = {
            "fuzz": _LOST_WAKEUP,
            "replay": _LOST_WAKEUP,
            "torture": _LOST_WAKEUP,
        },
    ),
    "lowmem_meets_pkmap": _mutant("init.c", first = "unit"),
    "migrates_with_windows": _mutant("kmap_local.c", first = "unit"),
    "migration_stays_off": _mutant("kmap_local.c", first = "unit"),
    "missing_flush": _mutant(
        "pkmap.c",
        lanes = {
            "fuzz": _STALE,
            "kernel": _STALE_IN_KERNEL,
            "kernel_pae": _STALE_IN_KERNEL,
            "replay": _STALE,
            "torture": "still translates .*: a flush is missing|" +
                       "reads .*: it sees another page",
        },
    ),
    "moves_with_window": _mutant(
        "core/ports/i686/turns.c",
        first = "kernel",
        lanes = {"kernel": "not ok [0-9]+ parallel_tasks_with_windows_stay"},
    ),
    "newest_first": _mutant("pkmap_queue.c", first = "unit"),
    "no_page_is_mapped": _mutant("page.c", first = "unit"),
    "no_recheck_after_sleep": _mutant("pkmap.c", first = "unit"),
    "no_second_look": _mutant(
        "pkmap.c",
        lanes = {
            "kernel": _LOST_IN_KERNEL,
            "sched_fuzz": _LOST_WAKEUP,
        },
    ),
    "no_share": _mutant("pkmap.c"),
    "no_wake_in_interrupt": _mutant(
        "pkmap_queue.c",
        first = "unit",
        lanes = {"kernel": _LOST_IN_KERNEL},
    ),
    "offset_not_masked": _mutant("kmap_local.c", first = "unit"),
    "one_table_for_all": _mutant("core/boot/pgtable.c"),
    "online_unflushed": _mutant(
        "core/ports/sim/sim_hotplug.c",
        first = "unit",
    ),
    "one_window_too_few": _mutant("kmap_local.c"),
    "one_window_too_many": _mutant("kmap_local.c"),
    "overflow_leaks_depth": _mutant("kmap_local.c"),
    "pae_clear_high_first": _mutant(
        "core/boot/pgtable_entry.c",
        lanes = {"unit": _HALF_AN_ENTRY},
    ),
    "pae_entry_32_bits": _mutant("kmap_local.c"),
    "pae_frame_20_bits": _mutant("pkmap.c"),
    "pae_set_low_first": _mutant(
        "core/boot/pgtable_entry.c",
        lanes = {"unit": _HALF_AN_ENTRY},
    ),
    "pdpte_not_reloaded": _mutant(
        "core/boot/pgtable_kernel.c",
        lanes = {"unit": "\\[FAIL\\] pgtable_link::a_new_pdpte_asks_for"},
    ),
    "page_keeps_slot": _mutant("pkmap.c"),
    "pgtable_leaks_on_failure": _mutant("core/boot/pgtable.c", first = "unit"),
    "pin_from_zero": _mutant("pkmap.c"),
    "pkmap_meets_fixmap": _mutant("init.c", first = "unit"),
    "plain_count": _mutant("pkmap.c"),
    "plain_queue_length": _mutant(
        "pkmap_queue.c",
        slow = "a data race; only TSan sees it",
    ),
    "plain_store": _mutant(
        "pkmap.c",
        slow = "a data race; only TSan sees it",
        lanes = {"tsan": "#0 slot_install core/lib/pkmap\\.c:"},
    ),
    "pop_before_clear": _mutant(
        "kmap_local.c",
        first = "unit",
        lanes = {
            "kernel": _CHECK % "pte_none\\(port_pte_read\\(vaddr\\)\\)",
            "sched_fuzz": "oracle: [IJ]'s interrupt leaves a local map behind",
        },
    ),
    "preempted_in_pop": _mutant("kmap_local.c"),
    "preempted_in_push": _mutant("kmap_local.c"),
    "publish_too_early": _mutant(
        "pkmap.c",
        lanes = {"kernel": "page fault at 0xff8[0-9a-f]+: read of a page"},
    ),
    "queue_keeps_irqs_off": _mutant(
        "pkmap_queue.c",
        lanes = {"replay": "sim: sleeping in atomic context"},
    ),
    "queue_lock_irqs_on": _mutant("pkmap_queue.c", first = "unit"),
    "refused_unmap_enables": _mutant("kmap_local.c", first = "unit"),
    "rest_too_early": _mutant(
        "core/ports/i686/sched.c",
        first = "kernel",
        lanes = {
            "kernel": "not ok [0-9]+ parallel_slow_interrupt_wakes_the_last",
        },
    ),
    "restore_skips_last": _mutant("kmap_local.c"),
    "restore_wrong_window": _mutant("kmap_local.c"),
    "retire_forgets_newer": _mutant("pkmap.c", first = "unit"),
    "retire_without_cas": _mutant("pkmap.c", first = "unit"),
    "search_wrong_colour": _mutant("pkmap.c"),
    "second_look_at_colour_0": _mutant("pkmap.c", first = "explore"),
    "serves_one": _mutant("pkmap.c", first = "unit"),
    "share_counts_strangers": _mutant("pkmap.c", first = "unit"),
    "share_without_count": _mutant("pkmap.c"),
    "shootdown_irqs_off": _mutant("pkmap.c"),
    "shootdown_leaves_one_out": _mutant(
        "core/ports/i686/tlb.c",
        first = "kernel",
        lanes = {"kernel": _SEEN_BY_LAST},
    ),
    "shootdown_skips_last": _mutant(
        "core/ports/i686/tlb.c",
        first = "kernel",
        lanes = {"kernel": "stale TLB entry: 0x[0-9a-f]+ has no PTE"},
    ),
    "shootdown_stays_local": _mutant(
        "core/ports/i686/tlb.c",
        first = "kernel",
        lanes = {"kernel": "should be page [0-9]+, tag 0x[0-9a-f]+, but CPU"},
    ),
    "sleeps_in_atomic": _mutant("pkmap.c"),
    "sleeps_with_lock": _mutant(
        "pkmap.c",
        lanes = {"replay": "sim: sleeping in atomic context"},
    ),
    "slot_keeps_page": _mutant("pkmap.c"),
    "slot_past_the_end": _mutant("internal.h", first = "unit"),
    "spurious_is_a_grant": _mutant("pkmap_queue.c"),
    "stack_gone": _mutant(
        "pkmap_queue.c",
        slow = "a window of one step between threads; TSan finds it",
    ),
    "stale_retry": _mutant("pkmap.c", first = "explore"),
    "stats_of_few_cpus": _mutant("stats.c", first = "unit"),
    "switch_leaves_window": _mutant("kmap_local.c"),
    "switch_restores_nothing": _mutant(
        "core/ports/i686/sched.c",
        first = "kernel",
        lanes = {"kernel": _CHECK % "pte_pfn\\(old\\) == "},
    ),
    "switch_unflushed": _mutant("kmap_local.c"),
    "tail_dangles": _mutant("pkmap_queue.c"),
    "take_live": _mutant("pkmap.c"),
    "try_does_not_flush": _mutant(
        "pkmap.c",
        lanes = {"fuzz": "kmap_try refused p[0-9]+, but slot [0-9]+ is to be"},
    ),
    "try_fears_lock": _mutant("pkmap.c", first = "sched_replay"),
    "try_queues": _mutant("pkmap.c", first = "unit"),
    "try_waits": _mutant("pkmap.c", first = "unit"),
    "unlock_publishes_nothing": _mutant(
        "core/ports/host/port_backend.h",
        lanes = {"tsan": "ThreadSanitizer: data race core/lib/pkmap.*\\.c:"},
    ),
    "user_may_in": _mutant("core/boot/pgtable_entry.c", first = "unit"),
    "wake_before_count": _mutant("pkmap.c"),
    "wake_check_too_early": _mutant(
        "pkmap.c",
        lanes = {
            "sched_fuzz": _LOST_WAKEUP,
            "unit": "\\[FAIL\\] pkmap_race::a_waiter_against_",
        },
    ),
    "wake_none": _mutant("pkmap_queue.c"),
    "window_bound": _mutant(
        "page.c",
        lanes = {"unit": "\\[FAIL\\] kmap_to_page::"},
    ),
    "window_flush_before_clear": _mutant("kmap_local.c"),
    "window_stays_mapped": _mutant(
        "kmap_local.c",
        lanes = {"replay": "leaves a local map behind|is not empty above"},
    ),
    "window_unflushed": _mutant(
        "kmap_local.c",
        lanes = {
            "kernel": _STALE_IN_KERNEL,
            "kernel_pae": _STALE_IN_KERNEL,
        },
    ),
    "windows_have_no_page": _mutant("page.c"),
    "word_before_page": _mutant("pkmap.c"),
    "wrap_skips_slot_0": _mutant("pkmap.c"),
    "wrong_colour_queue": _mutant("pkmap.c", first = "unit"),
    "zero_on_kunmap": _mutant("pkmap.c"),
}
