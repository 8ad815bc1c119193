/* SPDX-License-Identifier: MIT */
#ifndef CORE_VERSION_H
#define CORE_VERSION_H

/* What --version of every command says, in C and Python: all read it here. */

#define HIGHMEM_VERSION "0.1.0"

/*
 * What the steps of choices in op programs mean. Raise it when old choices would
 * play another run on the same core: when the sim counts another thing as a
 * step, a point asks in another order, or a choice says something else. A new
 * kind of choice or a new question changes nothing for those who do not use it. A
 * change of the core moves steps, too, but in that run only: seeds_test watches
 * those. Then replace "choices v2:" everywhere (git grep), and reseed the seeds
 * of the schedule fuzzer (stress/mutate/README.md).
 */
#define PROGRAM_CHOICES_VERSION 2 /* 1 to 15 */

#endif
