/* SPDX-License-Identifier: MIT */
#ifndef CORE_PORTS_I686_MEMORY_H
#define CORE_PORTS_I686_MEMORY_H

/* The RAM of this PC, the kernel's address map, and who uses which frames. */

#include <highmem/layout.h>
#include <highmem/memmap.h>

#include "core/ports/i686/bootmem.h"

/* How the page tables are made, and why. */
struct memory_paging {
	bool pae;
	bool nx;
	const char *reason;
};

/*
 * From the loader's map and the boot words to a layout; prints both, and what
 * the layout warns of. @bootmem has the reserved ranges already, and gets its
 * RAM here. Returns NULL or a sentence. Context: boot.
 */
const char *memory_init(const struct memmap *loader, const char *words,
			struct bootmem *bootmem);

const struct layout *memory_layout(void);
struct memory_paging memory_paging(void);

#endif
