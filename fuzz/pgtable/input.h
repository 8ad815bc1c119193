/* SPDX-License-Identifier: MIT */
#ifndef FUZZ_PGTABLE_INPUT_H
#define FUZZ_PGTABLE_INPUT_H

/*
 * What pgtable_fuzz_test tries: a machine as its boot finds it, as text.
 *
 *	ram START END		firmware's ranges, in bytes; numbers as in C
 *	reserved START END
 *	START-END TYPE		the same, as boot logs have them: in hexadecimal
 *	words TEXT		the boot words
 *	pae  nx  small		no large pages (small: up to 128 MiB of lowmem)
 *	cpus N  page N		how many, and sizeof(struct page)
 *	fail N			the n-th frame for a table is not to be had
 *	piece PAGE NR PROT	a part of the direct map, from its PAGE-th page
 *				on: none, ro, rx or rw; in order
 *
 * A line that is none of these says nothing: what a fuzzer does to a text is
 * a text.
 */

#include <highmem/layout.h>
#include <highmem/pgtable.h>

#define PGTABLE_INPUT_PIECES 4
#define PGTABLE_NO_FAIL UINT32_MAX

struct pgtable_input_piece {
	uint32_t page;
	uint32_t nr;
	char prot[5];
};

struct pgtable_input {
	struct memmap map;
	char words[256];
	bool pae;
	bool nx;
	bool small;
	uint32_t cpus;
	uint32_t page;
	uint32_t fail;
	unsigned int nr_pieces;
	struct pgtable_input_piece piece[PGTABLE_INPUT_PIECES];
};

void pgtable_input_parse(struct pgtable_input *input, const uint8_t *data,
			 size_t size);

/* To stderr, each line behind "input: ", as ci/fuzz wants it. */
void pgtable_input_print(const struct pgtable_input *input);

#endif
