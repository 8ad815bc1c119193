/* SPDX-License-Identifier: MIT */
#ifndef STRESS_KERNEL_CASES_H
#define STRESS_KERNEL_CASES_H

/* The kernel's own cases, of the same kind as the conformance suite's. */

#include "core/port/conformance/conformance.h"

/* Run one and print its result. */
void run_case(const struct conformance_case *test);

/* Print a result: NULL, "skip: " and why, or what is wrong. */
void report_case(const char *name, const char *why);

/* Print how many there were of each, and end the run. */
_Noreturn void finish_cases(void);

/* The kernel's own page tables. */
extern const struct conformance_case memory_cases[];
extern const unsigned int memory_nr_cases;

/* Random op programs under the oracle. */
extern const struct conformance_case program_cases[];
extern const unsigned int program_nr_cases;

/* Interrupts and context switches after every instruction of the core. */
extern const struct conformance_case step_cases[];
extern const unsigned int step_nr_cases;

/* Hand-overs of slots, with one interrupt or switch at each place in turn. */
extern const struct conformance_case handover_cases[];
extern const unsigned int handover_nr_cases;

/* Several CPUs, one task at a time: what each of them sees. */
extern const struct conformance_case smp_cases[];
extern const unsigned int smp_nr_cases;

/* Several CPUs at the same time. */
extern const struct conformance_case parallel_cases[];
extern const unsigned int parallel_nr_cases;

/* The clock's interrupts and preemption, as fast as the PC allows. */
extern const struct conformance_case storm_cases[];
extern const unsigned int storm_nr_cases;

#endif
