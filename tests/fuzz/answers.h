/* A server of made-up answers for fuzz targets of HTTP clients: on a UNIX socket in this process, one connection after the other, the
 * n-th of an input gets its n-th answer byte for byte, and then the end. Keeps what it was asked. gs_sleep, which a target names behind
 * INSTEAD, only checks that no server makes anybody wait longer than a minute.
 *
 * The answers of an input are separated by lines of "====". */
#ifndef GAPSHIP_FUZZ_ANSWERS_H
#define GAPSHIP_FUZZ_ANSWERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ANSWERS_HOST "registry.example:5000"
#define ANSWERS_MOST 64u /* requests that are kept */

/* Where the server listens; started by the first call. */
const char *answers_socket(void);
/* Forgets what was asked; from now on these answers. data must stay until the next call. */
void answers_set(const uint8_t *data, size_t size);
/* The requests so far, each with a NUL behind it; valid until the next connection. */
size_t answers_asked(const char *requests[ANSWERS_MOST]);
/* Whether a request is meant for ANSWERS_HOST. */
bool answers_host(const char *request);

#endif
