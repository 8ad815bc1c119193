/* SPDX-License-Identifier: MIT */
#ifndef CORE_PORT_CONFORMANCE_STATE_H
#define CORE_PORT_CONFORMANCE_STATE_H

/* What the cases share: a machine, and tasks that report the first failure. */

#include <highmem/format.h>

#include "core/port/conformance/conformance.h"
#include "core/port/machine.h"

extern struct highmem *ct_hm;

/*
 * In a task: note the first failure of the case, with its place. Tasks of one
 * case run in turns or hand over through the core, so plain memory will do.
 */
#define CT_EXPECT(cond) ((cond) ? (void)0 : ct_fail(__FILE__, __LINE__, #cond))

void ct_fail(const char *file, unsigned int line, const char *cond);

/* A machine for the case; false with a "skip: " note if the port cannot. */
bool ct_boot(const struct machine_config *config);

/*
 * Run the tasks spawned so far to their end, check that nothing was reported
 * and that the state is sound, shut down; returns the case's result.
 */
const char *ct_finish(void);

/* The sentence a misuse must give: taken, and compared by its beginning. */
void ct_expect_bug(const char *beginning);

/* Highmem page @n, or lowmem page @n. */
struct page *ct_page(unsigned int n);
struct page *ct_lowmem_page(unsigned int n);

/* Every page holds its own tag; is @page what @vaddr shows? */
void ct_tag_pages(void);
bool ct_shows(const void *vaddr, const struct page *page);

/* The usual small machine: 2 slots, 4 pages, 1 CPU. */
#define CT_SMALL \
	{ .nr_cpus = 1, \
	  .nr_slots = 2, \
	  .nr_colours = 1, \
	  .nr_pages = 4, \
	  .local_depth = 4 }

/* Declares a case's config and entry, boots, runs one task of it. */
const char *ct_run_one(const struct machine_config *config,
		       void (*entry)(void *arg));
const char *ct_run_small(void (*entry)(void *arg)); /* on CT_SMALL */

#define CT_CASES_PKMAP(X) \
	X(kmap_gives_an_address_that_shows_the_page) \
	X(kmap_of_lowmem_is_the_direct_map) \
	X(second_kmap_shares_the_slot) \
	X(idle_mapping_is_a_hit) \
	X(counts_are_users_plus_one) \
	X(reuse_of_a_slot_shows_the_new_page) \
	X(flush_unused_leaves_live_maps) \
	X(kmap_high_get_only_if_mapped) \
	X(kmap_high_get_in_an_interrupt) \
	X(kmap_try_refuses_when_all_are_held) \
	X(kmap_waits_and_is_served) \
	X(waiters_are_served_in_order) \
	X(waiters_for_one_page_share_a_slot) \
	X(kmap_timeout_gives_up) \
	X(kmap_timeout_is_served_in_time) \
	X(kmap_killable_gives_up) \
	X(kmap_killable_is_served) \
	X(kunmap_leaves_interrupts_as_they_were) \
	X(colours_keep_to_their_slots) \
	X(kunmap_misuse_is_reported) \
	X(kmap_in_atomic_context_is_reported) \
	X(kmap_to_page_finds_every_byte) \
	X(all_slots_and_a_full_flush) \
	X(slots_beyond_a_word_of_the_free_map) \
	X(other_cpu_sees_the_reused_slot) \
	X(frames_above_4_gib)

#define CT_CASES_LOCAL(X) \
	X(local_map_shows_the_page) \
	X(local_maps_nest) \
	X(local_map_of_lowmem_is_the_direct_map) \
	X(force_map_gives_lowmem_a_window) \
	X(window_is_empty_after_unmap) \
	X(window_reuse_shows_the_new_page) \
	X(one_map_too_many_is_reported) \
	X(unmap_out_of_order_is_reported) \
	X(unmap_of_a_foreign_address_is_reported) \
	X(unmap_of_lowmem_that_was_not_mapped_is_reported) \
	X(unmap_by_the_other_call_is_reported) \
	X(enabling_too_often_is_reported) \
	X(interrupt_borrows_the_next_window) \
	X(atomic_map_forbids_sleep) \
	X(windows_survive_a_context_switch) \
	X(each_task_has_all_windows) \
	X(sleeping_with_a_local_map) \
	X(first_and_last_window_of_each_cpu) \
	X(cpu_ids_with_holes)

#define CT_DECLARE(name) const char *ct_##name(void);
CT_CASES_PKMAP(CT_DECLARE)
CT_CASES_LOCAL(CT_DECLARE)
#undef CT_DECLARE

#endif
