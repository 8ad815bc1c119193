/* SPDX-License-Identifier: MIT */
#ifndef CORE_PORTS_I686_CPUID_H
#define CORE_PORTS_I686_CPUID_H

/* What this processor can do: Intel SDM, volume 2A, CPUID. */

#include <stdbool.h>
#include <stdint.h>

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(uint32_t leaf)
{
	struct cpuid out;

	__asm__ volatile("cpuid"
			 : "=a"(out.eax), "=b"(out.ebx), "=c"(out.ecx),
			   "=d"(out.edx)
			 : "a"(leaf), "c"(0));
	return out;
}

static inline bool cpuid_has_leaf(uint32_t leaf)
{
	return cpuid(leaf & 0x80000000).eax >= leaf;
}

static inline bool cpu_has_pae(void)
{
	return (cpuid(1).edx & (1U << 6)) != 0;
}

static inline bool cpu_has_nx(void)
{
	return cpuid_has_leaf(0x80000001) &&
	       (cpuid(0x80000001).edx & (1U << 20)) != 0;
}

/*
 * Bits of a physical address. The SDM says 36 where a processor with PAE has no
 * leaf for it, but QEMU's default one has PAE and 32: there, PSE-36 tells. A
 * Pentium Pro loses what it has above 4 GiB this way.
 */
static inline unsigned int cpu_physical_bits(void)
{
	if (cpuid_has_leaf(0x80000008))
		return cpuid(0x80000008).eax & 0xff;
	return cpuid(1).edx & (1U << 17) ? 36 : 32;
}

#endif
