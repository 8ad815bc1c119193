/* SPDX-License-Identifier: MIT */
#include "core/boot/rules/layout_rules.h"

#define ADDRESSES ((uint64_t)1 << 32)
#define FRAMES(bytes) ((uint64_t)(bytes) >> PAGE_SHIFT)
#define BYTES(frames) ((uint64_t)(frames) << PAGE_SHIFT)

/*
 * They look at what layout_compute() left, and share no code with it. Each is
 * asked of layouts that break the others: none may follow a number out of an
 * array.
 */

/* ---- RAM ------------------------------------------------------------------------ */

static bool map_is_in_order(const struct memmap *map)
{
	uint64_t at = 0;

	if (map->nr > MEMMAP_MAX_RANGES)
		return false;
	for (unsigned int i = 0; i < map->nr; i++) {
		const struct memmap_range *range = &map->range[i];

		if ((i > 0 && range->start <= at) || range->end <= range->start)
			return false;
		at = range->end;
	}
	return true;
}

static bool ram_is_in_order(const struct layout *layout)
{
	return layout->ram.nr > 0 && map_is_in_order(&layout->ram) &&
	       map_is_in_order(&layout->highmem);
}

static bool map_has_whole_frames(const struct memmap *map)
{
	for (unsigned int i = 0; i < map->nr && i < MEMMAP_MAX_RANGES; i++)
		if ((map->range[i].start | map->range[i].end) & (PAGE_SIZE - 1))
			return false;
	return true;
}

static bool ram_has_whole_frames(const struct layout *layout)
{
	return map_has_whole_frames(&layout->ram) &&
	       map_has_whole_frames(&layout->highmem);
}

static bool ram_is_ram(const struct layout *layout)
{
	for (unsigned int i = 0; i < MEMMAP_MAX_RANGES; i++) {
		if (i < layout->ram.nr &&
		    layout->ram.range[i].type != MEMMAP_RAM)
			return false;
		if (i < layout->highmem.nr &&
		    layout->highmem.range[i].type != MEMMAP_RAM)
			return false;
	}
	return true;
}

static bool has_ram_at_1_mib(const struct layout *layout)
{
	const struct memmap *ram = &layout->ram;

	for (unsigned int i = 0; i < ram->nr && i < MEMMAP_MAX_RANGES; i++)
		if (ram->range[i].start <= LAYOUT_MIB &&
		    ram->range[i].end >= LAYOUT_MIB + PAGE_SIZE)
			return true;
	return false;
}

/* Frames of @map below @end. */
static uint64_t count(const struct memmap *map, uint64_t end)
{
	uint64_t nr = 0;

	for (unsigned int i = 0; i < map->nr && i < MEMMAP_MAX_RANGES; i++) {
		uint64_t from = FRAMES(map->range[i].start);
		uint64_t to = FRAMES(map->range[i].end);

		to = to < end ? to : end;
		nr += from < to ? to - from : 0;
	}
	return nr;
}

static bool nr_pages_is_ram(const struct layout *layout)
{
	return layout->nr_pages == count(&layout->ram, UINT64_MAX);
}

static bool nr_lowmem_is_below_lowmem_end(const struct layout *layout)
{
	return layout->nr_lowmem == count(&layout->ram, layout->lowmem_end);
}

static bool nr_highmem_is_highmem(const struct layout *layout)
{
	return layout->nr_highmem == count(&layout->highmem, UINT64_MAX) &&
	       layout->nr_pages == layout->nr_lowmem + layout->nr_highmem;
}

/* Range by range: it is the RAM, cut off at lowmem_end. */
static bool highmem_is_ram_above_lowmem(const struct layout *layout)
{
	const struct memmap *ram = &layout->ram;
	uint64_t border = BYTES(layout->lowmem_end);
	unsigned int nr = 0;

	for (unsigned int i = 0; i < ram->nr && i < MEMMAP_MAX_RANGES; i++) {
		const struct memmap_range *high = &layout->highmem.range[nr];
		uint64_t start = ram->range[i].start;

		if (ram->range[i].end <= border)
			continue;
		start = start > border ? start : border;
		if (nr++ >= layout->highmem.nr || high->start != start ||
		    high->end != ram->range[i].end)
			return false;
	}
	return nr == layout->highmem.nr;
}

/* ---- Frames ----------------------------------------------------------------------- */

static bool max_pfn_ends_ram(const struct layout *layout)
{
	unsigned int nr = layout->ram.nr;

	return nr > 0 && nr <= MEMMAP_MAX_RANGES &&
	       BYTES(layout->max_pfn) == layout->ram.range[nr - 1].end;
}

static bool max_pfn_fits_an_entry(const struct layout *layout)
{
	unsigned int bits = layout->options.pae ? 24 : 20;

	return layout->max_pfn <= (uint64_t)1 << bits;
}

static bool lowmem_ends_by_max_pfn(const struct layout *layout)
{
	return layout->lowmem_end <= layout->max_pfn;
}

static bool lowmem_is_enough(const struct layout *layout)
{
	return BYTES(layout->lowmem_end) >= LAYOUT_MIN_LOWMEM;
}

static bool lowmem_keeps_its_limit(const struct layout *layout)
{
	uint64_t limit = layout->options.lowmem_limit;

	return limit == 0 || BYTES(layout->lowmem_end) <= limit;
}

static bool without_highmem_lowmem_is_all(const struct layout *layout)
{
	return layout->nr_highmem > 0 || layout->lowmem_end == layout->max_pfn;
}

/* Unless highmem= asks for some, only what does not fit is highmem. */
static bool highmem_is_what_does_not_fit(const struct layout *layout)
{
	uint64_t limit = layout->options.lowmem_limit;
	uint64_t room = ADDRESSES - layout->page_offset -
			layout->options.vmalloc_bytes;

	if (layout->options.highmem_bytes != LAYOUT_HIGHMEM_ALL ||
	    layout->nr_highmem == 0)
		return true;
	room = limit && limit < room ? limit : room;
	return layout->lowmem_end == FRAMES(room);
}

static bool highmem_is_what_was_asked_for(const struct layout *layout)
{
	uint64_t bytes = layout->options.highmem_bytes;

	return bytes == LAYOUT_HIGHMEM_ALL ||
	       layout->nr_highmem == FRAMES(bytes);
}

static bool mem_map_has_its_frames(const struct layout *layout)
{
	uint64_t frames = layout->options.sparse_mem_map ? layout->nr_pages
							 : layout->max_pfn;

	return layout->mem_map_bytes ==
	       frames * layout->options.page_struct_size;
}

static bool mem_map_fits_lowmem(const struct layout *layout)
{
	return layout->mem_map_bytes < BYTES(layout->nr_lowmem);
}

/* ---- Addresses ---------------------------------------------------------------------- */

static bool options_can_be(const struct layout *layout)
{
	const struct layout_options *o = &layout->options;
	uint64_t step = o->pae ? LAYOUT_GIB : 4 * LAYOUT_MIB;
	uint64_t offset = o->page_offset;

	return offset != 0 && offset < ADDRESSES && offset % step == 0 &&
	       o->nr_cpus >= 1 && o->nr_cpus <= HIGHMEM_MAX_CPUS &&
	       o->page_struct_size >= 1 && o->page_struct_size <= PAGE_SIZE &&
	       o->vmalloc_bytes % PAGE_SIZE == 0;
}

static bool page_offset_is_as_asked(const struct layout *layout)
{
	return layout->page_offset == layout->options.page_offset;
}

static bool direct_map_is_lowmem(const struct layout *layout)
{
	return layout->page_offset + BYTES(layout->lowmem_end) ==
	       layout->high_memory;
}

static bool gap_is_8_mib(const struct layout *layout)
{
	return layout->high_memory + (uint64_t)LAYOUT_GAP ==
	       layout->vmalloc_start;
}

static bool vmalloc_has_room(const struct layout *layout)
{
	return (uint64_t)layout->vmalloc_start + LAYOUT_MIN_VMALLOC <=
	       layout->vmalloc_end;
}

static bool vmalloc_bytes_are_above_lowmem(const struct layout *layout)
{
	return layout->high_memory + layout->options.vmalloc_bytes <= ADDRESSES;
}

static bool guard_is_two_pages(const struct layout *layout)
{
	return layout->vmalloc_end + (uint64_t)LAYOUT_GUARD ==
	       layout->pkmap_base;
}

static bool pkmap_is_one_page_table(const struct layout *layout)
{
	return layout->last_pkmap == (layout->options.pae ? 512 : 1024) &&
	       layout->pkmap_base % (layout->last_pkmap * PAGE_SIZE) == 0;
}

static bool pkmap_is_below_the_fixmap(const struct layout *layout)
{
	return layout->pkmap_base + (uint64_t)layout->last_pkmap * PAGE_SIZE <
	       FIXADDR_START;
}

static bool areas_fill_4_gib(const struct layout *layout)
{
	uint64_t at = 0;

	for (unsigned int i = 0; i < LAYOUT_NR_AREAS; i++) {
		const struct layout_area *area = &layout->area[i];

		if (area->start != at || area->end <= at ||
		    area->end & (PAGE_SIZE - 1))
			return false;
		at = area->end;
	}
	return at == ADDRESSES;
}

static bool areas_are_where_the_fields_say(const struct layout *layout)
{
	const struct layout_area *area = layout->area;

	return area[LAYOUT_DIRECT].start == layout->page_offset &&
	       area[LAYOUT_DIRECT].end == layout->high_memory &&
	       area[LAYOUT_VMALLOC].start == layout->vmalloc_start &&
	       area[LAYOUT_VMALLOC].end == layout->vmalloc_end &&
	       area[LAYOUT_PKMAP].start == layout->pkmap_base &&
	       area[LAYOUT_PKMAP].end ==
		       area[LAYOUT_PKMAP].start +
			       (uint64_t)layout->last_pkmap * PAGE_SIZE &&
	       area[LAYOUT_FIXMAP].start == FIXADDR_START &&
	       area[LAYOUT_FIXMAP].end == FIXADDR_TOP;
}

/* ---- Words --------------------------------------------------------------------------- */

static bool is_sentence(const char *text, size_t size)
{
	size_t len = 0;

	while (len < size && text[len])
		if (text[len++] == '\n')
			return false;
	return len > 0 && len + 1 < size;
}

static bool warnings_are_sentences(const struct layout *layout)
{
	if (layout->nr_warnings > LAYOUT_MAX_WARNINGS || layout->why[0])
		return false;
	for (unsigned int i = 0; i < layout->nr_warnings; i++)
		if (!is_sentence(layout->warning[i], sizeof(layout->warning[i])))
			return false;
	return true;
}

/* And of RAM that is not used, for want of PAE or of a wish. */
static bool what_is_unwise_is_told(const struct layout *layout)
{
	const struct layout_options *o = &layout->options;
	uint64_t lowmem = BYTES(layout->nr_lowmem);
	unsigned int unwise = 0;

	unwise += layout->mem_map_bytes * 100 > lowmem * o->mem_map_percent;
	unwise += BYTES(layout->nr_pages) > 8 * LAYOUT_GIB;
	unwise += BYTES(layout->nr_highmem) > lowmem * o->highmem_ratio;
	return layout->nr_warnings >= unwise &&
	       layout->nr_warnings <= unwise + 2;
}

/* ---- All -------------------------------------------------------------------------------- */

#define RULE(name, sentence) { #name, sentence, name }

const struct layout_rule layout_rules[] = {
	RULE(ram_is_in_order, "ranges of RAM and of highmem ascend, none is "
			      "empty, and none touches the next"),
	RULE(ram_has_whole_frames, "RAM and highmem begin and end at frames"),
	RULE(ram_is_ram, "ranges of RAM and of highmem have the type of RAM"),
	RULE(has_ram_at_1_mib, "the first frame behind 1 MiB is RAM"),
	RULE(nr_pages_is_ram, "nr_pages are the frames of ram"),
	RULE(nr_lowmem_is_below_lowmem_end,
	     "nr_lowmem are the frames of ram below lowmem_end"),
	RULE(nr_highmem_is_highmem, "nr_highmem are the frames of highmem, and "
				    "with nr_lowmem all"),
	RULE(highmem_is_ram_above_lowmem,
	     "highmem is ram from lowmem_end on, range by range"),
	RULE(max_pfn_ends_ram, "max_pfn is the frame behind the last of ram"),
	RULE(max_pfn_fits_an_entry, "max_pfn is no more than 4 GiB, with PAE "
				    "64 GiB"),
	RULE(lowmem_ends_by_max_pfn, "lowmem_end is at most max_pfn"),
	RULE(lowmem_is_enough, "lowmem has at least what a kernel needs"),
	RULE(lowmem_keeps_its_limit, "lowmem ends by lowmem="),
	RULE(without_highmem_lowmem_is_all,
	     "without highmem lowmem ends with the RAM"),
	RULE(highmem_is_what_does_not_fit,
	     "without highmem= there is highmem only if the direct map is full"),
	RULE(highmem_is_what_was_asked_for, "with highmem= there is as much"),
	RULE(mem_map_has_its_frames,
	     "mem_map has a descriptor for each frame below max_pfn, or of RAM"),
	RULE(mem_map_fits_lowmem, "mem_map fits lowmem and leaves some"),
	RULE(options_can_be, "the options are such that a layout can be"),
	RULE(page_offset_is_as_asked, "page_offset is that of the options"),
	RULE(direct_map_is_lowmem,
	     "from page_offset to high_memory there is lowmem, all of it"),
	RULE(gap_is_8_mib, "8 MiB lie between high_memory and vmalloc"),
	RULE(vmalloc_has_room, "vmalloc has at least its 4 MiB"),
	RULE(vmalloc_bytes_are_above_lowmem,
	     "vmalloc= addresses are above high_memory"),
	RULE(guard_is_two_pages, "two guard pages lie below pkmap"),
	RULE(pkmap_is_one_page_table, "pkmap is one page table, aligned to it"),
	RULE(pkmap_is_below_the_fixmap,
	     "pkmap ends below the fixmap, not at it"),
	RULE(areas_fill_4_gib, "the areas follow each other from 0 to 4 GiB, "
			       "none of them empty"),
	RULE(areas_are_where_the_fields_say,
	     "the areas begin and end where the other fields say"),
	RULE(warnings_are_sentences,
	     "warnings are whole sentences, and nothing is refused"),
	RULE(what_is_unwise_is_told, "each thing that is unwise is a warning"),
};

const unsigned int layout_nr_rules = sizeof(layout_rules) /
				     sizeof(layout_rules[0]);

const struct layout_rule *layout_broken_rule(const struct layout *layout)
{
	for (unsigned int i = 0; i < layout_nr_rules; i++)
		if (!layout_rules[i].holds(layout))
			return &layout_rules[i];
	return NULL;
}
