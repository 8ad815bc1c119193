/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "core/ports/i686/acpi.h"
#include "core/ports/i686/test_acpi.h"

static void expect_refusal(const char *word)
{
	struct acpi_cpus cpus;
	const char *why = acpi_find_cpus(&cpus, read);

	cr_assert_not_null(why, "not refused; expected '%s'", word);
	cr_assert_not_null(strstr(why, word), "%s: no '%s'", why, word);
}

Test(acpi, finds_the_cpus_that_may_be_used)
{
	struct acpi_cpus cpus;

	build();
	cr_assert_null(acpi_find_cpus(&cpus, read));
	cr_assert_eq(cpus.local_apic, 0xfee00000);
	cr_assert_eq(cpus.nr, 2);
	cr_assert_eq(cpus.apic_id[0], 4);
	cr_assert_eq(cpus.apic_id[1], 0);
}

Test(acpi, counts_cpus_that_there_is_no_room_for)
{
	struct acpi_cpus cpus;

	build();
	for (uint8_t id = 10; id < 10 + ACPI_MAX_CPUS; id++)
		put_cpu(id, 1);
	sign_madt();
	cr_assert_null(acpi_find_cpus(&cpus, read));
	cr_assert_eq(cpus.nr, 2 + ACPI_MAX_CPUS);
	cr_assert_eq(cpus.apic_id[ACPI_MAX_CPUS - 1], 10 + ACPI_MAX_CPUS - 3);
}

Test(acpi, no_tables)
{
	build();
	memset(at(RSDP), 0, 8);
	expect_refusal("no ACPI tables");
}

Test(acpi, a_pointer_that_does_not_add_up)
{
	build();
	(*at(RSDP + 12))++;
	expect_refusal("no ACPI tables");
}

Test(acpi, a_table_of_tables_that_does_not_add_up)
{
	build();
	(*at(RSDT + 20))++;
	expect_refusal("RSDT is broken");
}

Test(acpi, a_table_of_tables_that_is_not_there)
{
	build();
	put32(RSDP + 16, 0x3ffe0000);
	sign(RSDP, 20, 8);
	expect_refusal("RSDT is broken");
}

Test(acpi, a_length_that_wraps_around)
{
	build();
	put32(RSDT + 4, 0xffffffff);
	expect_refusal("RSDT is broken");
}

Test(acpi, no_madt)
{
	build();
	put_table(MADT, "HPET", madt_len);
	expect_refusal("no table on interrupt controllers");
}

Test(acpi, a_madt_that_does_not_add_up)
{
	build();
	(*at(MADT + 50))++;
	expect_refusal("no table on interrupt controllers");
}

Test(acpi, a_madt_without_entries)
{
	build();
	madt_len = 40;
	sign_madt();
	expect_refusal("cut short");
}

Test(acpi, an_entry_without_length)
{
	build();
	put_other(2, 0);
	madt_len += 4;
	sign_madt();
	expect_refusal("an invalid length");
}

Test(acpi, an_entry_that_goes_beyond_the_end)
{
	build();
	put_other(2, 10);
	madt_len -= 4;
	sign_madt();
	expect_refusal("an invalid length");
}

Test(acpi, a_cpu_that_is_cut_short)
{
	build();
	put_other(0, 4);
	sign_madt();
	expect_refusal("CPU in the ACPI MADT is cut short");
}

Test(acpi, no_cpu_that_may_be_used)
{
	build();
	madt_len = 44;
	put_cpu(0, 0);
	sign_madt();
	expect_refusal("no usable CPU");
}

/* ---- Where the tables are found ------------------------------------------------ */

static void expect_two_cpus(void)
{
	struct acpi_cpus cpus;
	const char *why = acpi_find_cpus(&cpus, read);

	cr_assert_null(why, "%s", why);
	cr_assert_eq(cpus.nr, 2);
	cr_assert_eq(cpus.apic_id[0], 4);
	cr_assert_eq(cpus.local_apic, 0xfee00000);
}

Test(acpi, an_rsdp_in_the_ebda)
{
	build();
	memset(at(RSDP), 0, 20);
	put_rsdp(EBDA + 1024 - 32, RSDT);
	expect_refusal("no ACPI tables"); /* nobody says where the EBDA is */
	*at(0x40f) = EBDA >> 12;
	*at(0x40e) = (uint8_t)(EBDA >> 4);
	expect_two_cpus();
	memset(at(EBDA), 0, 1024);
	put_rsdp(EBDA + 1024, RSDT); /* in no man's land */
	expect_refusal("no ACPI tables");
}

Test(acpi, a_segment_of_the_ebda_that_cannot_be)
{
	for (uint32_t segment = 0; segment < 0x10000; segment += 0xff) {
		build();
		*at(0x40f) = (uint8_t)(segment >> 8);
		*at(0x40e) = (uint8_t)segment;
		expect_two_cpus();
	}
}

Test(acpi, an_xsdt_alone)
{
	build();
	put_xsdt(RSDP, 0);
	expect_two_cpus();
}

Test(acpi, the_xsdt_before_the_rsdt)
{
	build();
	put_xsdt(RSDP, 0x3ffe0000);
	expect_two_cpus();
}

Test(acpi, the_rsdt_if_the_xsdt_is_broken_or_not_named)
{
	build();
	put_xsdt(RSDP, RSDT);
	(*at(XSDT + 20))++;
	expect_two_cpus();
	put32(RSDT + 4, 43);
	expect_refusal("the ACPI XSDT and RSDT are broken");
	build();
	put_xsdt(RSDP, RSDT);
	put32(RSDT + 40, OTHER); /* the XSDT is to be used, it has the MADT */
	put_table(RSDT, "RSDT", 44);
	expect_two_cpus();
	(*at(RSDP + 33))++; /* but not if it is not signed for */
	expect_refusal("no table on interrupt controllers");
	(*at(RSDP + 33))--;
	*at(RSDP + 15) = 0; /* nor for the first revision */
	sign(RSDP, 20, 8);
	expect_refusal("no table on interrupt controllers");
}

Test(acpi, an_xsdt_whose_pointers_go_anywhere)
{
	build();
	put_xsdt(RSDP, 0);
	put32(XSDT + 40, 0xffffffff);
	put32(XSDT + 36, 0xfffffff0); /* wraps around 64 bits */
	put_table(XSDT, "XSDT", 52);
	expect_two_cpus();
	put32(XSDT + 48, 1);
	put_table(XSDT, "XSDT", 52);
	expect_refusal("no table on interrupt controllers");
}

/* ---- Which CPUs ------------------------------------------------------------------ */

Test(acpi, x2apic_entries_are_cpus_too)
{
	struct acpi_cpus cpus;

	build();
	put_x2apic_cpu(9, 1);
	put_x2apic_cpu(8, 0);
	put_x2apic_cpu(254, 1);
	put_x2apic_cpu(255, 1);
	put_x2apic_cpu(0x10004, 1); /* not the one that 8 bits make of it */
	put_x2apic_cpu(0xffffffff, 0);
	sign_madt();
	cr_assert_null(acpi_find_cpus(&cpus, read));
	cr_expect_eq(cpus.nr, 4);
	cr_expect_eq(cpus.nr_far, 2);
	cr_expect_eq(cpus.nr_twice, 0);
	cr_expect_eq(cpus.apic_id[2], 9);
	cr_expect_eq(cpus.apic_id[3], 254);
}

Test(acpi, one_id_is_one_cpu)
{
	struct acpi_cpus cpus;

	build();
	put_cpu(4, 1);
	put_cpu(4, 0);
	put_x2apic_cpu(4, 1);
	put_cpu(0, 1);
	put_cpu(255, 1); /* the name of all CPUs, so none has it */
	put_cpu(31, 1);
	put_cpu(32, 1);
	sign_madt();
	cr_assert_null(acpi_find_cpus(&cpus, read));
	cr_expect_eq(cpus.nr, 4);
	cr_expect_eq(cpus.nr_twice, 3);
	cr_expect_eq(cpus.nr_far, 0);
	cr_expect_eq(cpus.apic_id[3], 32);
}

Test(acpi, the_local_apic_in_64_bits)
{
	struct acpi_cpus cpus;

	build();
	put_other(5, 12);
	put32(MADT + madt_len - 8, 0xfed00000);
	sign_madt();
	cr_assert_null(acpi_find_cpus(&cpus, read));
	cr_expect_eq(cpus.local_apic, 0xfed00000);
	put32(MADT + madt_len - 4, 1);
	sign_madt();
	expect_refusal("above 4 GiB");
	put_other(5, 11);
	sign_madt();
	expect_refusal("above 4 GiB");
	madt_len -= 23;
	put_other(5, 11);
	sign_madt();
	expect_refusal("cut short");
	madt_len -= 11;
	put_other(9, 15);
	sign_madt();
	expect_refusal("cut short");
}
