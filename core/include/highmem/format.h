/* SPDX-License-Identifier: MIT */
#ifndef HIGHMEM_FORMAT_H
#define HIGHMEM_FORMAT_H

/*
 * Sentences without a libc. Understands %u (unsigned int), %x (the same in
 * hexadecimal with 0x), %p (vaddr_t, hexadecimal), %s, %c and %%.
 */

#include <stdarg.h>

#include <highmem/types.h>

/*
 * Write at most @size bytes with the closing NUL. Returns the length that the
 * whole text has; a result >= size means that it was cut. Context: any.
 */
size_t hm_format(char *buf, size_t size, const char *format, ...);
size_t hm_vformat(char *buf, size_t size, const char *format, va_list args);

#endif
