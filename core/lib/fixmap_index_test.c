/* SPDX-License-Identifier: MIT */
#include <highmem/fixmap.h>

/* Not linked into anything: fixmap_index_test compiles it with many INDEXes. */

vaddr_t fixmap_index(unsigned int variable);

vaddr_t fixmap_index(unsigned int variable)
{
	(void)variable;
	return fix_to_virt(INDEX);
}
