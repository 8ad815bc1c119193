/* SPDX-License-Identifier: MIT */
#include "stress/subjects/plain/sample.h"
#include "stress/subjects/plain/plain.h"

/* A file as any other, for plain_test.c: compiled as a subject's file is. */

PLAIN_SECTIONS

struct sample sample = { .rows = { { 1, 2 } } };
int sample_x;
int sample_y;
int sample_read[2];

void sample_init(void)
{
	sample.next = &sample;
}

void sample_store_x_load_y(void)
{
	sample_x = 1;
	sample_read[0] = sample_y;
}

void sample_store_y_load_x(void)
{
	sample_y = 1;
	sample_read[1] = sample_x;
}

void sample_fence_x(void)
{
	sample_x = 1;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	sample_read[0] = sample_y;
}

void sample_exchange_y(void)
{
	__atomic_store_n(&sample_y, 1, __ATOMIC_SEQ_CST);
	sample_read[1] = __atomic_load_n(&sample_x, __ATOMIC_ACQUIRE);
}

/* What goes into a register and back is two accesses. */
void sample_count(void)
{
	sample_x++;
}

void sample_count_atomically(void)
{
	__atomic_fetch_add(&sample_x, 1, __ATOMIC_RELAXED);
}

/* A CPU sees its own stores at once, also a part of them, or several as one. */
void sample_see_own(void)
{
	sample.bytes.whole = 0x04030201;
	sample.bytes.part[1] = 0x12;
	sample_read[0] = (int)sample.bytes.whole;
	sample_read[1] = sample.bytes.part[3];
}

void sample_fill(void)
{
	__builtin_memset(sample.rows, 0xff, sizeof(sample.rows));
}

void sample_look(void)
{
	sample_read[0] = sample.rows[0].a;
	sample_read[1] = sample.rows[3].b;
}

int sample_calls(void)
{
	static int calls;

	return ++calls;
}

void sample_forget_calls(int calls)
{
	while (calls-- > 0)
		sample.rows[1].b = calls;
}
