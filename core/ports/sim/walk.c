/* SPDX-License-Identifier: MIT */
#include "core/ports/sim/walk.h"

#define P (UINT64_C(1) << 0)
#define RW (UINT64_C(1) << 1)
#define US (UINT64_C(1) << 2)
#define A (UINT64_C(1) << 5)
#define D (UINT64_C(1) << 6)
#define PS (UINT64_C(1) << 7)
#define G (UINT64_C(1) << 8)
#define XD (UINT64_C(1) << 63)

/* Bits @low to @high, both included. */
static uint64_t bits(unsigned int high, unsigned int low)
{
	return ((UINT64_C(2) << high) - 1) & ~((UINT64_C(1) << low) - 1);
}

/* An entry on the way, and where it lies. */
struct step {
	uint64_t paddr;
	uint64_t entry;
};

/* Nothing there reads as ones, as an empty bus does. */
static uint64_t fetch(const struct walk_cpu *cpu,
		      const struct walk_memory *memory, uint64_t paddr)
{
	uint32_t low = UINT32_MAX, high = UINT32_MAX;

	memory->read(memory->arg, paddr, &low);
	if (!cpu->pae)
		return low;
	memory->read(memory->arg, paddr + 4, &high);
	return (uint64_t)high << 32 | low;
}

/* Accessed, dirty: they are all in the lower word. */
static void mark(const struct walk_memory *memory, struct step *step,
		 uint64_t set)
{
	if ((step->entry & set) == set)
		return;
	step->entry |= set;
	memory->write(memory->arg, step->paddr, (uint32_t)step->entry);
}

/* Table 4-8: of a PDPTE; checked when it is loaded, not when it is used. */
static uint64_t reserved_in_pdpte(const struct walk_cpu *cpu)
{
	return bits(63, cpu->phys_bits) | bits(8, 5) | bits(2, 1);
}

/* Tables 4-4 to 4-6 without PAE, 4-9 to 4-11 with it. */
static uint64_t reserved_in(const struct walk_cpu *cpu, bool large)
{
	uint64_t reserved;

	if (!cpu->pae) {
		/* PSE-36: bits 13 on are bits 32 on of the address. */
		unsigned int first = 13 + cpu->phys_bits - 32;

		return !large ? 0 : first > 20 ? bits(21, 21) : bits(21, first);
	}
	reserved = bits(62, cpu->phys_bits);
	if (!cpu->nxe)
		reserved |= XD;
	return large ? reserved | bits(20, 13) : reserved;
}

bool walk_load_cr3(struct walk_cpu *cpu, const struct walk_memory *memory,
		   uint32_t cr3)
{
	uint64_t pdpte[4] = { 0 };

	for (unsigned int i = 0; cpu->pae && i < 4; i++) {
		pdpte[i] = fetch(cpu, memory, (cr3 & bits(31, 5)) + 8 * i);
		if ((pdpte[i] & P) && (pdpte[i] & reserved_in_pdpte(cpu)))
			return false;
	}
	cpu->cr3 = cr3;
	for (unsigned int i = 0; i < 4; i++)
		cpu->pdpte[i] = pdpte[i];
	return true;
}

/* ---- The walk ------------------------------------------------------------------ */

/* An entry of the table that @upper points to. */
static struct step next(const struct walk_cpu *cpu,
			const struct walk_memory *memory, uint64_t upper,
			uint32_t index)
{
	uint64_t mask = cpu->pae ? bits(cpu->phys_bits - 1, 12) : bits(31, 12);
	struct step step = {
		.paddr = (upper & mask) + index * (cpu->pae ? 8u : 4u),
	};

	step.entry = fetch(cpu, memory, step.paddr);
	return step;
}

/* The top of the tree; false where a PDPTE is not present. */
static bool find_directory(const struct walk_cpu *cpu,
			   const struct walk_memory *memory, uint32_t vaddr,
			   struct step *pde)
{
	uint64_t pdpte = cpu->pdpte[vaddr >> 30];

	if (!cpu->pae) {
		*pde = next(cpu, memory, cpu->cr3, vaddr >> 22);
		return true;
	}
	if (!(pdpte & P))
		return false;
	*pde = next(cpu, memory, pdpte, vaddr >> 21 & 511);
	return true;
}

static bool is_large(const struct walk_cpu *cpu, uint64_t pde)
{
	return (pde & PS) && (cpu->pae || cpu->pse);
}

static uint64_t frame_of(const struct walk_cpu *cpu, uint64_t leaf, bool large)
{
	if (!large)
		return leaf & bits(cpu->pae ? cpu->phys_bits - 1 : 31, 12);
	if (cpu->pae)
		return leaf & bits(cpu->phys_bits - 1, 21);
	return (leaf & bits(31, 22)) | (leaf & bits(20, 13)) << (32 - 13);
}

/* Section 4.6.1. */
static bool is_allowed(const struct walk_cpu *cpu, const struct walk_page *page,
		       unsigned int access)
{
	bool user = (access & WALK_USER) != 0;

	if (user && !page->user)
		return false;
	if ((access & WALK_WRITE) && !page->writable && (user || cpu->wp))
		return false;
	return !((access & WALK_FETCH) && page->nx);
}

/* Section 4.7: what the access was, whatever the reason. */
static uint32_t access_error(const struct walk_cpu *cpu, unsigned int access)
{
	uint32_t error = 0;

	if (access & WALK_WRITE)
		error |= WALK_ERROR_WRITE;
	if (access & WALK_USER)
		error |= WALK_ERROR_USER;
	if ((access & WALK_FETCH) && cpu->pae && cpu->nxe)
		error |= WALK_ERROR_FETCH;
	return error;
}

static void describe(const struct walk_cpu *cpu, struct walk_page *page,
		     const struct step *pde, const struct step *leaf,
		     uint32_t vaddr)
{
	bool large = pde == leaf;
	uint64_t both = pde->entry & leaf->entry;

	page->size = !large ? 4096 : cpu->pae ? 1u << 21 : 1u << 22;
	page->paddr = frame_of(cpu, leaf->entry, large) +
		      (vaddr & (page->size - 1));
	page->writable = (both & RW) != 0;
	page->user = (both & US) != 0;
	page->nx = cpu->pae && cpu->nxe && ((pde->entry | leaf->entry) & XD);
	page->global = (leaf->entry & G) != 0;
}

bool walk(const struct walk_cpu *cpu, const struct walk_memory *memory,
	  uint32_t vaddr, unsigned int access, struct walk_page *page,
	  uint32_t *error)
{
	struct step pde, pte;
	struct step *leaf = &pde;

	*error = access_error(cpu, access);
	if (!find_directory(cpu, memory, vaddr, &pde) || !(pde.entry & P))
		return false;
	if (!is_large(cpu, pde.entry)) {
		if (pde.entry & reserved_in(cpu, false))
			goto reserved;
		pte = next(cpu, memory, pde.entry,
			   vaddr >> 12 & (cpu->pae ? 511 : 1023));
		leaf = &pte;
		if (!(pte.entry & P))
			return false;
	}
	if (leaf->entry & reserved_in(cpu, leaf == &pde))
		goto reserved;
	describe(cpu, page, &pde, leaf, vaddr);
	if (!is_allowed(cpu, page, access)) {
		*error |= WALK_ERROR_PRESENT;
		return false;
	}
	if (leaf != &pde)
		mark(memory, &pde, A);
	mark(memory, leaf, access & WALK_WRITE ? A | D : A);
	page->leaf = leaf->entry;
	page->leaf_paddr = leaf->paddr;
	return true;
reserved:
	*error |= WALK_ERROR_PRESENT | WALK_ERROR_RESERVED;
	return false;
}
