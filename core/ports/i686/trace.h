/* SPDX-License-Identifier: MIT */
#ifndef CORE_PORTS_I686_TRACE_H
#define CORE_PORTS_I686_TRACE_H

/*
 * What each CPU did last, for the report when the run dies: i686_note() in
 * i686.h adds to it, and the port itself does at what changes translations
 * and tasks.
 */

/* Prints the newest events of all CPUs, oldest first. The others are stopped. */
void trace_print(void);

#endif
