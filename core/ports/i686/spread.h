/* SPDX-License-Identifier: MIT */
#ifndef CORE_PORTS_I686_SPREAD_H
#define CORE_PORTS_I686_SPREAD_H

/*
 * Which frames a test machine gets: from all over the highmem that there is,
 * so that few pages are enough to meet every kind of frame number.
 */

#include <highmem/memmap.h>
#include <highmem/types.h>

#define SPREAD_MAX_PIECES 8

/* A page's frame number is its index modulo this: its colour stays the same. */
#define SPREAD_COLOURS 8

/*
 * Choose @nr_pages frames of @highmem (as of memmap_ram(): in order, apart),
 * in up to SPREAD_MAX_PIECES pieces of about one size: the first frames, the
 * last ones, and between them at equal distances. Returns how many @pieces
 * there are, in order; 0: @highmem has no room for so many pages.
 */
unsigned int spread_pages(const struct memmap *highmem, uint32_t nr_pages,
			  struct page_range pieces[SPREAD_MAX_PIECES]);

#endif
