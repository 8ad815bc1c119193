/* SPDX-License-Identifier: MIT */

/*
 * A memory map and boot words, made into an address map and page tables, which
 * a processor's walk must find to be what was wanted.
 */

#include <stdio.h>
#include <stdlib.h>

#include <unistd.h>

#include <highmem/format.h>

#include "fuzz/pgtable/check.h"
#include "stress/oracle/finding.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static _Noreturn void end(const char *why)
{
	char sentence[256];

	hm_format(sentence, sizeof(sentence), "page tables: %s", why);
	fflush(NULL);
	finding_print(STDERR_FILENO, sentence);
	fprintf(stderr, "oracle: %s\n", why);
	finding_end(sentence, abort);
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct pgtable_input input;
	const char *why;

	pgtable_input_parse(&input, data, size);
	why = pgtable_check(&input);
	if (why) {
		pgtable_input_print(&input);
		end(why);
	}
	return 0;
}
