/* SPDX-License-Identifier: MIT */

/*
 * A memory map and boot words, made into an address map and page tables, which
 * a processor's walk must find to be what was wanted.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* A refusal or a warning: something is said, in one line, and not cut off. */
static const char *check_sentence(const char *sentence, size_t size)
{
	size_t len = strlen(sentence);

	if (len == 0 || len + 1 >= size || strchr(sentence, '\n'))
		return pgtable_wrong("not one line of text: '%s'", sentence);
	return NULL;
}

static const char *check(const struct pgtable_input *input)
{
	static struct layout layout;
	struct layout_options options;
	char sentence[160];
	const char *why;

	layout_default_options(&options);
	options.pae = input->pae;
	options.nr_cpus = input->cpus;
	options.page_struct_size = input->page;
	if (layout_parse_words(&options, input->words, sentence,
			       sizeof(sentence)))
		return check_sentence(sentence, sizeof(sentence));
	if (layout_compute(&layout, &input->map, &options))
		return check_sentence(layout.why, sizeof(layout.why));
	why = pgtable_check_layout(input, &layout);
	return why ? why : pgtable_check_tables(input, &layout);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct pgtable_input input;
	const char *why;

	pgtable_input_parse(&input, data, size);
	why = check(&input);
	if (why) {
		pgtable_input_print(&input);
		end(why);
	}
	return 0;
}
