/* SPDX-License-Identifier: MIT */
#ifndef CORE_BOOT_RULES_LAYOUT_RULES_H
#define CORE_BOOT_RULES_LAYOUT_RULES_H

/*
 * What is true of every layout that layout_compute() did not refuse, relation
 * by relation. The unit tests, the pgtable fuzz target and the kernel's cases
 * all ask here. Freestanding.
 */

#include <highmem/layout.h>

struct layout_rule {
	const char *name;
	const char *sentence; /* what is true */
	bool (*holds)(const struct layout *layout);
};

extern const struct layout_rule layout_rules[];
extern const unsigned int layout_nr_rules;

/* The first that @layout breaks, or NULL. */
const struct layout_rule *layout_broken_rule(const struct layout *layout);

#endif
