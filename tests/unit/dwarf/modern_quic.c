/* SPDX-License-Identifier: BSD-2-Clause */
/* The other structure of the record layer's tag: QUIC's, which has no packet. */
struct ossl_record_layer_st {
	void *qtls;
	int msg;
};

struct ossl_record_layer_st *modern_quic;
