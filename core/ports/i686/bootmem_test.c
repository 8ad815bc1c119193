/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "core/ports/i686/bootmem.h"

#define LIMIT 0x800000

/* 640 KiB less a page, and from 1 MiB on. */
static struct bootmem pc(void)
{
	struct bootmem bootmem;

	bootmem_init(&bootmem, LIMIT);
	bootmem.ram = (struct memmap){
		2, { { 0, 0x9f000, 1 }, { 0x100000, 0x7fe0000, 1 } }
	};
	return bootmem;
}

#define RESERVE(bootmem, start, end) \
	cr_assert_null(bootmem_reserve(&(bootmem), start, end))

Test(bootmem, from_the_bottom_up)
{
	struct bootmem bootmem = pc();

	for (pfn_t pfn = 0; pfn < 0x9f; pfn++)
		cr_assert_eq(bootmem_alloc(&bootmem), pfn);
	for (pfn_t pfn = 0x100; pfn < LIMIT >> PAGE_SHIFT; pfn++)
		cr_assert_eq(bootmem_alloc(&bootmem), pfn);
	cr_expect_eq(bootmem_alloc(&bootmem), BOOTMEM_NONE);
	cr_expect_eq(bootmem_alloc(&bootmem), BOOTMEM_NONE);
}

Test(bootmem, around_what_is_reserved_in_any_order)
{
	struct bootmem bootmem = pc();

	RESERVE(bootmem, 0x183fff, 0x185001); /* two bytes that count */
	RESERVE(bootmem, 0, 0x100000);
	RESERVE(bootmem, 0x180000, 0x182000);
	RESERVE(bootmem, 0x100000, 0x180001);
	RESERVE(bootmem, 0x300000, 0x300000); /* nothing */
	cr_expect_eq(bootmem_alloc(&bootmem), 0x182);
	cr_expect_eq(bootmem_alloc(&bootmem), 0x186);
	for (pfn_t pfn = 0x187; pfn < 0x310; pfn++)
		cr_expect_eq(bootmem_alloc(&bootmem), pfn);
	cr_expect_eq(bootmem_reserved_end(&bootmem), 0x185001);
}

Test(bootmem, a_row_of_a_colour)
{
	struct bootmem bootmem = pc();

	RESERVE(bootmem, 0, 0x1000);
	cr_expect_eq(bootmem_alloc_row(&bootmem, 2, 6, 8), 6);
	cr_expect_eq(bootmem_alloc_row(&bootmem, 2, 6, 8), 14);
	RESERVE(bootmem, 0x17000, 0x18000); /* cuts the next one */
	cr_expect_eq(bootmem_alloc_row(&bootmem, 2, 6, 8), 30);
	cr_expect_eq(bootmem_alloc(&bootmem), 32);
	cr_expect_eq(bootmem_alloc_row(&bootmem, 120, 0, 8), 0x100);
	cr_expect_eq(bootmem_alloc_row(&bootmem, 0x689, 0, 1), BOOTMEM_NONE);
	cr_expect_eq(bootmem_alloc_row(&bootmem, 0x688, 0, 1), 0x178);
}

Test(bootmem, below_a_limit_and_then_as_before)
{
	struct bootmem bootmem = pc();

	RESERVE(bootmem, 0, 0x9d000);
	cr_expect_eq(bootmem_alloc_below(&bootmem, 0xa0000), 0x9d);
	cr_expect_eq(bootmem_alloc_below(&bootmem, 0x9e000), BOOTMEM_NONE);
	cr_expect_eq(bootmem_alloc_below(&bootmem, 0x9efff), BOOTMEM_NONE);
	cr_expect_eq(bootmem_alloc_below(&bootmem, 2 * LIMIT), 0x9e);
	cr_expect_eq(bootmem_alloc_below(&bootmem, 0xa0000), BOOTMEM_NONE);
	cr_expect_eq(bootmem_alloc(&bootmem), 0x100);
	for (pfn_t pfn = 0x101; pfn < LIMIT >> PAGE_SHIFT; pfn++)
		cr_assert_eq(bootmem_alloc_below(&bootmem, 2 * LIMIT), pfn);
	cr_expect_eq(bootmem_alloc_below(&bootmem, 2 * LIMIT), BOOTMEM_NONE);
}

Test(bootmem, little_ram)
{
	struct bootmem bootmem = pc();

	bootmem.ram = (struct memmap){ 1, { { 0x1000, 0x3000, 1 } } };
	cr_expect_eq(bootmem_alloc(&bootmem), 1);
	cr_expect_eq(bootmem_alloc(&bootmem), 2);
	cr_expect_eq(bootmem_alloc(&bootmem), BOOTMEM_NONE);
	bootmem.ram.nr = 0;
	cr_expect_eq(bootmem_alloc(&bootmem), BOOTMEM_NONE);
}

Test(bootmem, too_many_pieces)
{
	struct bootmem bootmem = pc();

	for (unsigned int i = 0; i < BOOTMEM_MAX_RESERVED; i++)
		RESERVE(bootmem, 2 * i, 2 * i + 1);
	cr_expect_str_eq(bootmem_reserve(&bootmem, 0x100, 0x101),
			 "the loader left too many pieces in memory");
	cr_expect_null(bootmem_reserve(&bootmem, 0x100, 0x100));
}
