/* Brings one blob into a repository: POST opens a session, one PUT sends it. Whatever fails, the session is ended, so that no half
 * upload stays in the registry's storage. */
#include <stdio.h>
#include <string.h>

#include "gapship/limits.h"
#include "gapship/num.h"
#include "gapship/text.h"
#include "internal.h"

#define PUT_IDLE_MS    300000 /* behind a proxy the registry may be silent while it writes to its own store */
#define CANCEL_MS      10000
#define SESSIONS       3u          /* a session that the registry lost is replaced so often */
#define FIRST_CHUNK    GS_MIB(4)   /* the largest that every known registry takes */
#define SMALLEST_CHUNK GS_KIB(512) /* below nginx's default of 1 MiB */
#define LARGEST_CHUNK  GS_MIB(64)

typedef struct upload {
    gs_registry *registry;
    const char *repository;
    const gs_digest *digest;
    int fd;
    uint64_t offset, len;
    gs_moved moved;
    void *state;
    gs_buf session; /* the Location of the open session; empty: none */
    gs_buf target;  /* the session with what the request adds */
    gs_call put;    /* of the whole blob; put_again aims it anew */
    uint64_t sent, reported;
    bool stored; /* found in the registry after a lost answer */
} upload;

static bool answer_stored(const gs_http_response *response)
{
    return response->status == 201 || response->status == 204;
}

/* One request about the open session, tried once and shortly. The status, or 0. */
static int ask_session(upload *self, const char *method, gs_http_response *response)
{
    gs_call call = {.http = {GS_HTTP_REQUEST, .method = method, .url = gs_buf_text(&self->session), .connect_ms = CANCEL_MS,
                             .idle_ms = CANCEL_MS, .deadline_ms = CANCEL_MS},
                    .repository = self->repository,
                    .tries = 1};
    (void)snprintf(call.scope, sizeof call.scope, "repository:%s:pull,push", self->repository);
    return gs_call_send(self->registry, &call, response, NULL) == 0 ? response->status : 0;
}

/* Best effort: a session that cannot be ended dies by the registry's own clock. distribution refuses a Location that does not know
 * how much had arrived; a newer one is to be had by GET. */
static void cancel(upload *self)
{
    if (self->session.len == 0) {
        return;
    }
    GS_AUTO_RESPONSE gs_http_response first = {0};
    GS_AUTO_RESPONSE gs_http_response state = {0};
    GS_AUTO_RESPONSE gs_http_response second = {0};
    int status = ask_session(self, "DELETE", &first);
    bool stale = status >= 400 && status <= 499 && status != 401 && status != 403;
    if (stale && ask_session(self, "GET", &state) == 204 && gs_call_location(self->registry, &state, &self->session, NULL) == 0) {
        (void)ask_session(self, "DELETE", &second);
    }
    gs_buf_clear(&self->session);
}

/* Takes the Location of an answer and derives the URL of the last request from it. */
static int move_session(upload *self, const gs_http_response *response, gs_error *err)
{
    GS_AUTO_BUF gs_buf location;
    gs_buf_init(&location, GS_MAX_HTTP_HEADER_BYTES);
    int code = gs_call_location(self->registry, response, &location, err);
    if (code) {
        return code;
    }
    char digest[GS_DIGEST_TEXT];
    gs_digest_text(self->digest, digest);
    gs_buf_clear(&self->session);
    gs_buf_add(&self->session, location.data, location.len);
    gs_buf_clear(&self->target);
    gs_buf_printf(&self->target, "%s%sdigest=", gs_buf_text(&location), strchr(gs_buf_text(&location), '?') ? "&" : "?");
    gs_url_escape(digest, &self->target);
    code = gs_buf_check(&self->session, err);
    return code ? code : gs_buf_check(&self->target, err);
}

static int open_session(upload *self, uint64_t *least_chunk, gs_error *err)
{
    GS_AUTO_CALL gs_call call;
    GS_AUTO_RESPONSE gs_http_response response = {0};
    int code = gs_call_init(&call, self->registry, self->repository, GS_ACCESS_PUSH, "blobs/uploads", "", err);
    call.http.method = "POST";
    code = code ? code : gs_call_send(self->registry, &call, &response, err);
    if (code) {
        return code;
    }
    if (response.status != 202) {
        return gs_call_refused(self->registry, &call, &response, err, "a blob cannot be pushed");
    }
    char text[32];
    uint64_t least;
    if (least_chunk && gs_http_header_get(&response, "OCI-Chunk-Min-Length", 0, text, sizeof text) &&
        gs_parse_u64(text, UINT64_MAX, &least)) {
        *least_chunk = least < LARGEST_CHUNK ? least : LARGEST_CHUNK;
    }
    return move_session(self, &response, err);
}

/* Progress that never runs back and never exceeds the blob, however often it is sent. */
static void sent(void *state, uint64_t bytes)
{
    upload *self = state;
    self->sent = bytes < self->len - self->sent ? self->sent + bytes : self->len;
    if (self->sent > self->reported) {
        uint64_t fresh = self->sent - self->reported;
        self->reported = self->sent;
        if (self->moved) {
            self->moved(self->state, fresh);
        }
    }
}

/* The answer to a PUT was lost or was one that passes: is the blob there? If not, begin anew in a session of its own. */
static int put_again(void *state, gs_error *err)
{
    upload *self = state;
    cancel(self);
    int code = gs_registry_has_blob(self->registry, self->repository, self->digest, &self->stored, err);
    if (code) {
        return code;
    }
    if (self->stored) {
        return gs_fail(err, GS_EEXISTS, "the blob is there");
    }
    self->sent = 0;
    code = open_session(self, NULL, err);
    self->put.http.url = gs_buf_text(&self->target);
    return code;
}

static void init_put(upload *self, gs_call *call)
{
    static const gs_http_header type = {"Content-Type", "application/octet-stream"};
    *call = (gs_call){.http = {.method = "PUT",
                               .url = gs_buf_text(&self->target),
                               .headers = &type,
                               .header_count = 1,
                               .body_fd = self->fd,
                               .body_offset = self->offset,
                               .body_len = self->len,
                               .idle_ms = self->registry->idle_ms ? self->registry->idle_ms : PUT_IDLE_MS,
                               .moved = sent,
                               .state = self},
                      .repository = self->repository};
    (void)snprintf(call->scope, sizeof call->scope, "repository:%s:pull,push", self->repository);
}

/* Judges the last answer of an upload. */
static int judge(const upload *self, const gs_call *call, const gs_http_response *response, gs_error *err)
{
    char name[GS_DIGEST_TEXT];
    gs_digest_text(self->digest, name);
    gs_digest told;
    if (answer_stored(response)) {
        if (gs_answer_digest(response, &told) && !gs_digest_equal(&told, self->digest)) {
            char other[GS_DIGEST_TEXT];
            gs_digest_text(&told, other);
            gs_fail(err, GS_EDIGEST, "the registry stored the blob %s as %s", name, other);
            return gs_registry_at(self->registry, self->repository, err);
        }
        return 0;
    }
    int code = gs_call_refused(self->registry, call, response, err, "the blob %s cannot be pushed", name);
    return gs_answer_has_code(response, "DIGEST_INVALID") ? gs_error_recode(err, GS_EDIGEST) : code;
}

static int put_whole(upload *self, int *status, gs_error *err)
{
    int code = open_session(self, NULL, err);
    if (code) {
        return code;
    }
    init_put(self, &self->put);
    self->put.restart = put_again;
    self->put.restart_state = self;
    self->sent = 0;
    GS_AUTO_RESPONSE gs_http_response response = {0};
    code = gs_call_send(self->registry, &self->put, &response, err);
    if (self->stored) {
        return 0;
    }
    *status = response.status;
    return code ? code : judge(self, &self->put, &response, err);
}

static int put_chunk(upload *self, uint64_t from, uint64_t len, int *status, gs_error *err)
{
    char range[64];
    (void)snprintf(range, sizeof range, "%llu-%llu", (unsigned long long)from, (unsigned long long)(from + len - 1));
    const gs_http_header headers[] = {{"Content-Type", "application/octet-stream"}, {"Content-Range", range}};
    gs_call call;
    init_put(self, &call);
    call.http.method = "PATCH";
    call.http.url = gs_buf_text(&self->session);
    call.http.headers = headers;
    call.http.header_count = 2;
    call.http.body_offset = self->offset + from;
    call.http.body_len = len;
    GS_AUTO_RESPONSE gs_http_response response = {0};
    int code = gs_call_send(self->registry, &call, &response, err);
    *status = response.status;
    if (code) {
        return code;
    }
    if (response.status < 200 || response.status > 299) {
        return gs_call_refused(self->registry, &call, &response, err, "a chunk of a blob cannot be pushed");
    }
    return move_session(self, &response, err);
}

static int put_chunks(upload *self, uint64_t chunk, int *status, gs_error *err)
{
    uint64_t least = 0;
    self->sent = 0;
    int code = open_session(self, &least, err);
    chunk = chunk > least ? chunk : least;
    for (uint64_t from = 0; code == 0 && from < self->len; from += chunk) {
        uint64_t left = self->len - from;
        code = put_chunk(self, from, left < chunk ? left : chunk, status, err);
    }
    if (code) {
        return code;
    }
    gs_call call;
    init_put(self, &call);
    call.http.body_fd = -1;
    call.http.body_len = 0;
    GS_AUTO_RESPONSE gs_http_response response = {0};
    code = gs_call_send(self->registry, &call, &response, err);
    *status = response.status;
    return code ? code : judge(self, &call, &response, err);
}

static uint64_t get_chunk(gs_registry *registry)
{
    pthread_mutex_lock(&registry->lock);
    uint64_t chunk = registry->chunk;
    pthread_mutex_unlock(&registry->lock);
    return chunk;
}

/* After 413: 0 -> FIRST -> SMALLEST; false when there is nothing smaller, or when the blob was no larger. */
static bool shrink_chunk(gs_registry *registry, uint64_t used, uint64_t len)
{
    if (used == SMALLEST_CHUNK || len <= SMALLEST_CHUNK) {
        return false;
    }
    uint64_t next = used == 0 && len > FIRST_CHUNK ? FIRST_CHUNK : SMALLEST_CHUNK;
    pthread_mutex_lock(&registry->lock);
    registry->chunk = next;
    pthread_mutex_unlock(&registry->lock);
    return true;
}

static int put(upload *self, gs_error *err)
{
    unsigned sessions = 1;
    for (;;) {
        uint64_t chunk = get_chunk(self->registry);
        bool whole = chunk == 0 || self->len <= chunk;
        int status = 0;
        int code = whole ? put_whole(self, &status, err) : put_chunks(self, chunk, &status, err);
        if (code == 0) {
            gs_buf_clear(&self->session);
            return 0;
        }
        cancel(self);
        /* 404 and 416 here: the registry has lost the session or its place in it, by a restart for one. */
        bool lost = (status == 404 || status == 416) && ++sessions <= SESSIONS;
        bool too_large = status == 413 && shrink_chunk(self->registry, whole ? 0 : chunk, self->len);
        if (!lost && !too_large) {
            return code;
        }
    }
}

int gs_registry_put_blob(gs_registry *registry, const char *repository, const gs_digest *digest, const gs_span *bytes,
                         gs_moved moved, void *state, gs_error *err)
{
    upload self = {.registry = registry,
                   .repository = repository,
                   .digest = digest,
                   .fd = bytes->fd,
                   .offset = bytes->offset,
                   .len = bytes->len,
                   .moved = moved,
                   .state = state};
    gs_buf_init(&self.session, GS_MAX_HTTP_HEADER_BYTES);
    gs_buf_init(&self.target, GS_MAX_HTTP_HEADER_BYTES + GS_DIGEST_TEXT + GS_KIB(1));
    int code = put(&self, err);
    gs_buf_done(&self.session);
    gs_buf_done(&self.target);
    return code;
}

int gs_registry_has_blob(gs_registry *registry, const char *repository, const gs_digest *digest, bool *found, gs_error *err)
{
    char name[GS_DIGEST_TEXT];
    gs_digest_text(digest, name);
    GS_AUTO_CALL gs_call call;
    GS_AUTO_RESPONSE gs_http_response response = {0};
    int code = gs_call_init(&call, registry, repository, GS_ACCESS_PUSH, "blobs", name, err);
    call.http.method = "HEAD";
    code = code ? code : gs_call_send(registry, &call, &response, err);
    if (code) {
        return code;
    }
    /* A redirect to the storage says enough: it is there. */
    bool there = response.status == 200 || (response.status >= 301 && response.status <= 308 && response.status != 304);
    if (!there && response.status != 404) {
        return gs_call_refused(registry, &call, &response, err, "cannot ask for the blob %s", name);
    }
    *found = there;
    return 0;
}

int gs_registry_mount_blob(gs_registry *registry, const char *repository, const char *from, const gs_digest *digest, bool *mounted,
                           gs_error *err)
{
    int code = gs_registry_check_repository(from, err);
    if (code) {
        return code;
    }
    char name[GS_DIGEST_TEXT];
    char query[GS_MAX_REFERENCE_BYTES];
    gs_digest_text(digest, name);
    (void)snprintf(query, sizeof query, "?mount=%s&from=%s", name, from);
    GS_AUTO_CALL gs_call call;
    GS_AUTO_RESPONSE gs_http_response response = {0};
    code = gs_call_init(&call, registry, repository, GS_ACCESS_PUSH, "blobs/uploads", query, err);
    if (code) {
        return code;
    }
    call.http.method = "POST";
    size_t len = strlen(call.scope);
    (void)snprintf(call.scope + len, sizeof call.scope - len, " repository:%s:pull", from);
    code = gs_call_send(registry, &call, &response, err);
    if (code) {
        return code;
    }
    if (response.status == 202) {
        upload self = {.registry = registry, .repository = repository, .digest = digest};
        gs_buf_init(&self.session, GS_MAX_HTTP_HEADER_BYTES);
        gs_buf_init(&self.target, GS_MAX_HTTP_HEADER_BYTES + GS_DIGEST_TEXT + GS_KIB(1));
        if (move_session(&self, &response, NULL) == 0) {
            cancel(&self);
        }
        gs_buf_done(&self.session);
        gs_buf_done(&self.target);
    }
    *mounted = response.status == 201;
    return 0;
}
