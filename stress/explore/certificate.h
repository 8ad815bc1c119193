/* SPDX-License-Identifier: MIT */
#ifndef STRESS_EXPLORE_CERTIFICATE_H
#define STRESS_EXPLORE_CERTIFICATE_H

/* What an exhaustive search has shown, in words. */

#include "stress/explore/options.h"
#include "stress/explore/search/checkpoint.h"

/*
 * One line that says what is searched, and which build of this program does:
 * two searches with the same line give the same certificate.
 */
void certificate_describe(const struct options *o, char *line, size_t size);

void certificate_print(const struct options *o, const char *search,
		       const struct certificate *c);

#endif
