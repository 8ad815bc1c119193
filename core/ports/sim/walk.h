/* SPDX-License-Identifier: MIT */
#ifndef SIM_WALK_H
#define SIM_WALK_H

/*
 * A processor's page walk, after the Intel SDM, volume 3A, sections 4.3, 4.4,
 * 4.6, 4.7 and 4.8. It shares no code with the core, which builds the tables:
 * what one of them got wrong, the other one does not repeat.
 *
 * Left out: SMEP, SMAP, protection keys, CR4.PGE (a global page is reported,
 * not treated), 64-bit modes. PAT and PSE-36 are there.
 */

#include <stdbool.h>
#include <stdint.h>

/* Physical memory, by aligned words. False: there is none at @paddr. */
struct walk_memory {
	void *arg;
	bool (*read)(void *arg, uint64_t paddr, uint32_t *word);
	bool (*write)(void *arg, uint64_t paddr, uint32_t word);
};

/* What of a processor's state a walk depends on. */
struct walk_cpu {
	bool pae;		/* CR4.PAE */
	bool pse;		/* CR4.PSE; PAE does not ask it */
	bool nxe;		/* EFER.NXE */
	bool wp;		/* CR0.WP */
	unsigned int phys_bits; /* MAXPHYADDR, 32 to 52 */
	uint32_t cr3;
	uint64_t pdpte[4]; /* PAE: as loaded with CR3, and not looked up since */
};

/*
 * Load CR3. With PAE the four PDPTEs are read now. False: a present one has a
 * reserved bit, or lies where no memory is; that is #GP, and nothing is loaded.
 */
bool walk_load_cr3(struct walk_cpu *cpu, const struct walk_memory *memory,
		   uint32_t cr3);

/* A kind of access: any of these together. */
#define WALK_READ 0u
#define WALK_WRITE 1u
#define WALK_USER 2u
#define WALK_FETCH 4u

/* The error code of a page fault. */
#define WALK_ERROR_PRESENT (1u << 0) /* not: no present bit somewhere */
#define WALK_ERROR_WRITE (1u << 1)
#define WALK_ERROR_USER (1u << 2)
#define WALK_ERROR_RESERVED (1u << 3)
#define WALK_ERROR_FETCH (1u << 4) /* only where NX can be the reason */

struct walk_page {
	uint64_t paddr; /* of the very byte */
	uint64_t size;	/* of the page: 4 KiB, 2 MiB or 4 MiB */
	uint64_t leaf;	/* the last entry, as the walk left it */
	uint64_t leaf_paddr;
	bool writable; /* by all entries */
	bool user;
	bool nx;
	bool global;
};

/*
 * Translate @vaddr for @access. True: @page says where, and accessed and dirty
 * bits are set as they are for an access. False: *@error is the page fault's
 * error code, and no word was written; the SDM lets a processor set accessed
 * bits on its way to a fault, and this one does not.
 */
bool walk(const struct walk_cpu *cpu, const struct walk_memory *memory,
	  uint32_t vaddr, unsigned int access, struct walk_page *page,
	  uint32_t *error);

#endif
