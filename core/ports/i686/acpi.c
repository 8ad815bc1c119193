/* SPDX-License-Identifier: MIT */

#include "core/ports/i686/acpi.h"

/* ACPI 6.4, chapter 5.2. Nothing in a table is aligned, so bytes it is. */

#define BIOS_START 0xe0000U
#define BIOS_END 0x100000U

/* A word of the BIOS's: the segment of its extended data. */
#define EBDA_SEGMENT 0x40eU
#define EBDA_LEAST 0x500U
#define EBDA_END 0xa0000U
#define EBDA_BYTES 1024U

#define RSDP_STEP 16
#define RSDP_BYTES 20
#define RSDP_REVISION 15 /* offsets */
#define RSDP_RSDT 16
#define RSDP_LENGTH 20
#define RSDP_XSDT 24
#define RSDP_BYTES_2 36 /* from revision 2 on, at the least */

#define HEADER_BYTES 36
#define HEADER_LENGTH 4
#define MAX_TABLE_BYTES (64U << 10)

#define MADT_LOCAL_APIC 36
#define MADT_ENTRIES 44
#define MADT_ENTRY_BYTES 16 /* the longest of those below */

enum madt_type {
	MADT_TYPE_CPU = 0,
	MADT_TYPE_ADDRESS = 5, /* the local APICs', in 64 bits */
	MADT_TYPE_CPU_X2APIC = 9,
};

#define CPU_USABLE 1U

static uint32_t le32(const uint8_t *bytes)
{
	return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
	       (uint32_t)bytes[3] << 24;
}

static uint64_t le64(const uint8_t *bytes)
{
	return le32(bytes) | (uint64_t)le32(bytes + 4) << 32;
}

static bool starts_with(const uint8_t *bytes, const char *signature)
{
	while (*signature)
		if (*bytes++ != (uint8_t)*signature++)
			return false;
	return true;
}

/* All bytes of a table add up to 0. */
static bool adds_up(acpi_read_t *read, uint64_t phys, uint32_t len)
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

/* ---- The pointer --------------------------------------------------------------- */

/* Where the tables of tables are; 0: there is no such table. */
struct roots {
	uint64_t xsdt;
	uint32_t rsdt;
};

/* A pointer whose newer part does not add up is one of the older kind. */
static void read_rsdp(struct roots *roots, acpi_read_t *read, uint32_t phys,
		      const uint8_t *rsdp)
{
	uint8_t newer[RSDP_BYTES_2];
	uint32_t len;

	*roots = (struct roots){ .rsdt = le32(rsdp + RSDP_RSDT) };
	if (rsdp[RSDP_REVISION] < 2 || !read(phys, newer, sizeof(newer)))
		return;
	len = le32(newer + RSDP_LENGTH);
	if (len >= RSDP_BYTES_2 && len <= MAX_TABLE_BYTES &&
	    adds_up(read, phys, len))
		roots->xsdt = le64(newer + RSDP_XSDT);
}

static bool find_rsdp(struct roots *roots, acpi_read_t *read, uint32_t start,
		      uint32_t end)
{
	uint8_t rsdp[RSDP_BYTES];

	for (uint32_t phys = start; phys + RSDP_BYTES <= end; phys += RSDP_STEP)
		if (read(phys, rsdp, sizeof(rsdp)) &&
		    starts_with(rsdp, "RSD PTR ") &&
		    adds_up(read, phys, sizeof(rsdp))) {
			read_rsdp(roots, read, phys, rsdp);
			return true;
		}
	return false;
}

/* In the first KiB of the EBDA, or in the BIOS area. */
static bool find_roots(struct roots *roots, acpi_read_t *read)
{
	uint8_t segment[2];
	uint32_t ebda = 0, end;

	if (read(EBDA_SEGMENT, segment, sizeof(segment)))
		ebda = (segment[0] | (uint32_t)segment[1] << 8) << 4;
	end = ebda + EBDA_BYTES < EBDA_END ? ebda + EBDA_BYTES : EBDA_END;
	if (ebda >= EBDA_LEAST && find_rsdp(roots, read, ebda, end))
		return true;
	return find_rsdp(roots, read, BIOS_START, BIOS_END);
}

/* ---- Tables -------------------------------------------------------------------- */

/* The length of the table @signature at @phys; 0: it is not one. */
static uint32_t table_length(acpi_read_t *read, uint64_t phys,
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

struct table {
	uint64_t phys;
	uint32_t len; /* 0: there is none */
};

/* The MADT that a table of tables names, which has pointers of @bytes each. */
static struct table find_madt(acpi_read_t *read, const struct table *root,
			      uint32_t bytes)
{
	struct table madt = { 0 };

	for (uint32_t at = HEADER_BYTES; at + bytes <= root->len; at += bytes) {
		uint8_t pointer[8] = { 0 };

		if (!read(root->phys + at, pointer, bytes))
			break;
		madt.phys = le64(pointer);
		madt.len = table_length(read, madt.phys, "APIC");
		if (madt.len)
			break;
	}
	return madt;
}

/* ---- CPUs ------------------------------------------------------------------------ */

static void note_cpu(struct acpi_cpus *cpus, uint32_t id, uint32_t flags)
{
	if (!(flags & CPU_USABLE))
		return;
	if (id >= ACPI_APIC_IDS) {
		cpus->nr_far++;
		return;
	}
	if (cpus->seen[id / 32] >> id % 32 & 1) {
		cpus->nr_twice++;
		return;
	}
	cpus->seen[id / 32] |= (uint32_t)1 << id % 32;
	if (cpus->nr < ACPI_MAX_CPUS)
		cpus->apic_id[cpus->nr] = (uint8_t)id;
	cpus->nr++;
}

/* How long an entry of that type has to be, to be read; 0: it is not read. */
static uint32_t least_bytes(uint8_t type)
{
	switch (type) {
	case MADT_TYPE_CPU:
		return 8;
	case MADT_TYPE_ADDRESS:
		return 12;
	case MADT_TYPE_CPU_X2APIC:
		return 16;
	default:
		return 0;
	}
}

static const char *read_entry(struct acpi_cpus *cpus, const uint8_t *entry)
{
	switch (entry[0]) {
	case MADT_TYPE_CPU:
		if (entry[3] != 255) /* all CPUs, so it is none */
			note_cpu(cpus, entry[3], le32(entry + 4));
		break;
	case MADT_TYPE_ADDRESS:
		if (le64(entry + 4) > UINT32_MAX)
			return "the local APICs are above 4 GiB";
		cpus->local_apic = le32(entry + 4);
		break;
	default:
		note_cpu(cpus, le32(entry + 4), le32(entry + 8));
		break;
	}
	return NULL;
}

static const char *read_madt(struct acpi_cpus *cpus, acpi_read_t *read,
			     const struct table *madt)
{
	uint8_t entry[MADT_ENTRY_BYTES];
	uint32_t at = MADT_ENTRIES, least;
	const char *why = NULL;

	if (madt->len < MADT_ENTRIES ||
	    !read(madt->phys + MADT_LOCAL_APIC, entry, 4))
		return "the ACPI MADT is cut short";
	cpus->local_apic = le32(entry);
	for (; at + 2 <= madt->len && !why; at += entry[1]) {
		if (!read(madt->phys + at, entry, 2) || entry[1] < 2 ||
		    entry[1] > madt->len - at)
			return "an entry of the ACPI MADT has an invalid length";
		least = least_bytes(entry[0]);
		if (!least)
			continue;
		if (entry[1] < least || !read(madt->phys + at, entry, least))
			return "a CPU in the ACPI MADT is cut short";
		why = read_entry(cpus, entry);
	}
	if (why)
		return why;
	return cpus->nr ? NULL : "the ACPI MADT has no usable CPU";
}

/* ---- All of it --------------------------------------------------------------------- */

const char *acpi_find_cpus(struct acpi_cpus *cpus, acpi_read_t *read)
{
	static const char no_madt[] =
		"ACPI has no table on interrupt controllers (MADT)";
	struct roots roots;
	struct table xsdt, rsdt, madt;

	*cpus = (struct acpi_cpus){ 0 };
	if (!find_roots(&roots, read))
		return "there are no ACPI tables";
	xsdt = (struct table){ .phys = roots.xsdt };
	if (xsdt.phys)
		xsdt.len = table_length(read, xsdt.phys, "XSDT");
	madt = find_madt(read, &xsdt, 8);
	if (madt.len)
		return read_madt(cpus, read, &madt);
	rsdt = (struct table){ .phys = roots.rsdt };
	if (rsdt.phys)
		rsdt.len = table_length(read, rsdt.phys, "RSDT");
	madt = find_madt(read, &rsdt, 4);
	if (madt.len)
		return read_madt(cpus, read, &madt);
	if (xsdt.len || rsdt.len)
		return no_madt;
	return xsdt.phys ? "the ACPI XSDT and RSDT are broken"
			 : "the ACPI RSDT is broken";
}
