/* SPDX-License-Identifier: MIT */
#ifndef STRESS_KERNEL_PACK_H
#define STRESS_KERNEL_PACK_H

/*
 * Boot modules with op programs. A module is one program as text (.hmt), or a
 * pack of many, as text or bytes, which pack.py makes:
 *
 *	"HMPACK1\n"	and then 32-bit little-endian numbers:
 *	nr		of programs, and for each:
 *	name_len, len
 *	name		of up to 63 bytes, no blank among them
 *	program		len bytes
 *
 * Freestanding: the kernel reads them, and the host to say what must come out.
 */

#include <stddef.h>

#include "stress/program/program.h"

#define PACK_NAME_BYTES 64

/* Called with each program. */
typedef void pack_visit_t(const char *name, const struct program *program);

/*
 * Visit the programs of the module @data in order; without @visit only look
 * at them. @nr is their number. NULL, or one sentence that says where the
 * module is bad, valid until the next call: then those before it were visited.
 */
const char *pack_for_each(const char *name, const void *data, size_t size,
			  pack_visit_t *visit, unsigned int *nr);

#endif
