/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE

#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/ports/host/host.h"

_Thread_local struct host_self host_self = { .task = &host_tasks[0].task };

struct port_facts host_facts = {
	.name = "host", /* the rest by machine_boot() */
};

host_pte_t host_pte[HOST_TABLE_PAGES];
pte_t host_pte_reserved;
struct host_tlb host_tlb[HIGHMEM_MAX_CPUS];
uint32_t host_page_stamp[HOST_TABLE_PAGES];
uint32_t host_all_stamp;

/* ---- Time ---------------------------------------------------------------- */

uint64_t port_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return ((uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec) >>
	       HOST_TICK_SHIFT;
}

/* ---- Delays, locks ------------------------------------------------------- */

static void pause_cpu(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#endif
}

#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)

/*
 * Half of the time the core goes to another thread; else we are just late,
 * mostly a little, seldom by as much as a task switch.
 */
void host_delay(void)
{
	static _Thread_local uint32_t draw;
	uint32_t spins;

	if (draw == 0)
		draw = (uint32_t)port_now() | 1;
	draw ^= draw << 13;
	draw ^= draw >> 17;
	draw ^= draw << 5;
	host_self.until_delay = draw >> 8 & 63;
	if (draw & 1) {
		sched_yield();
		return;
	}
	for (spins = draw >> 20 >> (draw >> 4 & 7); spins > 0; spins--)
		pause_cpu();
}

#endif

/* There are more threads than cores: the holder may not be running. */
#define SPINS_BEFORE_YIELD 128

void host_spin_contended(port_spinlock_t *lock)
{
	do {
		for (unsigned int i = 0; port_spin_is_locked(lock); i++) {
			pause_cpu();
			if (i % SPINS_BEFORE_YIELD == SPINS_BEFORE_YIELD - 1)
				sched_yield();
		}
	} while (__atomic_exchange_n(&lock->locked, 1, __ATOMIC_ACQUIRE));
}

/* ---- Page tables and TLBs ------------------------------------------------ */

host_pte_t *host_pte_stray(vaddr_t vaddr)
{
	static _Thread_local host_pte_t nowhere;

	host_bug("host: no page table for address %#zx", (size_t)vaddr);
	nowhere = 0;
	return &nowhere;
}

void host_pte_refuse(vaddr_t vaddr, pte_t old, pte_t pte)
{
	if (old != 0)
		host_bug("host: PTE of %#zx set to %#llx over %#llx",
			 (size_t)vaddr, (unsigned long long)pte,
			 (unsigned long long)old);
	if (pte & host_pte_reserved)
		host_bug("host: PTE of %#zx has bits this machine lacks: %#llx",
			 (size_t)vaddr, (unsigned long long)pte);
}

void host_mmu_reset(void)
{
	memset(host_pte, 0, sizeof(host_pte));
	host_all_stamp++; /* all entries of all TLBs are dead */
	for (unsigned int cpu = 0; cpu < HIGHMEM_MAX_CPUS; cpu++) {
		port_stat_set(&host_tlb[cpu].local_pages, 0);
		port_stat_set(&host_tlb[cpu].shootdowns, 0);
		port_stat_set(&host_tlb[cpu].shootdown_pages, 0);
		port_stat_set(&host_tlb[cpu].full, 0);
	}
}

/*
 * The PTEs were cleared before. A CPU that fills an entry reads the stamp,
 * then the PTE: with the new stamp it finds the new PTE.
 *
 * An access that is under way on another CPU ends when it ends; hardware
 * would make us wait for that one instruction. It is a stray access in either
 * case: no one holds a map of these pages.
 */
static void shootdown_begins(void)
{
	if (host_self.irqs_off || host_self.in_interrupt)
		host_bug("host: shootdown with interrupts off: "
			 "two CPUs that do this wait for each other for ever");
	port_stat_inc(&host_tlb[host_self.cpu].shootdowns);
	port_fence();
}

void port_tlb_shootdown_pages(const vaddr_t *pages, unsigned int nr)
{
	port_stat_t *named = &host_tlb[host_self.cpu].shootdown_pages;

	shootdown_begins();
	port_stat_set(named, port_stat_read(named) + nr);
	for (unsigned int i = 0; i < nr; i++) {
		vaddr_t page = (pages[i] - HOST_TABLE_BASE) >> PAGE_SHIFT;

		if (page >= HOST_TABLE_PAGES) {
			host_pte_stray(pages[i]);
			continue;
		}
		__atomic_fetch_add(&host_page_stamp[page], 1, __ATOMIC_RELAXED);
	}
	port_fence();
}

void port_tlb_shootdown_all(void)
{
	shootdown_begins();
	port_stat_inc(&host_tlb[host_self.cpu].full);
	__atomic_fetch_add(&host_all_stamp, 1, __ATOMIC_RELAXED);
	port_fence();
}

/* ---- Reports ------------------------------------------------------------- */

void host_bugs_reset(struct host_bugs *bugs)
{
	bugs->first = 0;
	bugs->nr = 0;
	bugs->nr_lost = 0;
}

void port_bug(const char *sentence)
{
	static uint32_t tickets;
	struct host_bugs *bugs = &host_task_self()->bugs;
	unsigned int at = (bugs->first + bugs->nr) % HOST_MAX_BUGS;

	if (bugs->nr == HOST_MAX_BUGS) {
		bugs->nr_lost++;
		return;
	}
	bugs->ticket[at] = __atomic_fetch_add(&tickets, 1, __ATOMIC_RELAXED);
	snprintf(bugs->text[at], HOST_BUG_BYTES, "%s", sentence);
	bugs->nr++;
}

void host_bug(const char *format, ...)
{
	char sentence[HOST_BUG_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	port_bug(sentence);
}

/* Whoever ends us with a signal says what was being run. */
void port_panic(const char *sentence)
{
	fprintf(stderr, "%s\n", sentence);
	abort();
}

void host_unbalanced(const char *what)
{
	host_bug("host: %s enabled more often than disabled", what);
}

bool host_bugs_oldest(const struct host_bugs *bugs, uint32_t *ticket)
{
	if (bugs->nr > 0)
		*ticket = bugs->ticket[bugs->first];
	else
		*ticket = UINT32_MAX;
	return bugs->nr > 0 || bugs->nr_lost > 0;
}

const char *host_bugs_take(struct host_bugs *bugs)
{
	if (bugs->nr == 0) {
		snprintf(bugs->taken, sizeof(bugs->taken),
			 "host: %u more sentences did not fit", bugs->nr_lost);
		bugs->nr_lost = 0;
		return bugs->taken;
	}
	memcpy(bugs->taken, bugs->text[bugs->first], sizeof(bugs->taken));
	bugs->first = (bugs->first + 1) % HOST_MAX_BUGS;
	bugs->nr--;
	return bugs->taken;
}
