/* SPDX-License-Identifier: MIT */

/*
 * A memory map and boot words, made into an address map and page tables, which
 * a processor's walk must find to be what was wanted.
 */

#include <stdio.h>
#include <stdlib.h>

#include "fuzz/pgtable_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct pgtable_input input;
	const char *why;

	pgtable_input_parse(&input, data, size);
	why = pgtable_check(&input);
	if (why) {
		pgtable_input_print(&input);
		fprintf(stderr, "oracle: %s\n", why);
		abort();
	}
	return 0;
}
