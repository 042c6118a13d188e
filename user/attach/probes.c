/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of probes, from its list. Must not know: how a probe is attached. */
#include "attach/probes.h"

static const struct probe_spec probes[PROBE_COUNT] = {
#define X(symbol, number, program, function_, file_, is_return_, required_, use_, arguments_) \
	[PROBE_##symbol] = { .function = (function_),                                         \
			     .file = PROBE_IN_##file_,                                        \
			     .is_return = (is_return_),                                       \
			     .required = (required_),                                         \
			     .use = PROBE_FOR_##use_,                                         \
			     .arguments = (arguments_) },
	PROBES(X)
#undef X
};

const struct probe_spec *probe_spec(enum probe probe)
{
	return &probes[probe];
}
