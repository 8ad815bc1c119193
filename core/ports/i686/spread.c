/* SPDX-License-Identifier: MIT */

#include "core/ports/i686/spread.h"

#define NOWHERE UINT64_MAX

static uint64_t first_frame(const struct memmap_range *range)
{
	return range->start >> PAGE_SHIFT;
}

static uint64_t end_frame(const struct memmap_range *range)
{
	return range->end >> PAGE_SHIFT;
}

/* 24 bits at the most, so that it can be divided without a 64-bit division. */
static uint32_t count_frames(const struct memmap *map)
{
	uint64_t nr = 0;

	for (unsigned int i = 0; i < map->nr; i++)
		nr += end_frame(&map->range[i]) - first_frame(&map->range[i]);
	return (uint32_t)nr;
}

/* The frame that has @nr others of @map below it. */
static uint64_t nth_frame(const struct memmap *map, uint64_t nr)
{
	for (unsigned int i = 0; i < map->nr; i++) {
		uint64_t first = first_frame(&map->range[i]);

		if (nr < end_frame(&map->range[i]) - first)
			return first + nr;
		nr -= end_frame(&map->range[i]) - first;
	}
	return NOWHERE;
}

/* @frame or one of the next, of the colour of @index. */
static uint64_t colour_up(uint64_t frame, uint32_t index)
{
	return frame + (index - frame) % SPREAD_COLOURS;
}

/* The lowest place at @from or above for @nr frames in one piece. */
static uint64_t place_up(const struct memmap *map, uint64_t from, uint32_t nr,
			 uint32_t index)
{
	for (unsigned int i = 0; i < map->nr; i++) {
		uint64_t first = first_frame(&map->range[i]);

		first = colour_up(first > from ? first : from, index);
		if (first + nr <= end_frame(&map->range[i]))
			return first;
	}
	return NOWHERE;
}

/* The highest place of all, unless it is below @from. */
static uint64_t place_last(const struct memmap *map, uint64_t from, uint32_t nr,
			   uint32_t index)
{
	uint64_t end = end_frame(&map->range[map->nr - 1]);
	uint64_t first;

	if (end < from + nr)
		return NOWHERE;
	first = end - nr;
	first -= (first - index) % SPREAD_COLOURS;
	if (first < from || first < first_frame(&map->range[map->nr - 1]))
		return NOWHERE;
	return first;
}

static bool spread_in(const struct memmap *map, uint32_t nr_pages,
		      struct page_range *pieces, unsigned int nr_pieces)
{
	uint32_t total = count_frames(map), index = 0;
	uint64_t end = 0, first;

	for (unsigned int i = 0; i < nr_pieces; i++) {
		uint32_t nr = nr_pages / nr_pieces + (i < nr_pages % nr_pieces);
		uint64_t wish = nth_frame(map, total * i / nr_pieces);

		first = NOWHERE;
		if (i > 0 && i == nr_pieces - 1)
			first = place_last(map, end, nr, index);
		if (first == NOWHERE)
			first = place_up(map, wish > end ? wish : end, nr,
					 index);
		if (first == NOWHERE)
			return false;
		pieces[i] = (struct page_range){ (pfn_t)first, nr };
		end = first + nr;
		index += nr;
	}
	return true;
}

unsigned int spread_pages(const struct memmap *highmem, uint32_t nr_pages,
			  struct page_range pieces[SPREAD_MAX_PIECES])
{
	unsigned int nr = nr_pages < SPREAD_MAX_PIECES ? nr_pages
						       : SPREAD_MAX_PIECES;

	if (!highmem->nr)
		return 0;
	while (nr && !spread_in(highmem, nr_pages, pieces, nr))
		nr--;
	return nr;
}
