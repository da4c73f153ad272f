/* The embedded registry's HTTP: listens, asks for a password, hands requests to answer.c, sends spans of bundle files. */
#include "gapship/serve.h"

#include <fcntl.h>
#include <microhttpd.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "answer.h"
#include "gapship/fs.h"
#include "gapship/limits.h"
#include "users.h"

#define GS_SERVE_THREADS          4u
#define GS_SERVE_CONNECTIONS      1000u
#define GS_SERVE_IDLE_SECONDS     120u
#define GS_SERVE_CONNECTION_BYTES GS_KIB(64)

struct gs_server {
    const gs_run *run;
    struct MHD_Daemon *daemon;
    gs_catalogue catalogue;
    gs_users *users;
    gs_buf certificate, key;
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

/* Answers in the first call, before any body is read: there is none this registry would take. */
static enum MHD_Result handle(void *state, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *upload, size_t *upload_size, void **request)
{
    (void)version;
    (void)upload;
    (void)upload_size;
    (void)request;
    const gs_server *server = state;
    gs_answer answer;
    if (server->users && !gs_users_check(server->users, header(connection, "Authorization"))) {
        answer = (gs_answer){.fd = -1};
        gs_buf_init(&answer.body, GS_KIB(4));
        gs_answer_error(&answer, 401, "UNAUTHORIZED", "this registry wants a user and a password");
        gs_answer_header(&answer, "WWW-Authenticate", "Basic realm=\"gapship\"");
        gs_answer_header(&answer, "Docker-Distribution-Api-Version", "registry/2.0");
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
    gs_answer_done(&answer);
    return sent;
}

/* ---- starting ---- */

/* "HOST:PORT" or "[HOST]:PORT", numeric. */
static int parse_address(const char *listen, struct sockaddr_storage *out, gs_error *err)
{
    char host[64];
    const char *colon = strrchr(listen, ':');
    const char *start = listen[0] == '[' ? listen + 1 : listen;
    size_t len = colon ? (size_t)(colon - start) : 0;
    if (len > 0 && listen[0] == '[' && start[len - 1] == ']') {
        len--;
    }
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    if (!colon || len == 0 || len >= sizeof host) {
        return gs_fail(err, GS_EUSAGE, "\"%s\" is no address to listen on; write HOST:PORT, as 127.0.0.1:5000", listen);
    }
    memcpy(host, start, len);
    host[len] = '\0';
    if (getaddrinfo(host, colon + 1, &hints, &found) != 0) {
        return gs_fail(err, GS_EUSAGE, "\"%s\" is no numeric address to listen on; write HOST:PORT, as 127.0.0.1:5000", listen);
    }
    memcpy(out, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return 0;
}

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
    int rc = gs_fs_read_file(AT_FDCWD, options->certificate, &server->certificate, err);
    return rc < 0 ? rc : gs_fs_read_secret(AT_FDCWD, options->key, &server->key, err);
}

static int start_daemon(gs_server *server, const struct sockaddr_storage *address, const char *listen, gs_error *err)
{
    unsigned flags = MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD | (address->ss_family == AF_INET6 ? MHD_USE_IPv6 : 0);
    struct MHD_OptionItem tls[] = {{MHD_OPTION_END, 0, NULL}, {MHD_OPTION_END, 0, NULL}, {MHD_OPTION_END, 0, NULL}};
    if (server->key.len > 0) {
        flags |= MHD_USE_TLS;
        tls[0] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)gs_buf_text(&server->certificate)};
        tls[1] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)gs_buf_text(&server->key)};
    }
    server->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, handle, server, MHD_OPTION_SOCK_ADDR, (const struct sockaddr *)address, MHD_OPTION_THREAD_POOL_SIZE,
        GS_SERVE_THREADS, MHD_OPTION_CONNECTION_LIMIT, GS_SERVE_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT, GS_SERVE_IDLE_SECONDS,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)GS_SERVE_CONNECTION_BYTES, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
    if (!server->daemon) {
        gs_fail(err, GS_ENETWORK, "cannot listen on %s", listen);
        return gs_error_hint(err, "another program may use the port; or the certificate and key do not fit");
    }
    return 0;
}

static void write_address(gs_server *server, const char *listen)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);
    const char *colon = strrchr(listen, ':');
    (void)snprintf(server->address, sizeof server->address, "%.*s:%u", (int)(colon - listen), listen, info ? info->port : 0U);
}

int gs_serve_start(const gs_run *run, const gs_serve_options *options, const gs_verified *const *bundles, size_t count,
                   gs_server **out, gs_error *err)
{
    struct sockaddr_storage address = {0};
    gs_server *server = calloc(1, sizeof *server);
    if (!server) {
        return gs_fail_nomem(err);
    }
    server->run = run;
    int rc = load_tls(server, options, err);
    if (rc == 0) {
        rc = parse_address(options->listen, &address, err);
    }
    if (rc == 0 && options->users) {
        rc = gs_users_load(options->users, &server->users, err);
    }
    if (rc == 0) {
        rc = gs_catalogue_make(options->prefix, bundles, count, &server->catalogue, err);
    }
    if (rc == 0) {
        rc = start_daemon(server, &address, options->listen, err);
    }
    if (rc < 0) {
        gs_serve_stop(server);
        return rc;
    }
    write_address(server, options->listen);
    *out = server;
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
    gs_catalogue_done(&server->catalogue);
    gs_users_free(server->users);
    gs_buf_done(&server->certificate);
    gs_buf_done(&server->key);
    free(server);
}

const char *gs_serve_version(void)
{
    return "libmicrohttpd";
}
