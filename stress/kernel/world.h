/* SPDX-License-Identifier: MIT */
#ifndef STRESS_KERNEL_WORLD_H
#define STRESS_KERNEL_WORLD_H

/*
 * A machine whose pages know who they are, for one case: the first word of
 * highmem page n holds a tag made from n, which nobody overwrites.
 */

#include "core/port/machine.h"

#define WORLD_PAGES 16

/* The page that belongs to interrupts, and the one they pin. */
#define WORLD_IRQ_PAGE (WORLD_PAGES - 1)
#define WORLD_SHARED_PAGE 0

/* With one CPU, or more. */
void world_boot(unsigned int nr_slots);
void world_boot_on(unsigned int nr_cpus, unsigned int nr_slots);

/*
 * Run the tasks, look at all there is to look at, shut down. NULL, or the
 * first thing that went wrong, valid until the next world_boot().
 */
const char *world_run(void);

struct highmem *world_hm(void);
struct page *world_page(unsigned int nr);

/* Any context: the first failure of the case is kept. hm_format() text. */
void world_fail(const char *format, ...);

/* Is page @nr what is seen at @vaddr? */
void world_check_tag(const void *vaddr, unsigned int nr);

/*
 * An interrupt handler: maps a page of its own beside whatever the
 * interrupted code holds, pins the shared page if it is mapped, and leaves
 * everything as it was.
 */
void world_intrude(void *unused);

#endif
