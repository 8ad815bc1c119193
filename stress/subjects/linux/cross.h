/* SPDX-License-Identifier: MIT */
#ifndef STRESS_SUBJECTS_LINUX_CROSS_H
#define STRESS_SUBJECTS_LINUX_CROSS_H

/*
 * What crosses between Linux's file (unit.c) and the harness (services.c,
 * subject.c). Plain types only: struct page and others mean different things on
 * the two sides.
 */

#include <stdbool.h>
#include <stdint.h>

/* Task 0 is nobody's: it boots. The others as the machine numbers them. */
#define LINUX_MAX_TASKS 9
#define LINUX_MAX_SLOTS 64
#define LINUX_MAX_COLOURS 8
#define LINUX_MAX_PAGES 4098

/* ---- services.c: what the file takes from its kernel ------------------------------- */

/* The kernel dies: the run ends here, and this does not return. */
void linux_bug(const char *function, int line, const char *what);
void linux_warn(const char *function, int line, const char *what);

bool linux_force_map(void);
unsigned long linux_page_offset(void);
unsigned int linux_nr_slots(void);
unsigned int linux_nr_colours(void);

/* Any number gives a pointer, as in a kernel. */
unsigned long linux_page_to_pfn(const void *page);
void *linux_pfn_to_page(unsigned long pfn);
unsigned int linux_page_index(const void *page);
bool linux_page_is_highmem(const void *page);

/* @entry is where the PTE of @vaddr is. */
void *linux_pte(unsigned long vaddr);
void linux_set_pte(unsigned long vaddr, void *entry, uint64_t pte);
void linux_clear_pte(unsigned long vaddr, void *entry);
void linux_flush_range(unsigned long start, unsigned long end);
void linux_flush_here(unsigned long vaddr);

void linux_lock(void *lock);
void linux_unlock(void *lock);
unsigned long linux_irq_save(void);
void linux_irq_restore(unsigned long off);
int linux_cpu(void);
void linux_preempt(bool on);
void linux_migrate(bool on);

unsigned int linux_current(void);
/* Sleep, if @state is not 0, until linux_wake() of it. */
void linux_schedule(unsigned int *state);
/* @task's state is @state. */
void linux_wake(unsigned int task, unsigned int *state);

/* ---- unit.c: the file, for the harness --------------------------------------------- */

void unit_init(void);
void *unit_page_address(const void *page);
void *unit_kmap_high(void *page);
void unit_kunmap_high(void *page);
void *unit_kmap_high_get(void *page);
void unit_flush_unused(void);
void *unit_kmap_to_page(const void *vaddr);
void *unit_kmap_local(void *page);
void unit_kunmap_local(const void *vaddr);
void unit_sched_out(void);
void unit_sched_in(void);

/* Looks. They take no locks: a run may have been stopped anywhere. */
const int *unit_counts(void);
bool unit_locked(void);
int unit_idx(unsigned int task);
void *unit_peek_address(const void *page);
/* The tasks in the queue of @colour, the first to wake first; how many. */
unsigned int unit_waiters(unsigned int colour, unsigned int *tasks,
			  unsigned int most);

#endif
