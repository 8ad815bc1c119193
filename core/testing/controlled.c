/* SPDX-License-Identifier: MIT */
#include "core/testing/controlled.h"

struct run {
	const struct program *program;
	const struct controlled_options *options;
	struct controlled_result *result;
	unsigned int next; /* choice of the program to be played */
};

/* Does the choice mean this option, as control.h codes it? */
static bool choice_matches(const struct choice *choice,
			   enum sim_question question, uint8_t option)
{
	bool who = question == SIM_WHO || question == SIM_NEXT;

	switch ((enum choice_kind)choice->kind) {
	case CHOICE_RUN:
		return who && option == choice->arg + 1U;
	case CHOICE_TIMEOUT:
		return who && option == ((choice->arg + 1U) | SIM_TIMEOUT);
	case CHOICE_SPURIOUS:
		return who && option == ((choice->arg + 1U) | SIM_SPURIOUS);
	case CHOICE_IRQ:
		return question == SIM_IRQ && option == choice->arg + 1U;
	case CHOICE_HOLD:
		return question == SIM_HOLD && option == 1;
	case CHOICE_DRAIN:
		return question == SIM_DRAIN && option == choice->arg + 1U;
	case CHOICE_NR_KINDS:
		break;
	}
	return false;
}

static struct choice choice_of(uint32_t step, enum sim_question question,
			       uint8_t option)
{
	struct choice choice = { .step = step };

	switch (question) {
	case SIM_WHO:
	case SIM_NEXT:
		choice.kind = option & SIM_TIMEOUT    ? CHOICE_TIMEOUT
			      : option & SIM_SPURIOUS ? CHOICE_SPURIOUS
						      : CHOICE_RUN;
		choice.arg = (uint8_t)((option & ~(SIM_TIMEOUT | SIM_SPURIOUS)) -
				       1);
		break;
	case SIM_IRQ:
		choice.kind = CHOICE_IRQ;
		choice.arg = (uint8_t)(option - 1);
		break;
	case SIM_HOLD:
		choice.kind = CHOICE_HOLD;
		break;
	default:
		choice.kind = CHOICE_DRAIN;
		choice.arg = (uint8_t)(option - 1);
		break;
	}
	return choice;
}

/* Plays the program's choices: those whose step has passed are unmatched. */
static unsigned int play(struct run *run, uint32_t step,
			 enum sim_question question, const uint8_t *options,
			 unsigned int nr)
{
	const struct program *program = run->program;

	while (run->next < program->nr_choices &&
	       program->choices[run->next].step < step) {
		run->next++;
		run->result->nr_unmatched++;
	}
	for (unsigned int c = run->next;
	     c < program->nr_choices && program->choices[c].step == step; c++) {
		for (unsigned int i = 1; i < nr; i++) {
			if (!choice_matches(&program->choices[c], question,
					    options[i]))
				continue;
			run->result->nr_unmatched += c - run->next;
			run->next = c + 1;
			return i;
		}
	}
	return 0;
}

static void record(struct controlled_result *result, struct choice choice)
{
	if (result->nr_choices == PROGRAM_MAX_CHOICES) {
		result->too_many_choices = true;
		return;
	}
	result->choices[result->nr_choices++] = choice;
}

static unsigned int choose(void *arg, enum sim_question question,
			   const uint8_t *options, unsigned int nr)
{
	struct run *run = arg;
	uint32_t step = sim_steps();
	unsigned int answer;

	if (run->options->choose)
		answer = run->options->choose(run->options->arg, step, question,
					      options, nr);
	else
		answer = play(run, step, question, options, nr);
	if (answer != 0 && answer < nr)
		record(run->result, choice_of(step, question, options[answer]));
	return answer;
}

static void mix(uint64_t *hash, uint64_t value)
{
	*hash = (*hash ^ value) * 0x100000001b3u; /* FNV-1a, word by word */
}

/*
 * Addresses of the core's words are the same in every run of one build, but
 * not in the next one, so only what was done and the values go in.
 */
static void event(void *arg, const struct sim_event *e)
{
	struct run *run = arg;
	uint64_t *hash = &run->result->trace_hash;

	mix(hash, (uint64_t)e->step << 16 | e->task << 8 |
			  (uint64_t)e->access << 1 | e->in_interrupt);
	mix(hash, e->before);
	mix(hash, e->after);
	if (run->options->event)
		run->options->event(run->options->arg, e);
}

static void interrupt(void *arg, unsigned int irq)
{
	(void)arg;
	exec_interrupt(irq);
}

struct controlled_faults controlled_faults_of(const struct program *program)
{
	struct controlled_faults faults = { 0 };

	for (unsigned int i = 0; i < program->nr_choices; i++) {
		uint8_t kind = program->choices[i].kind;

		faults.irqs |= kind == CHOICE_IRQ;
		faults.store_buffers |= kind == CHOICE_HOLD;
		faults.spurious |= kind == CHOICE_SPURIOUS;
		faults.timeouts |= kind == CHOICE_TIMEOUT;
	}
	return faults;
}

void controlled_run(const struct program *program,
		    const struct controlled_options *options,
		    struct controlled_result *result)
{
	struct run run = { program, options, result, 0 };
	struct sim_control control = {
		.arg = &run,
		.choose = choose,
		.event = event,
		.interrupt = interrupt,
		.store_buffers = options->faults.store_buffers,
		.spurious = options->faults.spurious,
		.timeouts = options->faults.timeouts,
		.max_steps = options->max_steps ? options->max_steps
						: CONTROLLED_MAX_STEPS,
	};
	struct exec_options exec_options = {
		.freeze = sim_freeze,
		.trace = options->trace,
		.trace_arg = options->arg,
	};

	for (unsigned int i = 0; options->faults.irqs && i < program->nr_irqs;
	     i++)
		control.irqs[program->irq_cpu[i]] |= 1U << i;
	result->nr_choices = 0;
	result->too_many_choices = false;
	result->nr_unmatched = 0;
	result->trace_hash = 0xcbf29ce484222325u;
	sim_set_control(&control);
	exec_program(program, &exec_options, &result->exec);
	sim_set_control(NULL);
	result->steps = sim_steps();
	result->nr_unmatched += options->choose
					? 0
					: program->nr_choices - run.next;
}
