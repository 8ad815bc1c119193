/* SPDX-License-Identifier: MIT */

/* From boot.S to kernel_main(): who booted us, and what memory is there. */

#include "core/ports/i686/console.h"
#include "core/ports/i686/cpu.h"
#include "core/ports/i686/internal.h"
#include "core/ports/i686/memmap.h"
#include "core/ports/i686/smp.h"
#include "core/testing/machine.h"

#define MULTIBOOT_LOADER_MAGIC 0x2badb002
#define MULTIBOOT_HAS_CMDLINE (1U << 2)
#define MULTIBOOT_HAS_MODULES (1U << 3)
#define MULTIBOOT_HAS_MMAP (1U << 6)

struct multiboot_info {
	uint32_t flags;
	uint32_t mem_lower, mem_upper;
	uint32_t boot_device;
	uint32_t cmdline;
	uint32_t mods_count, mods_addr;
	uint32_t syms[4];
	uint32_t mmap_length, mmap_addr;
};

#define FIRST_FRAME ((pfn_t)0x100) /* of the RAM above 1 MiB */
#define MAX_HIGHMEM_FRAMES (1U << 18)

static struct memmap memmap;
static const char *command_line = "";
static uint32_t highmem_frames;

void i686_start(uint32_t magic, uint32_t info_phys);

uint32_t i686_highmem_frames(void)
{
	return highmem_frames;
}

static bool within_provisional(uint32_t phys, uint32_t len)
{
	return phys < PROVISIONAL_BYTES && len <= PROVISIONAL_BYTES - phys;
}

static const void *provisional(uint32_t phys)
{
	return (const void *)(I686_PAGE_OFFSET + phys);
}

/* It stays where the loader put it: nobody else uses that memory. */
static const char *check_command_line(uint32_t phys)
{
	const char *text = provisional(phys);

	for (uint32_t i = 0; within_provisional(phys + i, 1); i++) {
		if (text[i])
			continue;
		command_line = text;
		return NULL;
	}
	return "the command line does not end below 8 MiB";
}

static const char *check_memory(void)
{
	uint32_t low = I686_HIGHMEM_PFN - FIRST_FRAME;

	if (memmap_frames_from(&memmap, FIRST_FRAME, low) < low)
		return "less than 896 MiB of RAM in one piece: no highmem";
	highmem_frames = memmap_frames_from(&memmap, I686_HIGHMEM_PFN,
					    MAX_HIGHMEM_FRAMES);
	if (highmem_frames < MACHINE_MAX_PAGES)
		return "less than 16 MiB of RAM above 896 MiB";
	return NULL;
}

static const char *read_info(uint32_t magic, uint32_t phys)
{
	const struct multiboot_info *info = provisional(phys);
	const char *why = NULL;

	if (magic != MULTIBOOT_LOADER_MAGIC)
		return "not booted by a multiboot loader";
	if (!within_provisional(phys, sizeof(*info)))
		return "the multiboot information lies above 8 MiB";
	if (info->flags & MULTIBOOT_HAS_CMDLINE)
		why = check_command_line(info->cmdline);
	if (!why && (info->flags & MULTIBOOT_HAS_MODULES))
		why = modules_init(info->mods_addr, info->mods_count);
	if (why)
		return why;
	if (!(info->flags & MULTIBOOT_HAS_MMAP))
		return "the loader gave no memory map";
	if (!within_provisional(info->mmap_addr, info->mmap_length))
		return "the memory map lies above 8 MiB";
	why = memmap_parse(&memmap, provisional(info->mmap_addr),
			   info->mmap_length);
	return why ? why : check_memory();
}

void i686_start(uint32_t magic, uint32_t info_phys)
{
	const char *why;

	console_init();
	trap_init(0);
	sched_init();
	why = read_info(magic, info_phys);
	if (why) {
		console_printf("Bail out! %s\n", why);
		i686_exit(I686_EXIT_UNFIT);
	}
	paging_init();
	smp_find();
	timer_init();
	irq_on();
	smp_start();
	kernel_main(command_line);
}
