/* SPDX-License-Identifier: MIT */
#include <highmem/fixmap.h>

/* Not linked into anything: fixmap_own_test compiles it with many INDEXes. */

bool fixmap_own(unsigned int variable);

bool fixmap_own(unsigned int variable)
{
	(void)variable;
	return set_fixmap(INDEX, 0, FIXMAP_PROT) &&
	       set_fixmap_nocache(INDEX, 0) && clear_fixmap(INDEX);
}
