/* SPDX-License-Identifier: BSD-2-Clause */
/* The record layer and the BIO. */
#define RECORD_LAYER_TAG ossl_record_layer_st
#define BIO_TAG          bio_st
#include "modern_layers.h"

struct ossl_record_layer_st *modern_record;
struct bio_st *modern_bio;
