/* SPDX-License-Identifier: MIT */
#ifndef STRESS_KERNEL_STATE_H
#define STRESS_KERNEL_STATE_H

/* From now on i686_print_state() tells of slots, queues and waiters, too. */
void state_init(void);

#endif
