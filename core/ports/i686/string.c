/* SPDX-License-Identifier: MIT */

/* The functions that a compiler may call without being asked to. */

#include "core/ports/i686/string.h"

#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t len)
{
	void *end = to;

	__asm__ volatile("rep movsb"
			 : "+D"(end), "+S"(from), "+c"(len)
			 :
			 : "memory");
	return to;
}

void *memmove(void *to, const void *from, size_t len)
{
	const unsigned char *source = from;
	unsigned char *target = to;

	if (target <= source || target >= source + len)
		return memcpy(to, from, len);
	while (len--)
		((volatile unsigned char *)target)[len] = source[len];
	return to;
}

void *memset(void *to, int byte, size_t len)
{
	uint32_t word = (uint8_t)byte * 0x01010101U;
	size_t words = len / 4, bytes = len % 4;
	void *end = to;

	__asm__ volatile("rep stosl; movl %3, %1; rep stosb"
			 : "+D"(end), "+c"(words)
			 : "a"(word), "r"(bytes)
			 : "memory");
	return to;
}

int memcmp(const void *left, const void *right, size_t len)
{
	const unsigned char *l = left, *r = right;

	for (; len; len--, l++, r++)
		if (*l != *r)
			return *l - *r;
	return 0;
}
