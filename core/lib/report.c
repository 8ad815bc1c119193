/* SPDX-License-Identifier: MIT */
#include "core/lib/internal.h"

/*
 * Misuse is reported in every build and then refused: the caller of this
 * function returns without having changed anything.
 */
void hm_misuse(struct highmem *hm, const char *format, ...)
{
	char sentence[192];
	size_t prefix = hm_format(sentence, sizeof(sentence), "highmem: BUG: ");
	va_list args;

	va_start(args, format);
	hm_vformat(sentence + prefix, sizeof(sentence) - prefix, format, args);
	va_end(args);
	hm_count(hm, HM_STAT_MISUSE);
	port_bug(sentence);
}
