/* What the files of src/registry share. */
#ifndef GS_REGISTRY_INTERNAL_H
#define GS_REGISTRY_INTERNAL_H

#include <pthread.h>

#include "auth.h"
#include "gapship/registry.h"

struct gs_registry {
    const gs_run *run;
    gs_http *http;
    char *base; /* "https://host:port[/path]", no slash at the end */
    char *host; /* "host[:port]" as people write it */
    char *ca_file, *client_certificate, *client_key;
    gs_auth *auth;
    int64_t idle_ms;
    unsigned tries;
    pthread_mutex_t lock;           /* of what follows */
    uint64_t chunk;                 /* bytes of one PATCH, once the registry refused a whole blob; 0: whole */
    char warned[256];               /* the last Warning header that was passed on */
    pthread_mutex_t referrers_lock; /* held while a fallback tag is read, changed and written */
};

/* One request. Authorization and retries are added by gs_call_send. */
typedef struct gs_call {
    gs_http_request http;   /* url absolute */
    gs_buf url;             /* what http.url shows at first */
    const char *repository; /* NULL: the registry itself */
    char scope[GS_AUTH_SCOPE];
    /* Before a further try: make the sink ready and change `http` where needed. */
    int (*restart)(void *state, gs_error *err);
    void *restart_state;
    unsigned tries; /* 0: the default */
} gs_call;

typedef enum gs_access { GS_ACCESS_PULL, GS_ACCESS_PUSH } gs_access;

/* A call to /v2/REPOSITORY/KIND/NAME. repository is checked; name is fit for a URL. done it in every case. */
int gs_call_init(gs_call *call, const gs_registry *registry, const char *repository, gs_access access, const char *kind,
                 const char *name, gs_error *err);
void gs_call_done(gs_call *call);
#define GS_AUTO_CALL __attribute__((cleanup(gs_call_done)))
/* Sends it, with credentials where the URL is the registry's own; a 401 is answered with better ones. 0 with any status. */
int gs_call_send(gs_registry *registry, gs_call *call, gs_http_response *response, gs_error *err);
/* The Location of an answer: absolute, and repaired where a proxy made the registry forget its scheme or port. */
int gs_call_location(const gs_registry *registry, const gs_http_response *response, gs_buf *out, gs_error *err);

/* The error for an answer that refuses: code by status, what the registry said, what to do. action is "pull the manifest x". */
int gs_call_refused(const gs_registry *registry, const gs_call *call, const gs_http_response *response, gs_error *err,
                    const char *format, ...) GS_PRINTF(5, 6);
/* Whether the answer's body is an OCI error list that holds this code. */
bool gs_answer_has_code(const gs_http_response *response, const char *code);
/* An error of ours about a repository: sets `where`. */
int gs_registry_at(const gs_registry *registry, const char *repository, gs_error *err);

/* GS_ESPEC unless it is the name of a repository. */
int gs_registry_check_repository(const char *repository, gs_error *err);
/* "tag" or "sha256:…" fit for a URL; GS_ESPEC. */
int gs_registry_check_reference(const char *reference, gs_error *err);
bool gs_is_digest_reference(const char *reference);
/* Docker-Content-Digest, when there is one that can be read. */
bool gs_answer_digest(const gs_http_response *response, gs_digest *out);

/* HEAD alone, without a second look: some registries answer 404 to it. *status gets the answer's. */
int gs_manifest_head(gs_registry *registry, const char *repository, const char *reference, int *status, bool *has_digest,
                     gs_digest *digest, gs_error *err);
/* PUT without proof, without referrers. */
int gs_manifest_put(gs_registry *registry, const char *repository, const char *reference, const gs_descriptor *manifest,
                    const void *data, bool *indexed, gs_error *err);
/* Adds a manifest to the fallback tag of its subject (OCI distribution 1.1, "Referrers Tag Schema"). */
int gs_referrers_tag_add(gs_registry *registry, const char *repository, const gs_digest *subject, const gs_descriptor *referrer,
                         gs_error *err);
/* Whether the registry answers GET …/referrers/DIGEST. */
int gs_referrers_supported(gs_registry *registry, const char *repository, const gs_digest *subject, bool *supported, gs_error *err);

#endif
