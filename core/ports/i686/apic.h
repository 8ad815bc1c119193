/* SPDX-License-Identifier: MIT */
#ifndef CORE_PORTS_I686_APIC_H
#define CORE_PORTS_I686_APIC_H

/* This CPU's local APIC: its timer, and interrupts to other CPUs. */

#include <highmem/types.h>

/* Does the CPU have one? */
bool apic_exists(void);

/* Boot CPU: map the registers, measure the timer against the 8254. */
void apic_init(uint32_t phys);

/* Every CPU, its own: on, timer stopped. */
void apic_enable(void);

/* After apic_init(): true. Without, there is one CPU and the 8254. */
bool apic_in_use(void);

uint8_t apic_own_id(void);

/* An interrupt is done with. */
void apic_eoi(void);

/* Periodic, @hz times a second. */
void apic_timer(unsigned int hz);

/* Interrupts are off or nobody else sends from this CPU. By APIC id. */
void apic_send(uint8_t apic_id, uint8_t vector);
void apic_send_nmi(uint8_t apic_id);
void apic_send_init(uint8_t apic_id);

/* It starts in real mode at @page * 4096. */
void apic_send_startup(uint8_t apic_id, uint8_t page);

/* Wait by the 8254's channel 2, up to 50,000 microseconds. */
void pit_wait(unsigned int microseconds);

#endif
