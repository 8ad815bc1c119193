/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "core/ports/i686/acpi.h"

/* The BIOS area, and some RAM behind it where the tables are. */
#define MEMORY_START 0xe0000U
#define RSDP 0xf5a40U
#define RSDT 0x101003U /* nothing is aligned */
#define MADT 0x102001U
#define OTHER 0x103000U

static uint8_t memory[0x40000];

static bool read(uint32_t phys, void *to, uint32_t len)
{
	if (phys < MEMORY_START || phys - MEMORY_START > sizeof(memory) ||
	    len > sizeof(memory) - (phys - MEMORY_START))
		return false;
	memcpy(to, memory + (phys - MEMORY_START), len);
	return true;
}

static uint8_t *at(uint32_t phys)
{
	return memory + (phys - MEMORY_START);
}

static void put32(uint32_t phys, uint32_t value)
{
	memcpy(at(phys), &value, sizeof(value));
}

/* Makes the bytes add up to 0. */
static void sign(uint32_t phys, uint32_t len, uint32_t checksum)
{
	uint8_t sum = 0;

	*at(phys + checksum) = 0;
	for (uint32_t i = 0; i < len; i++)
		sum = (uint8_t)(sum + *at(phys + i));
	*at(phys + checksum) = (uint8_t)-sum;
}

static void put_table(uint32_t phys, const char *signature, uint32_t len)
{
	memcpy(at(phys), signature, 4);
	put32(phys + 4, len);
	sign(phys, len, 9);
}

static uint32_t madt_len;

static void put_cpu(uint8_t id, uint32_t flags)
{
	const uint8_t entry[4] = { 0, 8, id, id };

	memcpy(at(MADT + madt_len), entry, sizeof(entry));
	put32(MADT + madt_len + 4, flags);
	madt_len += 8;
}

/* Something that is no CPU, of @len bytes. */
static void put_other(uint8_t type, uint8_t len)
{
	*at(MADT + madt_len) = type;
	*at(MADT + madt_len + 1) = len;
	madt_len += len;
}

static void put_pointers(void)
{
	memcpy(at(RSDP), "RSD PTR ", 8);
	put32(RSDP + 16, RSDT);
	sign(RSDP, 20, 8);
	put_table(OTHER, "FACP", 116);
	put32(RSDT + 36, OTHER);
	put32(RSDT + 40, MADT);
	put_table(RSDT, "RSDT", 44);
}

/* Two CPUs, the I/O APIC between them, and one that is not to be used. */
static void build(void)
{
	memset(memory, 0, sizeof(memory));
	madt_len = 44;
	put32(MADT + 36, 0xfee00000);
	put_cpu(4, 1);
	put_other(1, 12);
	put_cpu(0, 1);
	put_cpu(7, 0);
	put_table(MADT, "APIC", madt_len);
	put_pointers();
}

static void sign_madt(void)
{
	put_table(MADT, "APIC", madt_len);
}

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
	expect_refusal("no true length");
}

Test(acpi, an_entry_that_goes_beyond_the_end)
{
	build();
	put_other(2, 10);
	madt_len -= 4;
	sign_madt();
	expect_refusal("no true length");
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
