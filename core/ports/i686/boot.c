/* SPDX-License-Identifier: MIT */

/* From boot.S to kernel_main(): who booted us, and what memory is there. */

#include <highmem/format.h>

#include "core/port/machine.h"
#include "core/ports/i686/console.h"
#include "core/ports/i686/cpu.h"
#include "core/ports/i686/internal.h"
#include "core/ports/i686/loader_map.h"
#include "core/ports/i686/memory.h"
#include "core/ports/i686/smp.h"
#include "core/ports/i686/words.h"

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

/*
 * Below it are the firmware's variables, where it may look again. What the
 * loader says of memory may be there, too, or above: that is read before the
 * first frame is taken.
 */
#define FIRST_FREE 0x10000

/* This port's words; words.h says how to read them. */
static const char *const port_words[] = {
	"pae",	 "nopae",    "highmem=",     "lowmem=",	     "vmalloc=",
	"+mem=", "+memmap=", "page_offset=", "mmap_length=", NULL,
};

static struct memmap loader_map;
static struct bootmem bootmem;

/* link.ld */
extern char i686_image_start[], i686_image_end[];

void i686_start(uint32_t magic, uint32_t info_phys);

static bool within_provisional(uint32_t phys, uint32_t len)
{
	return phys < PROVISIONAL_BYTES && len <= PROVISIONAL_BYTES - phys;
}

static const void *provisional(uint32_t phys)
{
	return (const void *)(I686_PAGE_OFFSET + phys);
}

static const char *reserve(uint32_t phys, uint32_t len)
{
	return bootmem_reserve(&bootmem, phys, (uint64_t)phys + len);
}

/* It stays where the loader put it. */
static const char *check_command_line(uint32_t phys)
{
	const char *text = provisional(phys);

	for (uint32_t i = 0; within_provisional(phys + i, 1); i++) {
		if (text[i])
			continue;
		words_init(text);
		return reserve(phys, i + 1);
	}
	return "the command line does not end below 8 MiB";
}

static const char *reserve_modules(void)
{
	const struct i686_module *module;
	const char *why = NULL;

	for (unsigned int i = 0; (module = i686_get_module(i)) && !why; i++)
		why = reserve((vaddr_t)module->data - I686_PAGE_OFFSET,
			      module->size);
	return why;
}

/* mmap_length=N: a boot with a map that is cut, or longer than it is. */
static const char *read_map(const struct multiboot_info *info)
{
	uint32_t len = word_number("mmap_length", info->mmap_length);

	if (!within_provisional(info->mmap_addr, len))
		return "the memory map lies above 8 MiB";
	return loader_map_parse(&loader_map, provisional(info->mmap_addr), len);
}

static const char *read_info(uint32_t magic, uint32_t phys)
{
	const struct multiboot_info *info = provisional(phys);
	const char *why = NULL;

	if (magic != MULTIBOOT_LOADER_MAGIC)
		return "not booted by a multiboot loader";
	if (!within_provisional(phys, sizeof(*info)))
		return "the multiboot information lies above 8 MiB";
	why = reserve(phys, sizeof(*info));
	if (!why && (info->flags & MULTIBOOT_HAS_CMDLINE))
		why = check_command_line(info->cmdline);
	if (!why && (info->flags & MULTIBOOT_HAS_MODULES))
		why = modules_init(info->mods_addr, info->mods_count);
	if (!why)
		why = reserve_modules();
	if (why)
		return why;
	if (!(info->flags & MULTIBOOT_HAS_MMAP))
		return "the loader gave no memory map";
	return read_map(info);
}

/* It was loaded where it is linked for, whatever the map says of that. */
static const char *check_image(uint32_t start, uint32_t end)
{
	static char why[96];

	if (memmap_frames(&bootmem.ram, start >> PAGE_SHIFT,
			  end >> PAGE_SHIFT) == (end - start) >> PAGE_SHIFT)
		return NULL;
	hm_format(why, sizeof(why),
		  "the kernel is at %x to %x, and not all of that is RAM",
		  start, end);
	return why;
}

/* What is in memory, and what the words are: nothing is taken so far. */
static const char *look_around(uint32_t magic, uint32_t info_phys,
			       uint32_t image, uint32_t image_end)
{
	static char unknown[384];
	const char *why;

	bootmem_init(&bootmem, PROVISIONAL_BYTES);
	why = reserve(0, FIRST_FREE);
	if (!why)
		why = reserve(image, image_end - image);
	if (!why)
		why = read_info(magic, info_phys);
	if (!why)
		why = words_check(port_words, kernel_words, unknown,
				  sizeof(unknown));
	return why;
}

/* From the loader's words to the final page tables. */
static const char *find_memory(uint32_t magic, uint32_t info_phys)
{
	uint32_t image = (uint32_t)i686_image_start - I686_PAGE_OFFSET;
	uint32_t image_end = (uint32_t)i686_image_end - I686_PAGE_OFFSET;
	const char *why = look_around(magic, info_phys, image, image_end);

	if (!why)
		why = memory_init(&loader_map, words_text(), &bootmem);
	if (!why)
		why = check_image(image, image_end);
	if (why)
		return why;
	smp_take_trampoline(&bootmem);
	why = paging_init(memory_layout(), &bootmem);
	return why ? why : machine_init(&bootmem);
}

void i686_start(uint32_t magic, uint32_t info_phys)
{
	const char *why;

	console_init();
	trap_init(0);
	sched_init();
	why = find_memory(magic, info_phys);
	if (why)
		i686_refuse("%s", why);
	smp_find();
	timer_init();
	irq_on();
	smp_start();
	kernel_main();
}
