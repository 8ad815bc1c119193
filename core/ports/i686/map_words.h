/* SPDX-License-Identifier: MIT */
#ifndef CORE_PORTS_I686_MAP_WORDS_H
#define CORE_PORTS_I686_MAP_WORDS_H

/* Boot words that say what memory there is, to try another PC's. */

#include <highmem/memmap.h>

/*
 * Changes @map as the words say, in the order in which they come:
 *
 *	memmap=START-END:TYPE	a range, in hexadecimal; type 1, RAM, if it is
 *				not there. Before the first one @map is emptied
 *	memmap=exactmap		empties @map
 *	memmap=SIZE@START	RAM
 *	memmap=SIZE#START	ACPI's tables
 *	memmap=SIZE$START	reserved
 *	mem=SIZE		no RAM from there on
 *
 * Behind one "memmap=" there may be many of them, with commas. But for the
 * first they are Linux's, numbers are decimal, or 0x and hexadecimal, and K, M
 * and G are binary. Returns NULL or a sentence, in @why.
 */
const char *map_words_apply(struct memmap *map, const char *words, char *why,
			    size_t size);

#endif
