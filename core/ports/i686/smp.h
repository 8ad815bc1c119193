/* SPDX-License-Identifier: MIT */
#ifndef CORE_PORTS_I686_SMP_H
#define CORE_PORTS_I686_SMP_H

/* Other CPUs: bring them up, have them do something, stop them. */

#include "core/ports/i686/internal.h"

/*
 * Boot CPU, when @bootmem has its RAM, and before all others take some: a page
 * for the code that other CPUs start with. Without one they do not.
 */
void smp_take_trampoline(struct bootmem *bootmem);

/*
 * Boot CPU, after paging_init(): find the local APIC and the other CPUs.
 * Without them, a line on the console says why there is only one.
 */
void smp_find(void);

/* Boot CPU, interrupts on: start the others. Each ends in sched_idle(). */
void smp_start(void);

/* CPUs that run; their ids are 0 to one less. */
unsigned int smp_nr_cpus(void);

/* Wake @cpu from hlt. Interrupts are off. */
void smp_kick(unsigned int cpu);

/*
 * Call @function with interrupts off on each CPU of @cpus, at the same time,
 * and return when all have. This CPU may be among them. Interrupts are on, or
 * nobody may wait for this CPU in this way; not from inside of @function.
 */
void smp_call(uint32_t cpus, void (*function)(void *arg), void *arg);

/* The interrupt of smp_call(), and for who waits without interrupts. */
void smp_serve(void);

/*
 * This CPU is about to end the run: the others stop where they are, also with
 * interrupts off. Returns when they have, or did not within a second.
 */
void smp_stop_others(void);

/* The other side of it: note @frame and stop, or return if nobody asked. */
void smp_stop_here(const struct trap_frame *frame);

/* Where @cpu was stopped; NULL: it was not. */
const struct trap_frame *smp_stopped_at(unsigned int cpu);

#endif
