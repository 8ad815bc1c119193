/* SPDX-License-Identifier: MIT */
#include "fuzz/pgtable/memory.h"

#include <stdlib.h>
#include <string.h>

#define NR_FRAMES 128
#define STRIDE 0x1234567u /* frames are far apart */

static struct {
	pfn_t pfn;
	bool taken;
} frames[NR_FRAMES];

static port_atomic_t words[NR_FRAMES][1024];
static const struct layout *ram_of;
static uint32_t nr_taken, nr_allocs, fail_at;
static const char *misuse;

void pgtable_memory_reset(const struct layout *layout, uint32_t fail)
{
	memset(frames, 0, sizeof(frames));
	ram_of = layout;
	nr_taken = nr_allocs = 0;
	fail_at = fail;
	misuse = NULL;
}

uint32_t pgtable_memory_taken(void)
{
	return nr_taken;
}

uint32_t pgtable_memory_allocs(void)
{
	return nr_allocs;
}

const char *pgtable_memory_misuse(void)
{
	return misuse;
}

static int find(uint64_t pfn)
{
	static int last;

	if (frames[last].taken && frames[last].pfn == pfn)
		return last;
	for (int i = 0; i < NR_FRAMES; i++)
		if (frames[i].taken && frames[i].pfn == pfn)
			return last = i;
	return -1;
}

/*
 * The frame of RAM number @nr, round and round. The first ones are lowmem's,
 * where a root must lie; the others are anywhere, above 4 GiB with PAE.
 */
static pfn_t ram_frame(uint64_t nr)
{
	const struct memmap *ram = &ram_of->ram;

	nr %= nr_allocs == 1 ? ram_of->nr_lowmem : ram_of->nr_pages;
	for (unsigned int i = 0; i < ram->nr; i++) {
		uint64_t start = ram->range[i].start >> PAGE_SHIFT;
		uint64_t end = ram->range[i].end >> PAGE_SHIFT;

		if (nr < end - start)
			return (pfn_t)(start + nr);
		nr -= end - start;
	}
	return PGTABLE_NO_FRAME;
}

static pfn_t take(void *arg)
{
	uint64_t nr;
	int i = 0;

	(void)arg;
	if (nr_allocs++ == fail_at)
		return PGTABLE_NO_FRAME;
	while (i < NR_FRAMES && frames[i].taken)
		i++;
	if (i == NR_FRAMES)
		return PGTABLE_NO_FRAME;
	nr = (uint64_t)nr_allocs * STRIDE;
	while (find(ram_frame(nr)) >= 0)
		nr++;
	frames[i].pfn = ram_frame(nr);
	frames[i].taken = true;
	nr_taken++;
	memset(words[i], 0xff, sizeof(words[i]));
	return frames[i].pfn;
}

static void give_back(void *arg, pfn_t pfn)
{
	int i = find(pfn);

	(void)arg;
	if (i < 0) {
		misuse = "a frame was given back that was not taken";
		return;
	}
	frames[i].taken = false;
	nr_taken--;
	memset(words[i], 0xff, sizeof(words[i]));
}

static port_atomic_t *table(void *arg, pfn_t pfn)
{
	int i = find(pfn);

	(void)arg;
	if (i < 0)
		abort();
	return words[i];
}

const struct pgtable_memory pgtable_memory = {
	.alloc = take,
	.free = give_back,
	.table = table,
};

static bool read_word(void *arg, uint64_t paddr, uint32_t *word)
{
	int i = find(paddr >> PAGE_SHIFT);

	(void)arg;
	if (i < 0)
		return false;
	*word = words[i][paddr % PAGE_SIZE / 4].value;
	return true;
}

static bool write_word(void *arg, uint64_t paddr, uint32_t word)
{
	int i = find(paddr >> PAGE_SHIFT);

	(void)arg;
	if (i < 0)
		return false;
	words[i][paddr % PAGE_SIZE / 4].value = word;
	return true;
}

const struct walk_memory pgtable_walk_memory = {
	.read = read_word,
	.write = write_word,
};
