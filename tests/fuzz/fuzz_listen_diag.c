/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as a part of the kernel's answer about sockets: read within its bounds, and added up. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "host/listen_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

struct looks {
	struct listen_table table;
	size_t sockets;
};

static void add(void *context, const struct listen_socket *socket)
{
	struct looks *looks = context;

	require(socket->family == AF_INET || socket->family == AF_INET6);
	looks->sockets++;
	listen_table_add(&looks->table, socket);
	listen_table_add_half_open(&looks->table, socket);
}

/* A look in which every socket is ours. */
static void look(struct looks *looks, const struct listen_claim *claims, size_t count, const uint8_t *data,
		 size_t size)
{
	struct listen_answer answer = { 0 };
	uint32_t sequence = 0;
	int error;

	/* That of the first message. */
	if (size >= 12)
		memcpy(&sequence, data + 8, sizeof(sequence));
	looks->sockets = 0;
	listen_table_begin(&looks->table, claims, count, LISTEN_ROWS_MAX);
	listen_table_begin_half_open(&looks->table);
	error = listen_answer_parse(data, size, sequence, &answer, add, looks);
	require(error <= 0 && error >= -4095 && looks->sockets <= answer.sockets);
	listen_table_end(&looks->table, error == 0);
	listen_table_end_half_open(&looks->table, answer.interrupted);
	for (size_t i = 0; i < looks->table.count; i++) {
		const struct listen_row *row = &looks->table.rows[i];

		require(row->queue <= row->queue_peak && row->half_open <= row->half_open_peak);
		require(row->drops >= LISTEN_UNKNOWN && listen_table_find(&looks->table, &row->address) == row);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct listen_claim claims[256];
	struct looks looks = { .sockets = 0 };

	for (uint32_t i = 0; i < 256; i++)
		claims[i] = (struct listen_claim){ .inode = i + 1, .owner = i % 3 };
	look(&looks, claims, 256, data, size / 2);
	look(&looks, NULL, 0, data + size / 2, size - size / 2);
	look(&looks, claims, 256, data, size);
	listen_table_release(&looks.table);
	return 0;
}
