/* The registry client: OCI distribution 1.1 over HTTP, for registries that exist (distribution 2.8 and 3, Harbor, GitLab, Quay,
 * Nexus …).
 *
 * One gs_registry is one registry; several threads may use it at once (they share tokens, each has its connections). Everything is
 * verbatim: blobs and manifests are moved as bytes and checked by digest. Repositories are named without the host. Errors are
 * GS_EREGISTRY, GS_EAUTH, GS_ENETWORK, GS_EDIGEST, GS_ENOTFOUND with `where` = host/repository and what the registry said (cut to
 * one line). Retries and limits: http.h.
 */
#ifndef GAPSHIP_REGISTRY_H
#define GAPSHIP_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gapship/http.h"
#include "gapship/oci.h"

/* How to reach a registry. Borrowed while the gs_registry lives. */
typedef struct gs_registry_options {
    const char *url;              /* "https://host:port", "http://host:port" (plain only when written so), or "host:port" (https) */
    const char *ca_file;          /* NULL: certs.d/HOST/ca.crt of ~/.config/containers, /etc/containers, /etc/docker (with
                                     client.cert and client.key beside it), else the system's CAs */
    const char *credentials_file; /* "user:password" in one line, or a docker config / containers auth.json; 0600. NULL: the places
                                     people have them ($REGISTRY_AUTH_FILE, containers auth.json, docker config and its helpers) */
    bool anonymous;               /* look for no credentials */
    int64_t idle_ms;              /* a silent registry is given up after so long; 0: 60 s, 5 min while it takes a blob */
    unsigned tries;               /* of a request that may pass; 0: as http.h has it. A few, to learn whether anybody is there */
} gs_registry_options;

typedef struct gs_registry gs_registry;
/* Makes no request yet. */
int gs_registry_new(const gs_run *run, const gs_registry_options *options, gs_registry **out, gs_error *err) GS_MUST_USE;
void gs_registry_free(gs_registry *registry);
void gs_registry_free_p(gs_registry **registry);
#define GS_AUTO_REGISTRY __attribute__((cleanup(gs_registry_free_p)))
/* "host:port" for messages and references. */
const char *gs_registry_host(const gs_registry *registry);
/* GET /v2/: 0 when it is a registry and the credentials (if any) are taken. */
int gs_registry_ping(gs_registry *registry, gs_error *err) GS_MUST_USE;

/* Credentials as found for a host and repository path. Wiped by _done. */
typedef struct gs_credentials {
    char *user;
    char *password;
    char *identity_token; /* a refresh token */
    char *registry_token; /* a bearer token for the registry itself */
} gs_credentials;
/* All members NULL when there are none: anonymous is no error. Vectors: reference of docker config.json and
 * containers-auth.json(5). */
int gs_credentials_find(const gs_run *run, const char *host, const char *repository, gs_credentials *out,
                        gs_error *err) GS_MUST_USE;
/* From one file, either form. GS_ESPEC when others can read it. */
int gs_credentials_read(const gs_run *run, const char *path, const char *host, const char *repository, gs_credentials *out,
                        gs_error *err) GS_MUST_USE;
void gs_credentials_done(gs_credentials *credentials);

/* Pull. reference is a tag or a digest. bytes gets the exact body (its max is set by the caller, GS_MAX_MANIFEST_BYTES); the digest
 * is of those bytes and equals the one asked for. media_type is in arena. */
int gs_registry_get_manifest(gs_registry *registry, const char *repository, const char *reference, gs_arena *arena, gs_buf *bytes,
                             gs_descriptor *out, gs_error *err) GS_MUST_USE;
/* Writes exactly the descriptor's bytes into sink, in order and each once (an interrupted transfer goes on with a Range request),
 * and checks size and digest; the digest is left to a sink that proves it. The sink is not closed. moved as in gs_http_request, may be NULL. */
typedef void (*gs_moved)(void *state, uint64_t bytes);
int gs_registry_get_blob(gs_registry *registry, const char *repository, const gs_descriptor *blob, gs_sink *sink, gs_moved moved,
                         void *state, gs_error *err) GS_MUST_USE;
/* Whether a manifest is there, and its digest. *found false is no error. */
int gs_registry_head_manifest(gs_registry *registry, const char *repository, const char *reference, bool *found, gs_digest *digest,
                              gs_error *err) GS_MUST_USE;
/* Sorted tags (paged); an unknown repository has none. */
int gs_registry_tags(gs_registry *registry, const char *repository, gs_arena *arena, gs_text_list *out, gs_error *err) GS_MUST_USE;
/* Descriptors that refer to a digest: referrers API, else the fallback tag. */
int gs_registry_referrers(gs_registry *registry, const char *repository, const gs_digest *subject, gs_arena *arena,
                          gs_descriptor **out, size_t *count, gs_error *err) GS_MUST_USE;

/* Push. */
int gs_registry_has_blob(gs_registry *registry, const char *repository, const gs_digest *digest, bool *found,
                         gs_error *err) GS_MUST_USE;
/* POST …?mount=&from=. *mounted false: the registry wants an upload instead (its session is ended). */
int gs_registry_mount_blob(gs_registry *registry, const char *repository, const char *from, const gs_digest *digest, bool *mounted,
                           gs_error *err) GS_MUST_USE;
/* POST and one PUT of a span of a file; chunked PATCH only after 413. The registry checks the digest. */
typedef struct gs_span {
    int fd;
    uint64_t offset, len;
} gs_span;
int gs_registry_put_blob(gs_registry *registry, const char *repository, const gs_digest *digest, const gs_span *bytes,
                         gs_moved moved, void *state, gs_error *err) GS_MUST_USE;
/* PUT by tag or digest with the exact bytes; then proved by HEAD. A subject that the registry does not index itself gets the
 * fallback tag. The same tag with the same digest is left alone. */
int gs_registry_put_manifest(gs_registry *registry, const char *repository, const char *reference, const char *media_type,
                             const void *data, size_t len, gs_error *err) GS_MUST_USE;

#endif
