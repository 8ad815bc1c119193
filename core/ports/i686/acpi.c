/* SPDX-License-Identifier: MIT */

#include "core/ports/i686/acpi.h"

/* ACPI 6.4, chapter 5.2. Nothing in a table is aligned, so bytes it is. */

#define BIOS_START 0xe0000U
#define BIOS_END 0x100000U

#define RSDP_STEP 16
#define RSDP_BYTES 20
#define RSDP_RSDT 16 /* offsets */

#define HEADER_BYTES 36
#define HEADER_LENGTH 4
#define MAX_TABLE_BYTES (64U << 10)

#define MADT_LOCAL_APIC 36
#define MADT_ENTRIES 44
#define MADT_TYPE_LOCAL_APIC 0
#define LOCAL_APIC_BYTES 8
#define LOCAL_APIC_USABLE 1U

static uint32_t le32(const uint8_t *bytes)
{
	return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
	       (uint32_t)bytes[3] << 24;
}

static bool starts_with(const uint8_t *bytes, const char *signature)
{
	while (*signature)
		if (*bytes++ != (uint8_t)*signature++)
			return false;
	return true;
}

/* All bytes of a table add up to 0. */
static bool adds_up(acpi_read_t *read, uint32_t phys, uint32_t len)
{
	uint8_t chunk[64], sum = 0;

	while (len) {
		uint32_t nr = len < sizeof(chunk) ? len : sizeof(chunk);

		if (!read(phys, chunk, nr))
			return false;
		for (uint32_t i = 0; i < nr; i++)
			sum = (uint8_t)(sum + chunk[i]);
		phys += nr;
		len -= nr;
	}
	return sum == 0;
}

/* The address of the RSDT; 0: there is none. */
static uint32_t find_rsdt(acpi_read_t *read)
{
	uint8_t rsdp[RSDP_BYTES];

	for (uint32_t phys = BIOS_START; phys < BIOS_END; phys += RSDP_STEP)
		if (read(phys, rsdp, sizeof(rsdp)) &&
		    starts_with(rsdp, "RSD PTR ") &&
		    adds_up(read, phys, sizeof(rsdp)))
			return le32(rsdp + RSDP_RSDT);
	return 0;
}

/* The length of the table @signature at @phys; 0: it is not one. */
static uint32_t table_length(acpi_read_t *read, uint32_t phys,
			     const char *signature)
{
	uint8_t header[HEADER_BYTES];
	uint32_t len;

	if (!read(phys, header, sizeof(header)) ||
	    !starts_with(header, signature))
		return 0;
	len = le32(header + HEADER_LENGTH);
	if (len < HEADER_BYTES || len > MAX_TABLE_BYTES || phys + len < phys ||
	    !adds_up(read, phys, len))
		return 0;
	return len;
}

static void note_cpu(struct acpi_cpus *cpus, const uint8_t *entry)
{
	if (!(le32(entry + 4) & LOCAL_APIC_USABLE))
		return;
	if (cpus->nr < ACPI_MAX_CPUS)
		cpus->apic_id[cpus->nr] = entry[3];
	cpus->nr++;
}

static const char *read_madt(struct acpi_cpus *cpus, acpi_read_t *read,
			     uint32_t phys, uint32_t len)
{
	uint8_t entry[LOCAL_APIC_BYTES];
	uint32_t at = MADT_ENTRIES;

	if (len < MADT_ENTRIES || !read(phys + MADT_LOCAL_APIC, entry, 4))
		return "the ACPI MADT is cut short";
	cpus->local_apic = le32(entry);
	while (at + 2 <= len) {
		uint32_t left = len - at;

		if (!read(phys + at, entry, 2) || entry[1] < 2 ||
		    entry[1] > left)
			return "an entry of the ACPI MADT has no true length";
		if (entry[0] == MADT_TYPE_LOCAL_APIC) {
			if (entry[1] < LOCAL_APIC_BYTES ||
			    !read(phys + at, entry, sizeof(entry)))
				return "a CPU in the ACPI MADT is cut short";
			note_cpu(cpus, entry);
		}
		at += entry[1];
	}
	return cpus->nr ? NULL : "the ACPI MADT has no usable CPU";
}

const char *acpi_find_cpus(struct acpi_cpus *cpus, acpi_read_t *read)
{
	uint32_t rsdt = find_rsdt(read), rsdt_len, len;
	uint8_t pointer[4];

	*cpus = (struct acpi_cpus){ 0 };
	if (!rsdt)
		return "there are no ACPI tables";
	rsdt_len = table_length(read, rsdt, "RSDT");
	if (!rsdt_len)
		return "the ACPI RSDT is broken";
	for (uint32_t at = HEADER_BYTES; at + 4 <= rsdt_len; at += 4) {
		if (!read(rsdt + at, pointer, sizeof(pointer)))
			break;
		len = table_length(read, le32(pointer), "APIC");
		if (len)
			return read_madt(cpus, read, le32(pointer), len);
	}
	return "ACPI has no table on interrupt controllers (MADT)";
}
