/* SPDX-License-Identifier: MIT */
#ifndef CORE_PORTS_I686_TEST_ACPI_H
#define CORE_PORTS_I686_TEST_ACPI_H

/* A PC's ACPI tables, for tests to build and to break. */

#include <criterion/criterion.h>
#include <string.h>

#include "core/ports/i686/acpi.h"

/* The first MiB, and some RAM behind it where the tables are. */
#define EBDA 0x9fc00U
#define RSDP 0xf5a40U
#define RSDT 0x101003U /* nothing is aligned */
#define XSDT 0x101805U
#define MADT 0x102001U
#define OTHER 0x103000U

static uint8_t memory[0x104000];
static unsigned int reads;

/* More than any search takes. */
#define MANY_READS 200000

static inline bool read(uint64_t phys, void *to, uint32_t len)
{
	cr_assert_lt(++reads, MANY_READS, "it does not end");
	if (phys > sizeof(memory) || len > sizeof(memory) - phys)
		return false;
	memcpy(to, memory + phys, len);
	return true;
}

static inline uint8_t *at(uint32_t phys)
{
	return memory + phys;
}

static inline void put32(uint32_t phys, uint32_t value)
{
	memcpy(at(phys), &value, sizeof(value));
}

/* Makes the bytes add up to 0. */
static inline void sign(uint32_t phys, uint32_t len, uint32_t checksum)
{
	uint8_t sum = 0;

	*at(phys + checksum) = 0;
	for (uint32_t i = 0; i < len; i++)
		sum = (uint8_t)(sum + *at(phys + i));
	*at(phys + checksum) = (uint8_t)-sum;
}

static inline void put_table(uint32_t phys, const char *signature, uint32_t len)
{
	memcpy(at(phys), signature, 4);
	put32(phys + 4, len);
	sign(phys, len, 9);
}

static uint32_t madt_len;

static inline void put_cpu(uint8_t id, uint32_t flags)
{
	const uint8_t entry[4] = { 0, 8, id, id };

	memcpy(at(MADT + madt_len), entry, sizeof(entry));
	put32(MADT + madt_len + 4, flags);
	madt_len += 8;
}

/* Something that is no CPU, of @len bytes. */
static inline void put_other(uint8_t type, uint8_t len)
{
	*at(MADT + madt_len) = type;
	*at(MADT + madt_len + 1) = len;
	madt_len += len;
}

static inline void put_x2apic_cpu(uint32_t id, uint32_t flags)
{
	*at(MADT + madt_len) = 9;
	*at(MADT + madt_len + 1) = 16;
	put32(MADT + madt_len + 4, id);
	put32(MADT + madt_len + 8, flags);
	madt_len += 16;
}

static inline void put_rsdp(uint32_t rsdp, uint32_t rsdt)
{
	memcpy(at(rsdp), "RSD PTR ", 8);
	put32(rsdp + 16, rsdt);
	sign(rsdp, 20, 8);
}

/* Revision 2, and an XSDT that has what the RSDT has. */
static inline void put_xsdt(uint32_t rsdp, uint32_t rsdt)
{
	*at(rsdp + 15) = 2;
	put_rsdp(rsdp, rsdt);
	put32(rsdp + 20, 36);
	put32(rsdp + 24, XSDT);
	sign(rsdp, 36, 32);
	put32(XSDT + 36, OTHER);
	put32(XSDT + 44, MADT);
	put_table(XSDT, "XSDT", 52);
}

static inline void put_pointers(void)
{
	put_rsdp(RSDP, RSDT);
	put_table(OTHER, "FACP", 116);
	put32(RSDT + 36, OTHER);
	put32(RSDT + 40, MADT);
	put_table(RSDT, "RSDT", 44);
}

/* Two CPUs, the I/O APIC between them, and one that is not to be used. */
static inline void build(void)
{
	memset(memory, 0, sizeof(memory));
	reads = 0;
	madt_len = 44;
	put32(MADT + 36, 0xfee00000);
	put_cpu(4, 1);
	put_other(1, 12);
	put_cpu(0, 1);
	put_cpu(7, 0);
	put_table(MADT, "APIC", madt_len);
	put_pointers();
}

static inline void sign_madt(void)
{
	put_table(MADT, "APIC", madt_len);
}

#endif
