/* SPDX-License-Identifier: MIT */
#ifndef CORE_PORTS_I686_STRING_H
#define CORE_PORTS_I686_STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t len);
void *memmove(void *to, const void *from, size_t len);
void *memset(void *to, int byte, size_t len);
int memcmp(const void *left, const void *right, size_t len);

#endif
