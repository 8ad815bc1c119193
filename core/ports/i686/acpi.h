/* SPDX-License-Identifier: MIT */
#ifndef CORE_PORTS_I686_ACPI_H
#define CORE_PORTS_I686_ACPI_H

/*
 * Which CPUs there are, as the firmware says in ACPI's tables: the pointer in
 * the EBDA or the BIOS area (RSDP), the tables of tables (XSDT and RSDT), the
 * one on interrupt controllers (MADT).
 */

#include <highmem/types.h>

#define ACPI_MAX_CPUS 16

/* A local APIC that is not in x2APIC mode has 8 bits; 255 means all of them. */
#define ACPI_APIC_IDS 255

struct acpi_cpus {
	uint32_t local_apic; /* physical address of its registers */
	unsigned int nr;     /* usable CPUs, with those for which no room was */
	unsigned int nr_twice; /* an APIC id that was there before */
	unsigned int nr_far;   /* an APIC id from ACPI_APIC_IDS on */
	uint8_t apic_id[ACPI_MAX_CPUS];
	uint32_t seen[(ACPI_APIC_IDS + 31) / 32]; /* a bit for each id */
};

/* Copies @len bytes of physical memory; false where there is none. */
typedef bool acpi_read_t(uint64_t phys, void *to, uint32_t len);

/*
 * Fills in @cpus. Returns NULL, or one sentence that says what is wrong. A
 * table that is broken is as good as none: the next one of its kind is tried.
 */
const char *acpi_find_cpus(struct acpi_cpus *cpus, acpi_read_t *read);

#endif
