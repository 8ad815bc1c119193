/* SPDX-License-Identifier: MIT */
#ifndef CORE_PORTS_I686_ACPI_H
#define CORE_PORTS_I686_ACPI_H

/*
 * Which CPUs there are, as the firmware says in ACPI's tables: the pointer in
 * the BIOS area (RSDP), the table of tables (RSDT), the one on interrupt
 * controllers (MADT).
 */

#include <highmem/types.h>

#define ACPI_MAX_CPUS 16

struct acpi_cpus {
	uint32_t local_apic; /* physical address of its registers */
	unsigned int nr;     /* usable CPUs, with those for which no room was */
	uint8_t apic_id[ACPI_MAX_CPUS];
};

/* Copies @len bytes of physical memory; false where there is none. */
typedef bool acpi_read_t(uint32_t phys, void *to, uint32_t len);

/* Fills in @cpus. Returns NULL, or one sentence that says what is wrong. */
const char *acpi_find_cpus(struct acpi_cpus *cpus, acpi_read_t *read);

#endif
