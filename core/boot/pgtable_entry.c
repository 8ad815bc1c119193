/* SPDX-License-Identifier: MIT */
#include <highmem/pgtable.h>

/*
 * The one place that knows in which order the halves of a PAE entry are read
 * and written. A walker reads all 8 bytes, but between our two accesses it may
 * come at any time; it ignores an entry without the present bit, which is in
 * the lower half. So while the halves do not belong together, that bit must be
 * off in memory.
 */

_Static_assert(sizeof(port_atomic_t) == sizeof(uint32_t),
	       "a page table is an array of port_atomic_t");

enum {
	LOW,
	HIGH
};

#define PROT_BITS \
	(PTE_PRESENT | PTE_WRITE | PTE_PWT | PTE_PCD | PTE_ACCESSED | \
	 PTE_DIRTY | PTE_PAT | PTE_GLOBAL | PTE_NX)

const char *pgtable_check_prot(pte_t prot, bool pae)
{
	if (!pte_present(prot))
		return "the protection lacks the present bit";
	if (prot & PTE_USER)
		return "the protection lets user mode in";
	if (prot & ~PROT_BITS)
		return "invalid protection bits";
	if ((prot & PTE_NX) && !pae)
		return "no-execute needs PAE";
	return NULL;
}

/*
 * The lower half again: if it changed, the upper one may be of the entry that
 * came after, and the look starts anew. The upper half again, too: a clear and
 * a set in between can bring back the same lower half. And where there is no
 * lower half there is no entry, whatever the upper one still says.
 */
pte_t pgtable_entry_read(const port_atomic_t *entry, bool pae)
{
	uint32_t low, high;

	if (!pae)
		return port_atomic_load(&entry[LOW]);
	do {
		low = port_atomic_load(&entry[LOW]);
		if (!low)
			return 0;
		high = port_atomic_load(&entry[HIGH]);
	} while (port_atomic_load(&entry[LOW]) != low ||
		 port_atomic_load(&entry[HIGH]) != high);
	return (pte_t)high << 32 | low;
}

/* Both are release stores: nobody sees the lower half without the upper. */
void pgtable_entry_set(port_atomic_t *entry, bool pae, pte_t pte)
{
	if (pae)
		port_atomic_store(&entry[HIGH], (uint32_t)(pte >> 32));
	port_atomic_store(&entry[LOW], (uint32_t)pte);
}

/*
 * An exchange, because the processor sets accessed and dirty bits with locked
 * accesses of its own; it never writes the upper half.
 */
pte_t pgtable_entry_clear(port_atomic_t *entry, bool pae)
{
	uint32_t low = port_atomic_exchange(&entry[LOW], 0);
	uint32_t high;

	if (!pae)
		return low;
	high = port_atomic_load(&entry[HIGH]);
	port_atomic_store(&entry[HIGH], 0);
	return (pte_t)high << 32 | low;
}
