/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Figures as text, and the parts of a handshake's time by name and size, the same in findings and outputs.
 *
 * Must not know: output forms.
 */
#ifndef TLSWHY_DIAGNOSE_FIGURES_H
#define TLSWHY_DIAGNOSE_FIGURES_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/types.h>

#include "handshake/snapshot.h"

#define FIGURE_BYTES 32

/* "0.85 ms", "12.3 ms", "1.20 s". Returns the buffer. */
const char *duration_text(uint64_t ns, char buffer[FIGURE_BYTES]);
/* A ratio as "8.0 %", "0.03 %": never "0 %" for what is not 0, never "100 %" for what is not all. Returns the buffer.
 */
const char *percent_text(double ratio, char buffer[FIGURE_BYTES]);

/* "connect", "lag", "peer", "cpu", "preempted", "unattributed": keys and labels; part < PARTS_SHOWN. Static. */
const char *part_name(unsigned int part);
/* The same for a sentence: "worker lag" for "lag". Static. */
const char *part_words(unsigned int part);
/* Sorts the parts by size, the largest first; equal ones keep the order of the list. */
void parts_sort(const uint64_t us[PARTS_SHOWN], unsigned int order[PARTS_SHOWN]);
/* Whether a part was measured in any of a row's handshakes. */
bool part_is_known(const struct parts_row *row, unsigned int part);

#endif
