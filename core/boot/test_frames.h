/* SPDX-License-Identifier: MIT */
#ifndef HIGHMEM_BOOT_TEST_FRAMES_H
#define HIGHMEM_BOOT_TEST_FRAMES_H

/*
 * A little physical memory for tests of page tables: some frames that are given
 * out and come back, and an allocation that fails when the test wants it to.
 */

#include <criterion/criterion.h>
#include <string.h>

#include <highmem/pgtable.h>

#define RW (PTE_PRESENT | PTE_WRITE)
#define MIB(n) ((uint64_t)(n) << 20)

#define NR_TEST_FRAMES 600
#define NEVER UINT32_MAX

static struct {
	_Alignas(4096) port_atomic_t word[NR_TEST_FRAMES][1024];
	bool taken[NR_TEST_FRAMES];
	pfn_t base; /* the first frame's number */
	uint32_t nr_taken;
	uint32_t nr_allocs; /* so far */
	uint32_t fail_at;   /* this one fails, from 0; or NEVER */
	const char *misuse; /* a frame given back that was not taken */
} test_frames;

static inline pfn_t test_frames_alloc(void *arg)
{
	(void)arg;
	if (test_frames.nr_allocs++ == test_frames.fail_at)
		return PGTABLE_NO_FRAME;
	for (uint32_t i = 0; i < NR_TEST_FRAMES; i++) {
		if (test_frames.taken[i])
			continue;
		test_frames.taken[i] = true;
		test_frames.nr_taken++;
		/* What an allocator gives has been used before. */
		memset(test_frames.word[i], 0xa5, PAGE_SIZE);
		return test_frames.base + i;
	}
	return PGTABLE_NO_FRAME;
}

static inline void test_frames_free(void *arg, pfn_t pfn)
{
	uint32_t i = pfn - test_frames.base;

	(void)arg;
	if (i >= NR_TEST_FRAMES || !test_frames.taken[i]) {
		test_frames.misuse = "a frame was given back twice";
		return;
	}
	test_frames.taken[i] = false;
	test_frames.nr_taken--;
	memset(test_frames.word[i], 0x5a, PAGE_SIZE);
}

static inline port_atomic_t *test_frames_table(void *arg, pfn_t pfn)
{
	uint32_t i = pfn - test_frames.base;

	(void)arg;
	cr_assert(i < NR_TEST_FRAMES && test_frames.taken[i],
		  "frame %#x is no table's", pfn);
	return test_frames.word[i];
}

/* All frames free, the first of them @base. */
static inline struct pgtable_memory test_frames_init(pfn_t base)
{
	memset(&test_frames, 0, sizeof(test_frames));
	test_frames.base = base;
	test_frames.fail_at = NEVER;
	return (struct pgtable_memory){
		.alloc = test_frames_alloc,
		.free = test_frames_free,
		.table = test_frames_table,
	};
}

/* Everything that is in taken frames, as one number. */
static inline uint64_t test_frames_hash(void)
{
	uint64_t hash = test_frames.nr_taken;

	for (uint32_t i = 0; i < NR_TEST_FRAMES; i++)
		for (uint32_t w = 0; test_frames.taken[i] && w < 1024; w++)
			hash = (hash ^ test_frames.word[i][w].value ^ i) *
			       0x9e3779b97f4a7c15u;
	return hash;
}

/* The call refuses with @word in its sentence, and nothing is different. */
#define EXPECT_REFUSED(call, word) \
	do { \
		uint64_t before_ = test_frames_hash(); \
		const char *why_ = (call); \
		cr_assert_not_null(why_, "not refused: " #call); \
		cr_expect(strstr(why_, word), "%s: no '%s'", why_, word); \
		cr_expect_eq(test_frames_hash(), before_, "%s: changed", \
			     why_); \
	} while (0)

#define EXPECT_NO_LEAK() \
	do { \
		cr_expect_eq(test_frames.nr_taken, 0, "%u frames leaked", \
			     test_frames.nr_taken); \
		cr_expect_null(test_frames.misuse); \
	} while (0)

#endif
