/* SPDX-License-Identifier: MIT */
/* SHA-256, for the digests of files, for C. It is a library of its own, larder::content, because it
 * needs libcrypto and larder itself does not. */
#ifndef LARDER_CONTENT_H
#define LARDER_CONTENT_H

#include <larder/larder.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Returns SHA-256, for the options `digest`. It lives as long as the program: do not free it. */
const larder_digest* larder_sha256(void);

#ifdef __cplusplus
}
#endif

#endif
