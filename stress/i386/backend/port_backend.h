/* SPDX-License-Identifier: MIT */
#ifndef PORT_BACKEND_H
#define PORT_BACKEND_H

/* A port that defines nothing inline: what the core calls, it asks a linker for. */

#include <highmem/types.h>

typedef struct {
	uint32_t value;
} port_atomic_t;

typedef struct {
	uint32_t value;
} port_stat_t;

typedef struct {
	uint32_t locked;
} port_spinlock_t;

typedef bool port_irq_t;

#endif
