/* SPDX-License-Identifier: MIT */
#ifndef CORE_PORTS_I686_STATE_H
#define CORE_PORTS_I686_STATE_H

/* The parts of i686_print_state(), for the report of a run that dies. */

void state_print_cpu(unsigned int nr);

/* Tasks, and what i686_set_state_printer() adds. */
void state_print_tasks(void);

#endif
