/* SPDX-License-Identifier: MIT */
#ifndef STRESS_KERNEL_REPLAY_H
#define STRESS_KERNEL_REPLAY_H

/*
 * The plan, and a case for each program in the boot modules (pack.h), with
 * its outcome (outcome.h). A bad module ends the run before the first of them.
 */
void replay_modules(void);

#endif
