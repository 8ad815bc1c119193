/* SPDX-License-Identifier: MIT */
#ifndef FUZZ_PGTABLE_CHECK_H
#define FUZZ_PGTABLE_CHECK_H

#include "fuzz/pgtable/input.h"

/*
 * The oracle of pgtable_fuzz_test: layout and page tables of @input, compared
 * with what the walker of the simulated machine finds. @layout, @of: what
 * layout_compute() made of @input. NULL, or what is wrong in one sentence.
 */
const char *pgtable_check_layout(const struct pgtable_input *input,
				 const struct layout *layout);
const char *pgtable_check_tables(const struct pgtable_input *input,
				 const struct layout *of);

/* A sentence, valid until the next one. */
const char *pgtable_wrong(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

#endif
