/* SPDX-License-Identifier: MIT */
#ifndef STRESS_SUBJECTS_PLAIN_SAMPLE_H
#define STRESS_SUBJECTS_PLAIN_SAMPLE_H

#include <stdint.h>

struct sample {
	struct {
		int a;
		int b;
	} rows[4];
	union {
		uint32_t whole;
		uint8_t part[4];
	} bytes;
	struct sample *next;
};

extern struct sample sample;
extern int sample_x;
extern int sample_y;
extern int sample_read[2];

void sample_init(void);
void sample_store_x_load_y(void);
void sample_store_y_load_x(void);
void sample_fence_x(void);
void sample_exchange_y(void);
void sample_count(void);
void sample_count_atomically(void);
void sample_see_own(void);
void sample_fill(void);
void sample_look(void);
int sample_calls(void);
void sample_forget_calls(int calls);

#endif
