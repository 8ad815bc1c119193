/* SPDX-License-Identifier: MIT */
#ifndef HIGHMEM_LAYOUT_H
#define HIGHMEM_LAYOUT_H

/*
 * The kernel's address map, from what memory there is and what the boot words
 * want. With the usual split and more than 896 MiB of RAM:
 *
 *	0x00000000  user
 *	0xc0000000  direct map	page_offset; frame 0 is here
 *	0xf8000000  gap		high_memory; at least 8 MiB, catches what runs
 *				off the end of the direct map
 *	0xf8800000  vmalloc	VMALLOC_START
 *	0xff7fe000  guard	VMALLOC_END; two pages
 *	0xff800000  pkmap	PKMAP_BASE, LAST_PKMAP pages (PAE: 0xffc00000)
 *	0xffc00000  unused
 *	FIXADDR_START  fixmap
 *	0xfffff000  hole	FIXADDR_TOP; one page
 *
 * `vmalloc=` is what lies between high_memory and 4 GiB at the least, gap,
 * pkmap and fixmap included: with 128 MiB, lowmem ends at 896 MiB. With less
 * RAM, high_memory is where RAM ends, and the vmalloc area is so much larger.
 *
 * After Linux: Documentation/x86 and arch/x86/mm/init_32.c.
 */

#include <highmem/fixmap.h>
#include <highmem/memmap.h>
#include <highmem/types.h>

#define LAYOUT_MIB ((uint64_t)1 << 20)
#define LAYOUT_GIB ((uint64_t)1 << 30)

#define LAYOUT_PAGE_OFFSET ((vaddr_t)0xc0000000)
#define LAYOUT_VMALLOC_BYTES (128 * LAYOUT_MIB)
#define LAYOUT_GAP (8 * LAYOUT_MIB)
#define LAYOUT_GUARD (2 * PAGE_SIZE)

/* What is left of each at the least, or the layout is refused. */
#define LAYOUT_MIN_VMALLOC (4 * LAYOUT_MIB)
#define LAYOUT_MIN_LOWMEM (4 * LAYOUT_MIB)

/* What highmem= does not say. */
#define LAYOUT_HIGHMEM_ALL UINT64_MAX

struct layout_options {
	bool pae;
	vaddr_t page_offset;	/* a multiple of 4 MiB, with PAE of 1 GiB */
	uint64_t vmalloc_bytes; /* rounded up to pages */
	/*
	 * This much highmem, rounded down to pages: lowmem ends earlier for it,
	 * and RAM beyond is not used. Or LAYOUT_HIGHMEM_ALL.
	 */
	uint64_t highmem_bytes;
	uint64_t lowmem_limit; /* no more than this, as on MIPS; 0: none */
	unsigned int nr_cpus;
	unsigned int page_struct_size; /* sizeof(struct page) of the kernel */
	/*
	 * mem_map has a descriptor for each frame of RAM, in ranges (struct
	 * highmem_config), and not one for each frame below max_pfn.
	 */
	bool sparse_mem_map;
	/* Warn when mem_map takes more than this share of lowmem. */
	unsigned int mem_map_percent;
	/* Warn when there is more than this many times as much highmem. */
	unsigned int highmem_ratio;
};

/*
 * 3:1, 128 MiB of vmalloc, no PAE, 1 CPU, 32 bytes, a flat mem_map, 50 %, 8
 * times.
 */
void layout_default_options(struct layout_options *options);

/*
 * Read boot words, separated by blanks: `vmalloc=128M`, `highmem=512M`,
 * `page_offset=0x80000000`, `lowmem=512M`. A number is decimal or 0x and
 * hexadecimal; K, M and G are binary. Words that belong to somebody else are
 * passed over. Returns NULL or a sentence, in @why, and then @options is as it
 * was: no number, one that does not fit, a unit that does not exist, a word
 * that is there twice.
 */
const char *layout_parse_words(struct layout_options *options,
			       const char *words, char *why, size_t size);

enum layout_area_id {
	LAYOUT_USER,
	LAYOUT_DIRECT,
	LAYOUT_GAP_AREA,
	LAYOUT_VMALLOC,
	LAYOUT_GUARD_AREA,
	LAYOUT_PKMAP,
	LAYOUT_UNUSED,
	LAYOUT_FIXMAP,
	LAYOUT_HOLE,
	LAYOUT_NR_AREAS
};

/* [start, end), in 64 bits because the last one ends at 4 GiB. */
struct layout_area {
	const char *name;
	uint64_t start;
	uint64_t end;
};

#define LAYOUT_MAX_WARNINGS 6

struct layout {
	struct layout_options options;
	/* All RAM that is used, by frames that an entry can hold. */
	struct memmap ram;
	/* Its highmem part. */
	struct memmap highmem;
	pfn_t lowmem_end;  /* max_low_pfn: the first frame without direct map */
	uint64_t max_pfn;  /* the frame behind the last one of RAM */
	uint64_t nr_pages; /* RAM frames, and those of each kind */
	uint64_t nr_lowmem;
	uint64_t nr_highmem;
	/* All of mem_map: see sparse_mem_map. */
	uint64_t mem_map_bytes;
	vaddr_t page_offset;
	vaddr_t high_memory; /* where the direct map ends */
	vaddr_t vmalloc_start;
	vaddr_t vmalloc_end;
	vaddr_t pkmap_base;
	unsigned int last_pkmap;
	/* They follow each other from 0 to 4 GiB and leave nothing out. */
	struct layout_area area[LAYOUT_NR_AREAS];
	unsigned int nr_warnings;
	char warning[LAYOUT_MAX_WARNINGS][128];
	char why[160]; /* the sentence of a refusal */
};

/*
 * Returns NULL, or a sentence that says what is impossible; @layout is then not
 * to be used but for that. What is possible but unwise is in @warning. @map is
 * as the firmware gave it. Context: boot.
 */
const char *layout_compute(struct layout *layout, const struct memmap *map,
			   const struct layout_options *options);

/* ---- The direct map -------------------------------------------------------- */

/* Is there a direct mapping at @vaddr, or of @paddr? Any context. */
static inline bool layout_is_direct(const struct layout *layout, vaddr_t vaddr)
{
	return vaddr >= layout->page_offset && vaddr < layout->high_memory;
}

static inline bool layout_is_lowmem(const struct layout *layout, paddr_t paddr)
{
	return paddr >> PAGE_SHIFT < layout->lowmem_end;
}

/* Linux's __pa() and __va(). pre: layout_is_direct(), layout_is_lowmem(). */
static inline paddr_t layout_pa(const struct layout *layout, vaddr_t vaddr)
{
	return vaddr - layout->page_offset;
}

static inline vaddr_t layout_va(const struct layout *layout, paddr_t paddr)
{
	return layout->page_offset + (vaddr_t)paddr;
}

#endif
