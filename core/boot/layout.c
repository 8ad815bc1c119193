/* SPDX-License-Identifier: MIT */
#include <highmem/format.h>
#include <highmem/layout.h>

#define ADDRESSES ((uint64_t)1 << 32)
#define MIB_SHIFT 20
#define PAGES_PER_MIB_SHIFT (MIB_SHIFT - PAGE_SHIFT)

/* Where kernels are loaded. */
#define FIRST_FRAME (LAYOUT_MIB >> PAGE_SHIFT)

#define WISE_RAM (8 * LAYOUT_GIB)

void layout_default_options(struct layout_options *options)
{
	*options = (struct layout_options){
		.page_offset = LAYOUT_PAGE_OFFSET,
		.vmalloc_bytes = LAYOUT_VMALLOC_BYTES,
		.highmem_bytes = LAYOUT_HIGHMEM_ALL,
		.nr_cpus = 1,
		.page_struct_size = 32,
		.mem_map_percent = 50,
		.highmem_ratio = 8,
	};
}

static const char *refuse(struct layout *layout, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	hm_vformat(layout->why, sizeof(layout->why), format, args);
	va_end(args);
	return layout->why;
}

static void warn(struct layout *layout, const char *format, ...)
{
	unsigned int nr = layout->nr_warnings++;
	va_list args;

	va_start(args, format);
	hm_vformat(layout->warning[nr], sizeof(layout->warning[nr]), format,
		   args);
	va_end(args);
}

static unsigned int mib(uint64_t bytes)
{
	return (unsigned int)(bytes >> MIB_SHIFT);
}

static unsigned int pages_to_mib(uint64_t pages)
{
	return (unsigned int)(pages >> PAGES_PER_MIB_SHIFT);
}

/* Rounded up; PAGE_MASK has 32 bits on the machines that this is for. */
static uint64_t page_aligned(uint64_t bytes)
{
	bool part = (bytes & (PAGE_SIZE - 1)) != 0;

	return ((bytes >> PAGE_SHIFT) + part) << PAGE_SHIFT;
}

/* ---- What is asked for ----------------------------------------------------- */

static const char *check_options(struct layout *layout)
{
	const struct layout_options *options = &layout->options;
	/* A power of two: a remainder of 64 bits would be a call of libgcc. */
	uint64_t step = options->pae ? LAYOUT_GIB : 4 * LAYOUT_MIB;
	uint64_t offset = options->page_offset;

	if (offset == 0 || offset >= ADDRESSES || (offset & (step - 1)))
		return refuse(layout,
			      "page_offset %p must be a multiple of "
			      "%u MiB, and not 0",
			      options->page_offset, mib(step));
	if (options->nr_cpus < 1 || options->nr_cpus > HIGHMEM_MAX_CPUS)
		return refuse(layout,
			      "%u CPUs: the fixmap has windows for 1 "
			      "to %u",
			      options->nr_cpus, HIGHMEM_MAX_CPUS);
	if (options->page_struct_size < 1 ||
	    options->page_struct_size > PAGE_SIZE)
		return refuse(layout,
			      "a page descriptor has 1 to %u bytes, "
			      "not %u",
			      (unsigned int)PAGE_SIZE,
			      options->page_struct_size);
	return NULL;
}

/* Everything that does not depend on how much RAM there is. */
static void place_top(struct layout *layout)
{
	layout->page_offset = layout->options.page_offset;
	layout->pkmap_base = layout->options.pae ? PKMAP_BASE_PAE
						 : PKMAP_BASE_NONPAE;
	layout->last_pkmap = layout->options.pae ? LAST_PKMAP_PAE
						 : LAST_PKMAP_NONPAE;
	layout->vmalloc_end = layout->pkmap_base - LAYOUT_GUARD;
}

/* The most that the direct map may hold, in frames. */
static const char *find_room(struct layout *layout, uint64_t *frames)
{
	uint64_t least = ADDRESSES - layout->vmalloc_end + LAYOUT_GAP +
			 LAYOUT_MIN_VMALLOC;
	uint64_t room = ADDRESSES - layout->page_offset;
	uint64_t above = layout->options.vmalloc_bytes;
	uint64_t limit = layout->options.lowmem_limit;

	if (above < least)
		return refuse(layout,
			      "vmalloc=%uM is too little: gap, pkmap "
			      "and fixmap are in it, at least %uM",
			      mib(above), mib(least) + 1);
	if (above > room || room - above < LAYOUT_MIN_LOWMEM)
		return refuse(layout,
			      "vmalloc=%uM is too much: above %p there "
			      "are %u MiB, and lowmem needs %u",
			      mib(above), layout->page_offset, mib(room),
			      mib(LAYOUT_MIN_LOWMEM));
	room -= above;
	if (limit && limit < LAYOUT_MIN_LOWMEM)
		return refuse(layout, "lowmem=%uM is too little: at least %uM",
			      mib(limit), mib(LAYOUT_MIN_LOWMEM));
	*frames = (limit && limit < room ? limit : room) >> PAGE_SHIFT;
	return NULL;
}

/* ---- Memory ------------------------------------------------------------------- */

/* The part of @ram in frames [@first, @end). */
static void clip(struct memmap *part, const struct memmap *ram, uint64_t first,
		 uint64_t end)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < ram->nr; i++) {
		struct memmap_range range = ram->range[i];

		if (range.start >> PAGE_SHIFT < first)
			range.start = first << PAGE_SHIFT;
		if (range.end >> PAGE_SHIFT > end)
			range.end = end << PAGE_SHIFT;
		if (range.start < range.end)
			part->range[nr++] = range;
	}
	part->nr = nr;
}

/* Use no RAM from frame @end on. Returns how many frames that takes away. */
static uint64_t cut_ram(struct layout *layout, uint64_t end)
{
	uint64_t lost = memmap_frames(&layout->ram, end, UINT64_MAX);

	clip(&layout->ram, &layout->ram, 0, end);
	layout->max_pfn = 0;
	if (layout->ram.nr)
		layout->max_pfn = layout->ram.range[layout->ram.nr - 1].end >>
				  PAGE_SHIFT;
	return lost;
}

static const char *find_ram(struct layout *layout, const struct memmap *map)
{
	bool pae = layout->options.pae;
	const char *why = memmap_ram(&layout->ram, map);
	uint64_t lost;

	if (why)
		return refuse(layout, "%s", why);
	lost = cut_ram(layout,
		       (uint64_t)1 << (pae ? PFN_BITS_PAE : PFN_BITS_NONPAE));
	if (lost)
		warn(layout, "%u MiB of RAM beyond %u GiB are not used: %s",
		     pages_to_mib(lost), pae ? 64 : 4,
		     pae ? "a page table entry cannot name them"
			 : "that takes PAE");
	if (!memmap_frames(&layout->ram, FIRST_FRAME, FIRST_FRAME + 1))
		return refuse(layout, "no RAM at 1 MiB");
	return NULL;
}

/* The frame from which on @ram has @nr frames; 0 if it has fewer. */
static uint64_t frame_before_last(const struct memmap *ram, uint64_t nr)
{
	for (unsigned int i = ram->nr; i-- > 0;) {
		uint64_t end = ram->range[i].end >> PAGE_SHIFT;
		uint64_t here = end - (ram->range[i].start >> PAGE_SHIFT);

		if (nr <= here)
			return end - nr;
		nr -= here;
	}
	return 0;
}

/* The frame at which @ram has had @nr frames from @first on. */
static uint64_t frame_after(const struct memmap *ram, uint64_t first,
			    uint64_t nr)
{
	for (unsigned int i = 0; i < ram->nr && nr > 0; i++) {
		uint64_t start = ram->range[i].start >> PAGE_SHIFT;
		uint64_t end = ram->range[i].end >> PAGE_SHIFT;

		start = start > first ? start : first;
		if (start >= end)
			continue;
		first = end - start < nr ? end : start + nr;
		nr -= first - start;
	}
	return first;
}

/* highmem=: as much as that, from lowmem if need be. */
static const char *carve_highmem(struct layout *layout, uint64_t *lowmem_end)
{
	uint64_t bytes = layout->options.highmem_bytes;
	uint64_t want = bytes >> PAGE_SHIFT;
	uint64_t have = memmap_frames(&layout->ram, *lowmem_end, UINT64_MAX);

	if (bytes == LAYOUT_HIGHMEM_ALL || want == have)
		return NULL;
	if (want < have) {
		uint64_t end = frame_after(&layout->ram, *lowmem_end, want);

		warn(layout, "highmem=%uM: %u MiB of RAM are not used",
		     mib(bytes), pages_to_mib(cut_ram(layout, end)));
		return NULL;
	}
	*lowmem_end = frame_before_last(&layout->ram, want);
	if (*lowmem_end << PAGE_SHIFT < LAYOUT_MIN_LOWMEM)
		return refuse(layout,
			      "highmem=%uM is too much: of %u MiB of "
			      "RAM, lowmem needs %u",
			      mib(bytes),
			      pages_to_mib(memmap_frames(&layout->ram, 0,
							 UINT64_MAX)),
			      mib(LAYOUT_MIN_LOWMEM));
	return NULL;
}

static const char *divide_ram(struct layout *layout)
{
	uint64_t end = 0;
	const char *why = find_room(layout, &end);

	if (why)
		return why;
	end = end < layout->max_pfn ? end : layout->max_pfn;
	if (end << PAGE_SHIFT < LAYOUT_MIN_LOWMEM)
		return refuse(layout,
			      "RAM ends at %u MiB: at least %u are "
			      "needed",
			      pages_to_mib(end), mib(LAYOUT_MIN_LOWMEM));
	why = carve_highmem(layout, &end);
	if (why)
		return why;
	/* What highmem= has cut off may have been the end of lowmem's hole. */
	end = end < layout->max_pfn ? end : layout->max_pfn;
	layout->lowmem_end = (pfn_t)end;
	layout->nr_lowmem = memmap_frames(&layout->ram, 0, end);
	layout->nr_highmem = memmap_frames(&layout->ram, end, UINT64_MAX);
	layout->nr_pages = layout->nr_lowmem + layout->nr_highmem;
	clip(&layout->highmem, &layout->ram, end, layout->max_pfn);
	return NULL;
}

/* ---- Is it wise? ---------------------------------------------------------------- */

static const char *judge_mem_map(struct layout *layout)
{
	const struct layout_options *options = &layout->options;
	uint64_t frames = options->sparse_mem_map ? layout->nr_pages
						  : layout->max_pfn;
	uint64_t bytes = frames * options->page_struct_size;
	uint64_t lowmem = layout->nr_lowmem << PAGE_SHIFT;

	layout->mem_map_bytes = bytes;
	if (bytes >= lowmem)
		return refuse(layout,
			      "mem_map has %u MiB and does not fit %u "
			      "MiB of lowmem",
			      mib(bytes), mib(lowmem));
	if (bytes * 100 > lowmem * options->mem_map_percent)
		warn(layout, "mem_map takes %u of %u MiB of lowmem", mib(bytes),
		     mib(lowmem));
	return NULL;
}

static void judge_ram(struct layout *layout)
{
	uint64_t highmem = layout->nr_highmem << PAGE_SHIFT;
	uint64_t lowmem = layout->nr_lowmem << PAGE_SHIFT;
	uint64_t ram = layout->nr_pages << PAGE_SHIFT;

	if (ram > WISE_RAM)
		warn(layout,
		     "%u MiB of RAM: more than 8 GiB is much for 32 "
		     "bits",
		     mib(ram));
	if (highmem > lowmem * layout->options.highmem_ratio)
		warn(layout,
		     "%u MiB of highmem are more than %u times lowmem, "
		     "which has %u MiB",
		     mib(highmem), layout->options.highmem_ratio, mib(lowmem));
}

/* ---- The table --------------------------------------------------------------------- */

static void list_areas(struct layout *layout)
{
	static const char *const names[LAYOUT_NR_AREAS] = {
		[LAYOUT_USER] = "user",	       [LAYOUT_DIRECT] = "direct map",
		[LAYOUT_GAP_AREA] = "gap",     [LAYOUT_VMALLOC] = "vmalloc",
		[LAYOUT_GUARD_AREA] = "guard", [LAYOUT_PKMAP] = "pkmap",
		[LAYOUT_UNUSED] = "unused",    [LAYOUT_FIXMAP] = "fixmap",
		[LAYOUT_HOLE] = "hole",
	};
	const uint64_t start[LAYOUT_NR_AREAS + 1] = {
		[LAYOUT_USER] = 0,
		[LAYOUT_DIRECT] = layout->page_offset,
		[LAYOUT_GAP_AREA] = layout->high_memory,
		[LAYOUT_VMALLOC] = layout->vmalloc_start,
		[LAYOUT_GUARD_AREA] = layout->vmalloc_end,
		[LAYOUT_PKMAP] = layout->pkmap_base,
		[LAYOUT_UNUSED] = layout->pkmap_base +
				  (uint64_t)layout->last_pkmap * PAGE_SIZE,
		[LAYOUT_FIXMAP] = FIXADDR_START,
		[LAYOUT_HOLE] = FIXADDR_TOP,
		[LAYOUT_NR_AREAS] = ADDRESSES,
	};

	for (unsigned int i = 0; i < LAYOUT_NR_AREAS; i++)
		layout->area[i] = (struct layout_area){
			.name = names[i],
			.start = start[i],
			.end = start[i + 1],
		};
}

const char *layout_compute(struct layout *layout, const struct memmap *map,
			   const struct layout_options *options)
{
	const char *why;

	/* All else is set below; clearing the two maps would take a while. */
	layout->options = *options;
	layout->nr_warnings = 0;
	layout->why[0] = '\0';
	layout->options.vmalloc_bytes = page_aligned(options->vmalloc_bytes);
	why = check_options(layout);
	if (why)
		return why;
	place_top(layout);
	why = find_ram(layout, map);
	if (!why)
		why = divide_ram(layout);
	if (!why)
		why = judge_mem_map(layout);
	if (why)
		return why;
	judge_ram(layout);
	layout->high_memory = layout->page_offset +
			      ((vaddr_t)layout->lowmem_end << PAGE_SHIFT);
	layout->vmalloc_start = layout->high_memory + LAYOUT_GAP;
	list_areas(layout);
	return NULL;
}
