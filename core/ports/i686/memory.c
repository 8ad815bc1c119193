/* SPDX-License-Identifier: MIT */

#include "core/ports/i686/memory.h"

#include <highmem/page.h>

#include "core/ports/i686/console.h"
#include "core/ports/i686/cpuid.h"
#include "core/ports/i686/map_words.h"
#include "core/ports/i686/words.h"

#define FOUR_GIB ((uint64_t)1 << 32)

static struct layout layout;
static struct memory_paging paging;
static char why[160];

const struct layout *memory_layout(void)
{
	return &layout;
}

struct memory_paging memory_paging(void)
{
	return paging;
}

static unsigned int mib(uint64_t frames)
{
	return (unsigned int)(frames >> (20 - PAGE_SHIFT));
}

/* ---- PAE or not ------------------------------------------------------------- */

static const char *choose_pae(bool ram_above)
{
	bool wanted = word_given("pae"), unwanted = word_given("nopae");

	if (wanted && unwanted)
		return "the boot words pae and nopae contradict each other";
	if (wanted && !cpu_has_pae())
		return "the boot word is pae, but the CPU has none";
	paging.pae = wanted || (!unwanted && ram_above && cpu_has_pae());
	paging.nx = paging.pae && cpu_has_nx();
	if (wanted || unwanted)
		paging.reason = "a boot word says so";
	else if (!cpu_has_pae())
		paging.reason = "the CPU has no PAE";
	else
		paging.reason = ram_above ? "there is RAM above 4 GiB"
					  : "no RAM above 4 GiB";
	return NULL;
}

/* ---- RAM ---------------------------------------------------------------------- */

/*
 * The words may call RAM what is none. What the loader's map does not have,
 * nobody has seen, and is not used.
 */
static const char *find_ram(struct memmap *ram, const struct memmap *loader,
			    const char *words)
{
	static struct memmap map, wanted, there;
	const char *sentence;
	uint64_t lost;

	map = *loader;
	sentence = map_words_apply(&map, words, why, sizeof(why));
	if (!sentence)
		sentence = memmap_ram(&wanted, &map);
	if (!sentence)
		sentence = memmap_ram(&there, loader);
	if (!sentence)
		sentence = memmap_keep(ram, &wanted, &there);
	if (sentence)
		return sentence;
	lost = memmap_frames(&wanted, 0, UINT64_MAX) -
	       memmap_frames(ram, 0, UINT64_MAX);
	if (lost)
		console_printf("# warning: %u MiB that memmap= calls RAM are "
			       "not in the loader's map, and not used\n",
			       mib(lost + (1U << (20 - PAGE_SHIFT)) - 1));
	return ram->nr ? NULL : "nothing that memmap= calls RAM is there";
}

/* RAM that no address of this processor names does not exist for it. */
static void cut_unreachable(struct memmap *ram)
{
	uint64_t end = (uint64_t)1 << cpu_physical_bits();
	unsigned int nr = ram->nr;

	while (ram->nr && ram->range[ram->nr - 1].start >= end)
		ram->nr--;
	if (ram->nr && ram->range[ram->nr - 1].end > end)
		ram->range[ram->nr - 1].end = end;
	else if (ram->nr == nr)
		return;
	console_printf("# warning: RAM beyond the %u bits of a physical "
		       "address is ignored\n",
		       cpu_physical_bits());
}

/* ---- What is said about it --------------------------------------------------- */

static void print_layout(void)
{
	console_printf("# page tables: %s%s: %s\n",
		       paging.pae ? "PAE" : "without PAE",
		       paging.nx ? " and NX" : "", paging.reason);
	console_printf("# %u MiB of lowmem, %u MiB of highmem from pfn %x on\n",
		       mib(layout.nr_lowmem), mib(layout.nr_highmem),
		       layout.lowmem_end);
	console_printf("# direct map to %p, vmalloc from %p to %p, pkmap %p\n",
		       layout.high_memory, layout.vmalloc_start,
		       layout.vmalloc_end, layout.pkmap_base);
	for (unsigned int i = 0; i < layout.nr_warnings; i++)
		console_printf("# warning: %s\n", layout.warning[i]);
}

/* ---- All of it ------------------------------------------------------------------ */

static const char *compute_layout(const struct memmap *ram, const char *words)
{
	struct layout_options options;
	const char *sentence;

	layout_default_options(&options);
	options.pae = paging.pae;
	options.nr_cpus = HIGHMEM_MAX_CPUS;
	options.page_struct_size = sizeof(struct page);
	options.sparse_mem_map = true;
	sentence = layout_parse_words(&options, words, why, sizeof(why));
	if (!sentence)
		sentence = layout_compute(&layout, ram, &options);
	return sentence;
}

/* Only what is below @limit, or below the end of lowmem, is mapped at boot. */
static const char *limit_bootmem(struct bootmem *bootmem)
{
	uint64_t lowmem_end = (uint64_t)layout.lowmem_end << PAGE_SHIFT;

	if (bootmem->limit > lowmem_end)
		bootmem->limit = lowmem_end;
	return bootmem_reserved_end(bootmem) <= lowmem_end
		       ? NULL
		       : "the loader left something above the end of lowmem";
}

const char *memory_init(const struct memmap *loader, const char *words,
			struct bootmem *bootmem)
{
	const uint64_t end = UINT64_MAX >> PAGE_SHIFT;
	const char *sentence = find_ram(&bootmem->ram, loader, words);

	if (sentence)
		return sentence;
	cut_unreachable(&bootmem->ram);
	sentence = choose_pae(
		memmap_frames(&bootmem->ram, FOUR_GIB >> PAGE_SHIFT, end) > 0);
	if (!sentence)
		sentence = compute_layout(&bootmem->ram, words);
	if (sentence)
		return sentence;
	print_layout();
	return limit_bootmem(bootmem);
}
