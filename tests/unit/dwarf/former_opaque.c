/* SPDX-License-Identifier: BSD-2-Clause */
/* A first unit that has everything but what s3 points to. */
#define S3_IS_OPAQUE
#include "former.h"

struct ssl_st *former_opaque_ssl;
struct bio_st *former_opaque_bio;
struct ssl_cipher_st *former_opaque_cipher;
struct sigalg_lookup_st *former_opaque_sigalg;
