/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <string.h>

#include "core/ports/sim/walk.h"

/*
 * Tables made by hand, word by word, with the numbers of the SDM's pictures.
 * Memory is 16 frames from 0x1000 on, and the frame right above 4 GiB.
 */
#define FRAMES 16

static uint32_t words[FRAMES][1024];
static uint32_t high_words[1024];
static unsigned int writes;

static uint32_t *word_at(uint64_t paddr)
{
	if (paddr >> 12 == 0x100000)
		return &high_words[paddr % 4096 / 4];
	if (paddr < 0x1000 || paddr >> 12 > FRAMES)
		return NULL;
	return &words[(paddr >> 12) - 1][paddr % 4096 / 4];
}

static bool read_word(void *arg, uint64_t paddr, uint32_t *word)
{
	const uint32_t *at = word_at(paddr);

	(void)arg;
	if (at)
		*word = *at;
	return at != NULL;
}

static bool write_word(void *arg, uint64_t paddr, uint32_t word)
{
	uint32_t *at = word_at(paddr);

	(void)arg;
	writes++;
	if (at)
		*at = word;
	return at != NULL;
}

static const struct walk_memory memory = { NULL, read_word, write_word };

static void put(uint64_t paddr, uint32_t word)
{
	*word_at(paddr) = word;
}

static void put64(uint64_t paddr, uint64_t entry)
{
	put(paddr, (uint32_t)entry);
	put(paddr + 4, (uint32_t)(entry >> 32));
}

static uint32_t get(uint64_t paddr)
{
	return *word_at(paddr);
}

static struct walk_cpu cpu;
static struct walk_page page;
static uint32_t error;

static bool go(uint32_t vaddr, unsigned int access)
{
	memset(&page, 0, sizeof(page));
	return walk(&cpu, &memory, vaddr, access, &page, &error);
}

static void expect_fault(uint32_t vaddr, unsigned int access, uint32_t code)
{
	unsigned int before = writes;

	cr_expect_not(go(vaddr, access), "%#x translates", vaddr);
	cr_expect_eq(error, code, "at %#x error code %#x, not %#x", vaddr,
		     error, code);
	cr_expect_eq(writes, before, "written on the way to a fault");
}

static void expect_at(uint32_t vaddr, unsigned int access, uint64_t paddr)
{
	cr_expect(go(vaddr, access), "%#x: error %#x", vaddr, error);
	cr_expect_eq(page.paddr, paddr, "%#x is at %#" PRIx64 ", not %#" PRIx64,
		     vaddr, page.paddr, paddr);
}

/* A directory at 0x1000, a page table at 0x2000 for 0xffc00000 on. */
static void two_levels(void)
{
	cpu = (struct walk_cpu){ .pse = true, .wp = true, .phys_bits = 36 };
	cr_assert(walk_load_cr3(&cpu, &memory, 0x1000));
	put(0x1000 + 4 * 1023, 0x2000 | 7);
}

/* PDPTEs at 0x1020, a directory at 0x2000 for the last GiB, a table at 3000. */
static void three_levels(void)
{
	cpu = (struct walk_cpu){
		.pae = true, .nxe = true, .wp = true, .phys_bits = 36
	};
	put64(0x1020 + 8 * 3, 0x2000 | 1);
	cr_assert(walk_load_cr3(&cpu, &memory, 0x1020));
	put64(0x2000 + 8 * 511, 0x3000 | 7);
}

/* ---- Two levels -------------------------------------------------------------- */

Test(walk, two_levels)
{
	two_levels();
	put(0x2000 + 4 * 1022, 0x12345000 | 3);
	expect_at(0xffffe000, WALK_READ, 0x12345000);
	expect_at(0xffffefff, WALK_READ, 0x12345fff);
	cr_expect_eq(page.size, 4096);
	cr_expect_eq(page.leaf_paddr, 0x2000 + 4 * 1022);
	cr_expect(page.writable);
	cr_expect_not(page.user || page.nx || page.global);
	expect_fault(0xffffdfff, WALK_READ, 0);
	expect_fault(0xfffff000, WALK_WRITE, WALK_ERROR_WRITE);
	expect_fault(0x00000000, WALK_READ, 0);
	expect_fault(0xffbfffff, WALK_USER, WALK_ERROR_USER);
	/* Without PAE no fetch is different from a read. */
	expect_fault(0x00000000, WALK_FETCH, 0);
	expect_at(0xffffe000, WALK_FETCH, 0x12345000);
}

Test(walk, accessed_and_dirty)
{
	two_levels();
	put(0x2000, 0x5003);
	expect_at(0xffc00000, WALK_READ, 0x5000);
	cr_expect_eq(get(0x2000), 0x5023);
	cr_expect_eq(get(0x1000 + 4 * 1023), 0x2027);
	cr_expect_eq(page.leaf, 0x5023);
	cr_expect_eq(writes, 2);
	expect_at(0xffc00000, WALK_READ, 0x5000);
	cr_expect_eq(writes, 2, "nothing to set: nothing written");
	expect_at(0xffc00000, WALK_WRITE, 0x5000);
	cr_expect_eq(get(0x2000), 0x5063);
	cr_expect_eq(get(0x1000 + 4 * 1023), 0x2027, "not dirty up there");
	cr_expect_eq(writes, 3);
}

Test(walk, both_levels_decide_who_may)
{
	const uint32_t present = WALK_ERROR_PRESENT;

	two_levels();
	put(0x2000, 0x5000 | 1);
	put(0x2004, 0x6000 | 7);
	expect_fault(0xffc00000, WALK_WRITE, present | WALK_ERROR_WRITE);
	expect_fault(0xffc00000, WALK_USER, present | WALK_ERROR_USER);
	expect_at(0xffc01000, WALK_USER | WALK_WRITE, 0x6000);
	put(0x1000 + 4 * 1023, 0x2000 | 5);
	expect_fault(0xffc01000, WALK_WRITE, present | WALK_ERROR_WRITE);
	expect_at(0xffc01000, WALK_USER, 0x6000);
	put(0x1000 + 4 * 1023, 0x2000 | 3);
	expect_fault(0xffc01000, WALK_USER, present | WALK_ERROR_USER);
	/* WP off: the kernel writes everywhere, a user does not. */
	put(0x1000 + 4 * 1023, 0x2000 | 5);
	cpu.wp = false;
	expect_at(0xffc01000, WALK_WRITE, 0x6000);
	expect_fault(0xffc01000, WALK_WRITE | WALK_USER,
		     present | WALK_ERROR_WRITE | WALK_ERROR_USER);
}

Test(walk, pages_of_4_mib)
{
	two_levels();
	put(0x1000 + 4 * 768, 0x00c00000 | 0x1000 | 0x183); /* PAT, G */
	expect_at(0xc0000000, WALK_READ, 0x00c00000);
	expect_at(0xc03fffff, WALK_WRITE, 0x00ffffff);
	cr_expect_eq(page.size, 1u << 22);
	cr_expect(page.global);
	cr_expect_eq(get(0x1000 + 4 * 768), 0xc011e3);
	/* PSE-36: bits 13 to 16 are bits 32 to 35. */
	put(0x1000 + 4 * 768, 0x00c00000 | 0xf << 13 | 0x83);
	expect_at(0xc0000001, WALK_READ, 0xf00c00001);
	put(0x1000 + 4 * 768, 0x00c00000 | 1 << 17 | 0x83);
	expect_fault(0xc0000000, WALK_READ,
		     WALK_ERROR_PRESENT | WALK_ERROR_RESERVED);
	cpu.phys_bits = 40;
	expect_at(0xc0000000, WALK_READ, 0x1000c00000);
	put(0x1000 + 4 * 768, 0x00c00000 | 1 << 21 | 0x83);
	expect_fault(0xc0000000, WALK_READ,
		     WALK_ERROR_PRESENT | WALK_ERROR_RESERVED);
}

Test(walk, without_pse_a_large_page_is_a_page_table)
{
	two_levels();
	cpu.pse = false;
	put(0x1000 + 4 * 768, 0x3000 | 0x83);
	put(0x3000 + 4, 0x7003);
	expect_at(0xc0001000, WALK_READ, 0x7000);
}

/* ---- PAE ---------------------------------------------------------------------- */

Test(walk, three_levels)
{
	three_levels();
	put64(0x3000 + 8 * 510, UINT64_C(0xabcdef000) | 3);
	expect_at(0xffffefff, WALK_WRITE, 0xabcdeffff);
	cr_expect_eq(page.size, 4096);
	cr_expect_eq(get(0x3000 + 8 * 510), 0xbcdef063);
	cr_expect_eq(get(0x3000 + 8 * 510 + 4), 0xa);
	cr_expect_eq(get(0x2000 + 8 * 511), 0x3027);
	cr_expect_eq(get(0x1038), 0x2001, "a PDPTE has no accessed bit");
	expect_fault(0xfffff000, WALK_READ, 0);
	expect_fault(0xffdfffff, WALK_READ, 0);
	expect_fault(0xbfffffff, WALK_READ, 0);
}

Test(walk, pages_of_2_mib_whatever_pse_says)
{
	three_levels();
	put64(0x2000, UINT64_C(0x900600000) | 0x1000 | 0x83);
	expect_at(0xc01fffff, WALK_READ, 0x9007fffff);
	cr_expect_eq(page.size, 1u << 21);
	put64(0x2000, 0x602083);
	expect_fault(0xc0000000, WALK_READ,
		     WALK_ERROR_PRESENT | WALK_ERROR_RESERVED);
}

Test(walk, tables_above_4_gib)
{
	three_levels();
	put64(0x2000, UINT64_C(0x100000000) | 3);
	high_words[2] = 0x8003;
	expect_at(0xc0001000, WALK_READ, 0x8000);
	cr_expect_eq(high_words[2], 0x8023);
}

Test(walk, no_execute)
{
	const uint64_t xd = UINT64_C(1) << 63;
	const uint32_t nx = WALK_ERROR_PRESENT | WALK_ERROR_FETCH;

	three_levels();
	put64(0x3000, 0x5003 | xd);
	put64(0x3008, 0x6003);
	expect_fault(0xffe00000, WALK_FETCH, nx);
	expect_at(0xffe00000, WALK_WRITE, 0x5000);
	cr_expect(page.nx);
	expect_at(0xffe01000, WALK_FETCH, 0x6000);
	cr_expect_not(page.nx);
	expect_fault(0xffe02000, WALK_FETCH, WALK_ERROR_FETCH);
	/* One bit above forbids all below. */
	put64(0x2000 + 8 * 511, 0x3003 | xd);
	expect_fault(0xffe01000, WALK_FETCH, nx);
	expect_at(0xffe01000, WALK_READ, 0x6000);
	/* Off, the bit is reserved, at both levels. */
	cpu.nxe = false;
	expect_fault(0xffe01000, WALK_READ,
		     WALK_ERROR_PRESENT | WALK_ERROR_RESERVED);
	put64(0x2000 + 8 * 511, 0x3003);
	expect_fault(0xffe00000, WALK_FETCH,
		     WALK_ERROR_PRESENT | WALK_ERROR_RESERVED);
	expect_at(0xffe01000, WALK_FETCH, 0x6000);
}

Test(walk, bits_beyond_the_address_are_reserved)
{
	const uint32_t reserved = WALK_ERROR_PRESENT | WALK_ERROR_RESERVED;

	three_levels();
	put64(0x3000, UINT64_C(1) << 36 | 0x5003);
	expect_fault(0xffe00000, WALK_READ, reserved);
	put64(0x3000, UINT64_C(1) << 62 | 0x5003);
	expect_fault(0xffe00000, WALK_READ, reserved);
	put64(0x3000, UINT64_C(1) << 36 | 0x5002);
	expect_fault(0xffe00000, WALK_READ, 0);
	put64(0x3000, 0x5003);
	put64(0x2000 + 8 * 511, UINT64_C(1) << 40 | 0x3003);
	expect_fault(0xffe00000, WALK_READ, reserved);
}

Test(walk, pdptes_are_what_they_were_when_cr3_was_loaded)
{
	three_levels();
	put64(0x3000, 0x5003);
	expect_at(0xffe00000, WALK_READ, 0x5000);
	put64(0x1020 + 8 * 3, 0x4000 | 1);
	put64(0x4000 + 8 * 511, 0x6000 | 3);
	put64(0x6000, 0x7003);
	expect_at(0xffe00000, WALK_READ, 0x5000);
	cr_expect(walk_load_cr3(&cpu, &memory, 0x1020));
	expect_at(0xffe00000, WALK_READ, 0x7000);
	put64(0x1020 + 8 * 3, 0);
	expect_at(0xffe00000, WALK_READ, 0x7000);
	cr_expect(walk_load_cr3(&cpu, &memory, 0x1020));
	expect_fault(0xffe00000, WALK_READ, 0);
}

Test(walk, a_pdpte_with_reserved_bits_is_not_loaded)
{
	static const uint64_t wrong[] = { 0x2003,
					  0x2005,
					  0x2021,
					  0x2101,
					  1ULL << 36 | 0x2001,
					  1ULL << 63 | 0x2001 };
	struct walk_cpu before;

	three_levels();
	before = cpu;
	for (unsigned int i = 0; i < 6; i++) {
		put64(0x1020, wrong[i]);
		cr_expect_not(walk_load_cr3(&cpu, &memory, 0x1020),
			      "%#" PRIx64 " was loaded", wrong[i]);
		cr_expect_eq(cpu.cr3, before.cr3);
		cr_expect_arr_eq(cpu.pdpte, before.pdpte, sizeof(cpu.pdpte));
	}
	put64(0x1020, 0x20fe); /* not present: anything goes */
	cr_expect(walk_load_cr3(&cpu, &memory, 0x1020));
	/* PWT, PCD and the ignored bits. */
	put64(0x1020, 0x2e19);
	cr_expect(walk_load_cr3(&cpu, &memory, 0x1020));
	cr_expect_not(walk_load_cr3(&cpu, &memory, 0x7fff0000),
		      "no memory reads as ones");
}

Test(walk, tables_where_no_memory_is)
{
	two_levels();
	put(0x1000, 0x7fff0000 | 3);
	/* All ones: a page at the end of all. */
	expect_at(0x00000abc, WALK_READ, 0xfffffabc);
	three_levels();
	put64(0x2000, 0x7fff0000 | 3);
	expect_fault(0xc0000000, WALK_READ,
		     WALK_ERROR_PRESENT | WALK_ERROR_RESERVED);
}
