/* The embedded registry's HTTP: listens, asks for a password, hands requests to answer.c, sends spans of bundle files. */
#include "gapship/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "answer.h"
#include "gapship/fs.h"
#include "gapship/limits.h"
#include "gapship/num.h"
#include "users.h"

#define GS_SERVE_THREADS          4u
#define GS_SERVE_CONNECTIONS      1000u
#define GS_SERVE_IDLE_SECONDS     120u
#define GS_SERVE_CONNECTION_BYTES GS_KIB(128) /* tokens of several KiB come as headers */
#define GS_SERVE_BACKLOG          511
#define GS_SERVE_OTHER_FILES      128u /* ledger, bundles, the library's own */
#define GS_SERVE_TLS              "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

struct gs_server {
    const gs_run *run;
    struct MHD_Daemon *daemon;
    pthread_rwlock_t lock; /* of catalogue: held for reading while a request is answered */
    bool has_lock;
    gs_catalogue catalogue;
    gs_users *users;
    gs_buf certificate, key;
    const char *prefix;
    char address[128];
};

/* ---- one request ---- */

static struct MHD_Response *make_response(const gs_answer *answer)
{
    if (answer->fd < 0) {
        return MHD_create_response_from_buffer(answer->body.len, answer->body.data, MHD_RESPMEM_MUST_COPY);
    }
    int fd = fcntl(answer->fd, F_DUPFD_CLOEXEC, 0); /* the library closes it */
    if (fd < 0) {
        return NULL;
    }
    struct MHD_Response *response = MHD_create_response_from_fd_at_offset64(answer->length, fd, answer->offset);
    if (!response) {
        (void)close(fd);
    }
    return response;
}

static enum MHD_Result send_answer(struct MHD_Connection *connection, const gs_answer *answer)
{
    struct MHD_Response *response = make_response(answer);
    if (!response) {
        return MHD_NO;
    }
    for (size_t i = 0; i < answer->header_count; i++) {
        (void)MHD_add_response_header(response, answer->headers[i].name, answer->headers[i].value);
    }
    enum MHD_Result sent = MHD_queue_response(connection, (unsigned)answer->status, response);
    MHD_destroy_response(response);
    return sent;
}

static const char *query(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, name);
}

static const char *header(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static void ask_password(gs_answer *out)
{
    *out = (gs_answer){.fd = -1};
    gs_buf_init(&out->body, GS_KIB(4));
    gs_answer_header(out, "Docker-Distribution-Api-Version", "registry/2.0");
    gs_answer_header(out, "WWW-Authenticate", "Basic realm=\"gapship\"");
    gs_answer_error(out, 401, "UNAUTHORIZED", "this registry wants a user and a password");
}

static bool has_body(struct MHD_Connection *connection)
{
    const char *length = header(connection, "Content-Length");
    return (length && strcmp(length, "0") != 0) || header(connection, "Transfer-Encoding");
}

/* Is called when the headers are there, and again when the body is. This registry takes no body: where one is coming, the first call
 * answers, and the library then closes the connection without reading it. Else the second call does, and the connection is kept. */
static enum MHD_Result handle(void *state, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *upload, size_t *upload_size, void **request)
{
    (void)version;
    (void)upload;
    (void)upload_size;
    gs_server *server = state;
    if (!*request && !has_body(connection)) {
        *request = server;
        return MHD_YES;
    }
    gs_answer answer;
    pthread_rwlock_rdlock(&server->lock); /* until the answer's file is duplicated */
    if (server->users && !gs_users_check(server->users, header(connection, "Authorization"))) {
        ask_password(&answer);
    } else {
        const gs_ask ask = {.method = method,
                            .path = url,
                            .ns = query(connection, "ns"),
                            .n = query(connection, "n"),
                            .last = query(connection, "last"),
                            .artifact_type = query(connection, "artifactType"),
                            .range = header(connection, "Range"),
                            .if_none_match = header(connection, "If-None-Match")};
        gs_answer_make(&server->catalogue, &ask, &answer);
    }
    gs_emit(server->run, GS_DEBUG, "request", NULL, 0, "%s %s %d", method, url, answer.status);
    enum MHD_Result sent = send_answer(connection, &answer);
    pthread_rwlock_unlock(&server->lock);
    gs_answer_done(&answer);
    return sent;
}

/* ---- listening ---- */

/* "HOST:PORT" or "[HOST]:PORT", numeric; for freeaddrinfo. */
static int parse_address(const char *listen, struct addrinfo **out, gs_error *err)
{
    char host[64];
    const char *colon = strrchr(listen, ':');
    const bool bracketed = listen[0] == '[' && colon > listen && colon[-1] == ']';
    const char *start = bracketed ? listen + 1 : listen;
    const size_t len = colon ? (size_t)(colon - start) - (bracketed ? 1 : 0) : 0;
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE, .ai_socktype = SOCK_STREAM};
    uint64_t port = 0;
    if (len > 0 && len < sizeof host && gs_parse_u64(colon + 1, UINT16_MAX, &port)) {
        memcpy(host, start, len);
        host[len] = '\0';
        if (getaddrinfo(host, colon + 1, &hints, out) == 0) {
            return 0;
        }
    }
    return gs_fail(err, GS_EUSAGE, "\"%s\" is no address to listen on; write ADDRESS:PORT in numbers, as 127.0.0.1:5000", listen);
}

static int open_socket(const struct addrinfo *address, const char *listen_on, int *out, gs_error *err)
{
    const int yes = 1;
    GS_AUTO_FD int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    /* Without it a restart would have to wait for the connections of the process before. */
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        bind(fd, address->ai_addr, address->ai_addrlen) != 0 || listen(fd, GS_SERVE_BACKLOG) != 0) {
        (void)gs_fail(err, GS_ENETWORK, "cannot listen on %s: %s", listen_on, strerror(errno));
        return gs_error_hint(err, "another program may have this port, or the machine not this address: see `ss -ltnp`");
    }
    *out = fd;
    fd = -1;
    return 0;
}

/* With the port that the kernel chose where 0 was asked for. */
static int write_address(gs_server *server, int fd, gs_error *err)
{
    char host[64], port[8];
    struct sockaddr_storage bound = {0};
    socklen_t len = sizeof bound;
    if (getsockname(fd, (struct sockaddr *)&bound, &len) != 0 ||
        getnameinfo((struct sockaddr *)&bound, len, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
        return gs_fail(err, GS_ENETWORK, "cannot tell the address that is listened on");
    }
    (void)snprintf(server->address, sizeof server->address, bound.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
    return 0;
}

/* Each connection may hold a file of its own while a blob is sent; the limit that programs start with is made for fewer. */
static unsigned connection_limit(void)
{
    const rlim_t wanted = 2 * GS_SERVE_CONNECTIONS + GS_SERVE_OTHER_FILES;
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) {
        return GS_SERVE_THREADS;
    }
    if (files.rlim_cur < wanted) {
        struct rlimit raised = {.rlim_cur = files.rlim_max < wanted ? files.rlim_max : wanted, .rlim_max = files.rlim_max};
        files = setrlimit(RLIMIT_NOFILE, &raised) == 0 ? raised : files;
    }
    if (files.rlim_cur >= wanted) {
        return GS_SERVE_CONNECTIONS;
    }
    const rlim_t most = files.rlim_cur > GS_SERVE_OTHER_FILES ? (files.rlim_cur - GS_SERVE_OTHER_FILES) / 2 : 0;
    return most > GS_SERVE_THREADS ? (unsigned)most : GS_SERVE_THREADS;
}

/* ---- starting ---- */

static int load_tls(gs_server *server, const gs_serve_options *options, gs_error *err)
{
    gs_buf_init(&server->certificate, GS_MIB(1));
    gs_buf_init(&server->key, GS_MAX_KEY_FILE_BYTES);
    if (!options->certificate && !options->key) {
        return 0;
    }
    if (!options->certificate || !options->key) {
        return gs_fail(err, GS_EUSAGE, "TLS needs both a certificate and its key");
    }
    int code = gs_fs_read_file(AT_FDCWD, options->certificate, &server->certificate, err);
    return code < 0 ? code : gs_fs_read_secret(AT_FDCWD, options->key, &server->key, err);
}

/* Takes the socket over: the library closes it, also when it does not start. */
static int start_daemon(gs_server *server, int fd, gs_error *err)
{
    unsigned flags = MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD;
    struct MHD_OptionItem tls[4] = {{MHD_OPTION_END, 0, NULL}};
    if (server->key.len > 0) {
        flags |= MHD_USE_TLS;
        tls[0] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)gs_buf_text(&server->certificate)};
        tls[1] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)gs_buf_text(&server->key)};
        tls[2] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)GS_SERVE_TLS};
        tls[3] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
    }
    server->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, handle, server, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_THREAD_POOL_SIZE, GS_SERVE_THREADS,
        MHD_OPTION_CONNECTION_LIMIT, connection_limit(), MHD_OPTION_CONNECTION_TIMEOUT, GS_SERVE_IDLE_SECONDS,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)GS_SERVE_CONNECTION_BYTES, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
    if (server->daemon) {
        return 0;
    }
    if (server->key.len == 0) {
        return gs_fail(err, GS_EINTERNAL, "the HTTP server does not start");
    }
    (void)gs_fail(err, GS_ESPEC, "the registry's certificate and key cannot be used");
    return gs_error_hint(
        err, "the certificate is a chain in PEM, the server's own first; the key is its key, in PEM, without a password");
}

static int begin_listening(gs_server *server, const char *listen, gs_error *err)
{
    GS_AUTO_FD int fd = -1;
    struct addrinfo *address = NULL;
    int code = parse_address(listen, &address, err);
    if (code < 0) {
        return code;
    }
    code = open_socket(address, listen, &fd, err);
    freeaddrinfo(address);
    if (code == 0) {
        code = write_address(server, fd, err);
    }
    if (code == 0) {
        const int given = fd;
        fd = -1;
        code = start_daemon(server, given, err);
    }
    return code;
}

int gs_serve_start(const gs_run *run, const gs_serve_options *options, const gs_verified *const *bundles, size_t count,
                   gs_server **out, gs_error *err)
{
    gs_server *server = calloc(1, sizeof *server);
    if (!server) {
        return gs_fail_nomem(err);
    }
    server->run = run;
    server->prefix = options->prefix;
    server->has_lock = pthread_rwlock_init(&server->lock, NULL) == 0;
    int code = server->has_lock ? load_tls(server, options, err) : gs_fail_nomem(err);
    if (code == 0 && options->users) {
        code = gs_users_load(options->users, &server->users, err);
    }
    if (code == 0) {
        code = gs_catalogue_make(options->prefix, bundles, count, &server->catalogue, err);
    }
    if (code == 0) {
        code = begin_listening(server, options->listen, err);
    }
    if (code < 0) {
        gs_serve_stop(server);
        return code;
    }
    *out = server;
    return 0;
}

int gs_serve_replace(gs_server *server, const gs_verified *const *bundles, size_t count, gs_error *err)
{
    gs_catalogue fresh;
    int code = gs_catalogue_make(server->prefix, bundles, count, &fresh, err);
    if (code < 0) {
        return code;
    }
    pthread_rwlock_wrlock(&server->lock);
    gs_catalogue old = server->catalogue;
    server->catalogue = fresh;
    pthread_rwlock_unlock(&server->lock);
    gs_catalogue_done(&old);
    return 0;
}

const char *gs_serve_address(const gs_server *server)
{
    return server->address;
}

void gs_serve_stop(gs_server *server)
{
    if (!server) {
        return;
    }
    if (server->daemon) {
        MHD_stop_daemon(server->daemon);
    }
    if (server->has_lock) {
        pthread_rwlock_destroy(&server->lock);
    }
    gs_catalogue_done(&server->catalogue);
    gs_users_free(server->users);
    gs_buf_done(&server->certificate);
    if (server->key.data) {
        gs_wipe(server->key.data, server->key.len);
    }
    gs_buf_done(&server->key);
    free(server);
}

const char *gs_serve_version(void)
{
    return "libmicrohttpd " GS_MICROHTTPD_VERSION;
}
