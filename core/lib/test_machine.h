/* SPDX-License-Identifier: MIT */
#ifndef HIGHMEM_LIB_TEST_MACHINE_H
#define HIGHMEM_LIB_TEST_MACHINE_H

/*
 * A small simulated machine for the tests beside the code. Criterion forks
 * for each test, so a test boots and leaves the rest to the end of the
 * process.
 *
 * What needs no second task is called right from the test, which the sim
 * takes for a task on CPU 0. A test with several tasks writes their operations
 * in the order in which they are to run: at(n) waits for the n-th place.
 * Inside tasks use cr_expect, never cr_assert: it jumps off the fiber's stack.
 */

#include <criterion/criterion.h>

#include <highmem/highmem.h>

#include "core/lib/internal.h"
#include "core/port/machine.h"
#include "core/ports/sim/sim.h"

/* Boot @config; what it leaves 0 is set to a small number. */
static inline struct highmem *boot(struct machine_config config)
{
	struct highmem *hm;

	config.nr_cpus = config.nr_cpus ? config.nr_cpus : 2;
	config.nr_slots = config.nr_slots ? config.nr_slots : 4;
	config.nr_colours = config.nr_colours ? config.nr_colours : 1;
	config.nr_pages = config.nr_pages ? config.nr_pages : 16;
	config.local_depth = config.local_depth ? config.local_depth : 4;
	cr_assert_null(machine_can(&config));
	hm = machine_boot(&config);
	cr_assert_null(machine_take_bug());
	return hm;
}

/* The n-th highmem page, and the n-th of lowmem. */
static inline struct page *high(struct highmem *hm, unsigned int n)
{
	return &hm->config.mem_map[MACHINE_LOWMEM_PAGES + n];
}

static inline struct page *low(struct highmem *hm, unsigned int n)
{
	return &hm->config.mem_map[n];
}

static inline void *slot_address(struct highmem *hm, unsigned int slot)
{
	return (void *)pkmap_vaddr(hm, slot);
}

/* The page that is mapped in @slot, or NULL: it is free or given away. */
static inline struct page *slot_owner(struct highmem *hm, unsigned int slot)
{
	uint32_t cookie = port_atomic_load(&hm->pkmap.slot[slot].page);
	struct page *page = cookie ? &hm->config.mem_map[cookie - 1] : NULL;

	return page && page_is_in(page, slot) ? page : NULL;
}

/* The count of that page, or 0. */
static inline uint32_t slot_count(struct highmem *hm, unsigned int slot)
{
	struct page *page = slot_owner(hm, slot);

	return page ? pkmap_word_count(port_atomic_load(&page->pkmap)) : 0;
}

/* Behind the core's back. pre: a page is mapped in @slot. */
static inline void set_count(struct highmem *hm, unsigned int slot,
			     uint32_t count)
{
	port_atomic_store(&slot_owner(hm, slot)->pkmap,
			  count ? pkmap_word(slot, count) : 0);
}

/* Map and unmap: leaves an idle slot. */
static inline void touch(struct highmem *hm, struct page *page)
{
	kmap(hm, page);
	kunmap(hm, page);
}

static inline void at(uint32_t place)
{
	machine_yield(place);
}

/* The oldest sentence of port_bug(), or "". */
static inline const char *take_bug(void)
{
	const char *bug = machine_take_bug();

	return bug ? bug : "";
}

/* Nothing was reported, and no part contradicts another. */
static inline const char *unsound(struct highmem *hm)
{
	const char *why = machine_take_bug();

	if (!why)
		why = highmem_validate(hm);
	if (!why)
		why = machine_audit();
	return why ? why : "";
}

#define EXPECT_SOUND(hm) cr_expect_str_eq(unsound(hm), "")
#define EXPECT_BUG(sentence) cr_expect_str_eq(take_bug(), sentence)
#define EXPECT_STAT(hm, which, value) \
	cr_expect_eq(highmem_stat(hm, HM_STAT_##which), value)

/* "highmem: BUG: not true at FILE:LINE: CONDITION", whatever the line. */
static inline bool is_check_of(const char *bug, const char *file,
			       const char *condition)
{
	char start[96];
	size_t len = hm_format(start, sizeof(start),
			       "highmem: BUG: not true at %s:", file);

	if (strncmp(bug, start, len) != 0)
		return false;
	while (bug[len] >= '0' && bug[len] <= '9')
		len++;
	return strncmp(bug + len, ": ", 2) == 0 &&
	       strcmp(bug + len + 2, condition) == 0;
}

/* The call ends in port_panic() with a check of that condition. */
#define EXPECT_PANIC(call, file, condition) \
	do { \
		jmp_buf back_; \
\
		sim_catch_panic(&back_); \
		if (setjmp(back_) == 0) { \
			call; \
			cr_expect(false, "no panic"); \
		} \
		sim_catch_panic(NULL); \
		EXPECT_CHECK(file, condition); \
	} while (0)

#define EXPECT_CHECK(file, condition) \
	do { \
		const char *bug_ = take_bug(); \
		cr_expect(is_check_of(bug_, file, condition), \
			  "%s is not about %s", bug_, condition); \
	} while (0)

#endif
