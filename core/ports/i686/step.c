/* SPDX-License-Identifier: MIT */

/*
 * Interrupts at chosen places. The trap flag stops after every instruction,
 * which finds the places; a debug register stops at one of them, at full
 * speed until then.
 */

#include "core/ports/i686/internal.h"

#define EFLAGS_RF (1U << 16) /* no breakpoint at the next instruction */
#define DR7_EXECUTE_0 0x2    /* global, at DR0, on execution */

/* entry.S */
void i686_call_with_flags(void (*body)(void *arg), void *arg, uint32_t flags,
			  uint32_t flags_after);
extern char i686_call_with_flags_end[];

/* One i686_step() or i686_break() at a time. */
static struct {
	const struct port_task *task;	/* who runs the body; NULL: nobody */
	const struct i686_place *place; /* NULL: every place */
	void (*hook)(void *arg);
	void *arg;
	uint32_t eip;	 /* of the stop that the hook is at */
	uint32_t passes; /* at the place, so far */
	struct i686_step_count count;
	bool reached;
} step;

static void set_breakpoint(uint32_t eip, uint32_t control)
{
	__asm__ volatile("movl %0, %%dr0" : : "r"(eip));
	__asm__ volatile("movl %0, %%dr7" : : "r"(control));
}

static void interrupt(const struct trap_frame *frame)
{
	step.eip = frame->eip;
	i686_this_cpu()->irq_depth++;
	step.hook(step.arg);
	i686_this_cpu()->irq_depth--;
}

static bool is_interruptible(const struct trap_frame *frame)
{
	return (frame->eflags & I686_EFLAGS_IF) &&
	       i686_this_cpu()->irq_depth == 0 &&
	       i686_this_cpu()->current == step.task;
}

static void every_place(const struct trap_frame *frame)
{
	if (frame->eip >= (uint32_t)i686_call_with_flags &&
	    frame->eip < (uint32_t)i686_call_with_flags_end)
		return;
	step.count.instructions++;
	if (!is_interruptible(frame))
		return;
	step.count.interrupts++;
	interrupt(frame);
}

/* Other tasks pass here, too, and interrupts; they do not count. */
static void one_place(struct trap_frame *frame)
{
	if (!is_interruptible(frame) || step.passes++ != step.place->pass) {
		frame->eflags |= EFLAGS_RF;
		return;
	}
	set_breakpoint(0, 0);
	step.reached = true;
	interrupt(frame);
}

bool step_trap(struct trap_frame *frame)
{
	if (!step.task)
		return false;
	if (step.place)
		one_place(frame);
	else
		every_place(frame);
	return true;
}

static void begin(const struct i686_place *place, void (*hook)(void *arg),
		  void *hook_arg)
{
	port_migrate_disable(); /* debug registers are this CPU's */
	step.count = (struct i686_step_count){ 0 };
	step.passes = 0;
	step.reached = false;
	step.place = place;
	step.hook = hook;
	step.arg = hook_arg;
	i686_barrier(); /* the next trap wants all of this */
	step.task = port_task_current();
}

static void end(void)
{
	step.task = NULL;
	port_migrate_enable();
}

static void call(void (*body)(void *arg), void *arg, uint32_t more_flags)
{
	uint32_t flags = i686_eflags();

	i686_call_with_flags(body, arg, flags | more_flags, flags);
}

struct i686_step_count i686_step(void (*body)(void *arg), void *body_arg,
				 void (*hook)(void *arg), void *hook_arg)
{
	begin(NULL, hook, hook_arg);
	call(body, body_arg, I686_EFLAGS_TF);
	end();
	return step.count;
}

bool i686_break(void (*body)(void *arg), void *body_arg,
		const struct i686_place *place, void (*hook)(void *arg),
		void *hook_arg)
{
	begin(place, hook, hook_arg);
	set_breakpoint(place->eip, DR7_EXECUTE_0);
	call(body, body_arg, 0);
	set_breakpoint(0, 0);
	end();
	return step.reached;
}

uint32_t i686_step_eip(void)
{
	return step.eip;
}
