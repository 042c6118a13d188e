/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the user side tells the kernel side: host-wide knobs, set once before load, one row of a library's
 * layout, and who is a target. Offsets are data; no code on either side is written for a version.
 */
#ifndef TLSWHY_CONFIG_H
#define TLSWHY_CONFIG_H

#define LAYOUT_ROWS       64
#define NGX_CONNECTION_FD 24 /* in ngx_connection_t, from nginx 1.18 to 1.30 */

#define LAYOUT_ROW_NONE (LAYOUT_ROWS - 1) /* nothing is known of the library: its objects are nginx's connections */

/* Knobs: rodata, fixed before load. */
struct knobs {
	__u32 ring_wakeup_bytes; /* wake the reader when this much is queued, and less than twice of it */
	__u32 tick_ns;           /* of the kernel's clock interrupt, 1 s / CONFIG_HZ */
	__u8 adopt_children;     /* a child of a target is a target */
	__u8 adopt_binaries;     /* a process that runs a binary of the binaries map is a target */
	__u8 final_marks;        /* emit EVENT_FINAL */
	__u8 tell_execs;         /* emit EVENT_EXEC */
};

/*
 * Fields of a library that the kernel side reads. X(name, what it is). An offset of LAYOUT_NONE says that nobody
 * vouches for the field; it is then unknown, never guessed. Offsets are into the SSL object unless said; those from
 * fatal_alert to peer_sigalg are into s3 where there is one.
 */
#define LAYOUT_NONE 0xffffu
#define LAYOUT_FIELDS(X)                                                                             \
	X(version, "negotiated version, int")                                                        \
	X(rbio, "read BIO *")                                                                        \
	X(wbio, "write BIO *")                                                                       \
	X(rwstate, "what it waits for, int")                                                         \
	X(server, "1 on the accepting side, int")                                                    \
	X(shutdown, "int")                                                                           \
	X(flow_state, "statem.state, 0 is never started, int")                                       \
	X(read_state, "statem.read_state, 0 waits for a message, 1 for its body, int")               \
	X(hand_state, "int")                                                                         \
	X(in_init, "int")                                                                            \
	X(init_msg, "current handshake message, pointer")                                            \
	X(fatal_alert, "alert received, int")                                                        \
	X(send_alert, "level and description of the alert sent, two bytes")                          \
	X(message_size, "size_t")                                                                    \
	X(message_type, "int")                                                                       \
	X(cert_req, "client: a CertificateRequest came, int")                                        \
	X(cert_request, "server: a CertificateRequest was sent, int")                                \
	X(new_cipher, "cipher that this handshake agreed on, SSL_CIPHER *")                          \
	X(group_id, "TLS 1.3: group that is offered or agreed on, u16")                              \
	X(did_kex, "TLS 1.3: keys were exchanged, char (3.0 on)")                                    \
	X(peer_share, "TLS 1.3: the peer's share of the key exchange * (1.1.1)")                     \
	X(sigalg, "what our side signs with, SIGALG_LOOKUP *")                                       \
	X(peer_sigalg, "what the peer has signed with, SIGALG_LOOKUP *")                             \
	X(hit, "session resumed, int")                                                               \
	X(hello_retry, "HelloRetryRequest state, int")                                               \
	X(session, "SSL_SESSION *")                                                                  \
	X(verify_mode, "int")                                                                        \
	X(verify_result, "long")                                                                     \
	X(options, "SSL_OP_*, low 32 bits")                                                          \
	X(min_version, "int")                                                                        \
	X(max_version, "int")                                                                        \
	X(client_version, "legacy version of the ClientHello, int")                                  \
	X(hostname, "server name, char *")                                                           \
	X(early_data, "2: the server accepted early data, int")                                      \
	X(s3, "what holds alerts and the message of the moment *, where that is an object (1.1.1)")  \
	X(ex_data, "stack of ex_data *")                                                             \
	X(record_layer, "what reads records *, where that is an object of its own (3.2 on)")         \
	X(record_packet, "record being read, unsigned char *; in the record layer, if there is one") \
	X(record_packet_bytes, "size_t")                                                             \
	X(bio_flags, "in BIO, int")                                                                  \
	X(bio_num, "in BIO: the descriptor, int")                                                    \
	X(bio_next, "in BIO, BIO *")                                                                 \
	X(session_cipher, "in SSL_SESSION, SSL_CIPHER *")                                            \
	X(session_peer, "in SSL_SESSION, X509 *")                                                    \
	X(session_hostname, "in SSL_SESSION, char *")                                                \
	X(session_group, "in SSL_SESSION, group of its key exchange, u32 (3.0 on)")                  \
	X(cipher_id, "in SSL_CIPHER, u32")                                                           \
	X(cipher_exchange, "in SSL_CIPHER, SSL_k* bits of how keys are exchanged, u32")              \
	X(sigalg_number, "in SIGALG_LOOKUP, number of the scheme, u16")

struct layout {
#define X(name, meaning) __u16 name;
	LAYOUT_FIELDS(X)
#undef X
	__u16 error_lib_shift;     /* bits of a packed error below the library's number: 23 or 24 */
	__u8 family;               /* enum library_family */
	__u8 error_lib_ssl;        /* the SSL library's number: 20, in BoringSSL 16 */
	__u8 state_hello_server;   /* hand_state while our server handles a ClientHello: 20, 22 */
	__u8 state_early_data;     /* TLS 1.3 server waits for the client's Finished: 46, 50 */
	__u8 state_write_hello;    /* upstream: ClientHello written: 12, 13 */
	__u8 state_write_finished; /* upstream: our Finished written: 18, 20 */
	__u8 object_is_connection; /* there are no objects of the library's: nginx's connections stand for them */
	__u8 reserved[1];
};

/* A traced process. */
struct target {
	__u32 row; /* of the layouts */
	__u32 generation;
	__u32 connection_index; /* ngx_ssl_connection_index, ~0: unknown */
	__u32 master;           /* tgid of the process it was taken in for */
	__u64 cycle_address;    /* of the pointer ngx_cycle in its memory; 0: unknown */
	__u64 http_handler;     /* address of ngx_http_init_connection(), which accepts for http; 0: unknown */
	__u64 cycle;            /* of a master: the one in the cycles map; 0: none is */
};

/*
 * Key of the cycles map, whose value is a generation: nginx makes a cycle for each configuration it loads. A master
 * has its newest one there.
 */
struct cycle_key {
	__u64 cycle; /* its address */
	__u32 master;
	__u32 reserved;
};

/*
 * Key of the listeners map: a local address on which http accepts TLS. nginx makes no object of the library's for a
 * client that leaves before it has sent a byte there.
 */
struct listener_key {
	__u32 netns;      /* inode number of the network namespace */
	__u16 port;       /* host order */
	__u16 family;     /* AF_INET, AF_INET6 */
	__u8 address[16]; /* IPv4 in the first four bytes */
};

/* Its value: whom such a client is counted to. */
struct tls_listener {
	__u32 tgid;
	__u32 generation;
};

/* A binary whose processes are taken in: key and value of the binaries map. */
struct binary_key {
	__u64 inode;
	__u64 device; /* s_dev as the kernel packs it */
};

/* Key of the programs map, which holds those that were told by EVENT_EXEC. */
struct program_key {
	__u64 inode;
	__u32 device;
	__u32 generation; /* of the inode: its number and device may be used again */
};

#endif
