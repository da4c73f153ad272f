/* One thread, one connection at a time: what the tests ask for, and no more. */
#include "script_server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MAX_REQUESTS  64u
#define REQUEST_BYTES (1u << 20)

struct script_server {
    const char *const *answers;
    int listener;
    int stop[2];
    char url[64];
    pthread_t thread;
    pthread_mutex_t lock;
    char *requests[MAX_REQUESTS];
    size_t count, connections;
};

/* Waits for fd or the end of the test; false at the end. */
static bool wait_for(const script_server *server, int fd)
{
    struct pollfd fds[] = {{.fd = fd, .events = POLLIN}, {.fd = server->stop[0], .events = POLLIN}};
    return poll(fds, 2, -1) > 0 && fds[1].revents == 0;
}

/* The length of the request at the start of text, or 0 when it is not whole yet. */
static size_t request_length(const char *text, size_t len)
{
    const char *end = strstr(text, "\r\n\r\n");
    if (!end) {
        return 0;
    }
    const char *field = strcasestr(text, "\r\nContent-Length:");
    size_t body = field && field < end ? strtoul(field + strlen("\r\nContent-Length:"), NULL, 10) : 0;
    size_t whole = (size_t)(end - text) + 4 + body;
    return len >= whole ? whole : 0;
}

static bool read_request(const script_server *server, int fd, char *text)
{
    size_t len = 0;
    text[0] = '\0';
    while (request_length(text, len) == 0) {
        if (!wait_for(server, fd)) {
            return false;
        }
        ssize_t got = read(fd, text + len, REQUEST_BYTES - 1 - len);
        if (got <= 0) {
            return false;
        }
        len += (size_t)got;
        text[len] = '\0';
    }
    return true;
}

static const char *keep_request(script_server *server, const char *text)
{
    pthread_mutex_lock(&server->lock);
    size_t n = server->count;
    const char *answer = server->answers[0];
    for (size_t i = 0; i <= n && server->answers[i]; i++) {
        answer = server->answers[i];
    }
    if (n < MAX_REQUESTS) {
        server->requests[n] = strdup(text);
        server->count++;
    }
    pthread_mutex_unlock(&server->lock);
    return answer;
}

static void serve_connection(script_server *server, int fd, char *text)
{
    while (read_request(server, fd, text)) {
        const char *answer = keep_request(server, text);
        if (strcmp(answer, HANG_UP) == 0) {
            return;
        }
        if (strcmp(answer, STALL) == 0) {
            (void)wait_for(server, fd);
            return;
        }
        if (send(fd, answer, strlen(answer), MSG_NOSIGNAL) < 0 || strstr(answer, "Connection: close")) {
            return;
        }
    }
}

static void *serve(void *state)
{
    script_server *server = state;
    char *text = malloc(REQUEST_BYTES);
    while (text && wait_for(server, server->listener)) {
        int fd = accept(server->listener, NULL, NULL);
        if (fd >= 0) {
            server->connections++;
            serve_connection(server, fd, text);
            close(fd);
        }
    }
    free(text);
    return NULL;
}

static void listen_somewhere(script_server *server, const char *socket_path)
{
    if (socket_path) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", socket_path);
        server->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(server->listener, (const struct sockaddr *)&address, sizeof address), 0);
    } else {
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t size = sizeof address;
        server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(server->listener, (const struct sockaddr *)&address, size), 0);
        assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &size), 0);
        (void)snprintf(server->url, sizeof server->url, "http://127.0.0.1:%u", ntohs(address.sin_port));
    }
    assert_int_equal(listen(server->listener, 16), 0);
}

script_server *script_server_start(const char *const *answers, const char *socket_path)
{
    script_server *server = calloc(1, sizeof *server);
    assert_non_null(server);
    server->answers = answers;
    listen_somewhere(server, socket_path);
    assert_int_equal(pipe(server->stop), 0);
    assert_int_equal(pthread_mutex_init(&server->lock, NULL), 0);
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
    return server;
}

void script_server_stop(script_server *server)
{
    close(server->stop[1]);
    pthread_join(server->thread, NULL);
    close(server->stop[0]);
    close(server->listener);
    for (size_t i = 0; i < server->count; i++) {
        free(server->requests[i]);
    }
    pthread_mutex_destroy(&server->lock);
    free(server);
}

const char *script_server_url(const script_server *server)
{
    return server->url;
}

size_t script_server_count(script_server *server)
{
    pthread_mutex_lock(&server->lock);
    size_t count = server->count;
    pthread_mutex_unlock(&server->lock);
    return count;
}

const char *script_server_request(script_server *server, size_t n)
{
    pthread_mutex_lock(&server->lock);
    const char *request = n < server->count ? server->requests[n] : "";
    pthread_mutex_unlock(&server->lock);
    return request;
}

size_t script_server_connections(script_server *server)
{
    return server->connections;
}
