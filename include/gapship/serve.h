/* The embedded registry: OCI distribution 1.1, read-only, straight from verified bundles. The only module that knows libmicrohttpd.
 *
 * Serves every image of the bundles it was given under PREFIX/AS:TAG and by digest. Names are looked up in a table made at the start;
 * no path is ever made from a URL. Writes are 405.
 */
#ifndef GAPSHIP_SERVE_H
#define GAPSHIP_SERVE_H

#include "gapship/contents.h"
#include "gapship/run.h"

typedef struct gs_serve_options {
    const char *listen;      /* "127.0.0.1:5000", "[::1]:0"; port 0: any free one */
    const char *prefix;      /* "" for none */
    const char *certificate; /* PEM chain and key: TLS; both or none */
    const char *key;
    const char *users; /* file of "user:password" lines, 0600; NULL: anonymous */
} gs_serve_options;

typedef struct gs_server gs_server;
/* Newest bundle last: its tags win. The verified bundles and the options' prefix are borrowed while the server lives. Starts to listen
 * and answer on its own threads before it returns. May raise the process's limit of open files. GS_ENETWORK when the address cannot be
 * had, GS_ESPEC when certificate, key or users are no good. */
int gs_serve_start(const gs_run *run, const gs_serve_options *options, const gs_verified *const *bundles, size_t count,
                   gs_server **out, gs_error *err) GS_MUST_USE;
/* Serves these bundles instead, from now on; the others may go when it returns. What is being sent goes on undisturbed. On failure
 * all stays as it was. */
int gs_serve_replace(gs_server *server, const gs_verified *const *bundles, size_t count, gs_error *err) GS_MUST_USE;
/* "127.0.0.1:43211", "[::1]:43211" */
const char *gs_serve_address(const gs_server *server);
void gs_serve_stop(gs_server *server);
const char *gs_serve_version(void);

#endif
