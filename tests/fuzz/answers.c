/* See answers.h. */
#include "answers.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fuzz.h"
#include "gapship/run.h"
#include "scratch.h"

#define SEPARATOR     "\n====\n"
#define MAX_OPEN      32u
#define REQUEST_BYTES 65536u

static struct sockaddr_un address = {.sun_family = AF_UNIX};
static int listener = -1;

/* Under the lock. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const uint8_t *rest;
static size_t rest_size;
static char requests[ANSWERS_MOST][REQUEST_BYTES];
static size_t request_count;

static void insist(bool holds, const char *what)
{
    if (!holds) {
        perror(what);
        _exit(2);
    }
}

/* A copy of the next answer, which is taken off the rest. */
static uint8_t *next_answer(size_t *size)
{
    const uint8_t *end = rest_size > 0 ? memmem(rest, rest_size, SEPARATOR, sizeof SEPARATOR - 1) : NULL;
    *size = end ? (size_t)(end - rest) : rest_size;
    uint8_t *answer = malloc(*size + 1);
    insist(answer != NULL, "malloc");
    if (*size > 0) {
        memcpy(answer, rest, *size);
    }
    size_t taken = end ? *size + sizeof SEPARATOR - 1 : *size;
    rest_size -= taken;
    rest = rest_size > 0 ? rest + taken : NULL;
    return answer;
}

/* The head of a request, and of its body what comes along with it; of TLS, which is not spoken here, the beginning. */
static void read_request(int connection, char request[REQUEST_BYTES])
{
    size_t len = 0;
    ssize_t got = 1;
    request[0] = '\0';
    while (got > 0 && len + 1 < REQUEST_BYTES && request[0] != '\x16' && !strstr(request, "\r\n\r\n")) {
        got = recv(connection, request + len, REQUEST_BYTES - 1 - len, 0);
        len += got > 0 ? (size_t)got : 0;
        request[len] = '\0';
    }
}

/* A client that stops reading and keeps the connection holds nobody up. */
static void write_all(int connection, const uint8_t *data, size_t size)
{
    const struct timeval patience = {.tv_sec = 1};
    (void)setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    while (size > 0) {
        ssize_t sent = send(connection, data, size, MSG_NOSIGNAL);
        if (sent <= 0) {
            return;
        }
        data += sent;
        size -= (size_t)sent;
    }
}

/* Takes the next connection, and gives it its answer. */
static int answer_one(void)
{
    static char request[REQUEST_BYTES];
    int connection = accept(listener, NULL, NULL);
    insist(connection >= 0, "accept");
    read_request(connection, request);
    pthread_mutex_lock(&lock);
    if (request_count < ANSWERS_MOST && request[0] != '\0') {
        memcpy(requests[request_count++], request, strlen(request) + 1);
    }
    size_t size;
    uint8_t *answer = next_answer(&size);
    pthread_mutex_unlock(&lock);
    write_all(connection, answer, size);
    free(answer);
    (void)shutdown(connection, SHUT_WR);
    return connection;
}

/* What clients still send is taken until they close, so that they see the end of the answer and not a reset. */
static bool drained(int connection)
{
    char waste[4096];
    return recv(connection, waste, sizeof waste, MSG_DONTWAIT) <= 0;
}

static void *serve(void *unused)
{
    struct pollfd watched[1 + MAX_OPEN] = {{.fd = listener, .events = POLLIN}};
    nfds_t count = 1;
    (void)unused;
    for (;;) {
        watched[0].events = count <= MAX_OPEN ? POLLIN : 0;
        insist(poll(watched, count, -1) > 0, "poll");
        for (nfds_t i = count - 1; i > 0; i--) {
            if (watched[i].revents && drained(watched[i].fd)) {
                close(watched[i].fd);
                watched[i] = watched[--count];
            }
        }
        if (watched[0].revents) {
            watched[count++] = (struct pollfd){.fd = answer_one(), .events = POLLIN};
        }
    }
    return NULL;
}

const char *answers_socket(void)
{
    if (listener < 0) {
        pthread_t thread;
        scratch_path("socket", address.sun_path);
        listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        insist(listener >= 0 && bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 64) == 0,
               address.sun_path);
        insist(pthread_create(&thread, NULL, serve, NULL) == 0, "thread");
        pthread_detach(thread);
    }
    return address.sun_path;
}

void answers_set(const uint8_t *data, size_t size)
{
    pthread_mutex_lock(&lock);
    rest = data;
    rest_size = size;
    request_count = 0;
    pthread_mutex_unlock(&lock);
}

size_t answers_asked(const char *found[ANSWERS_MOST])
{
    pthread_mutex_lock(&lock);
    size_t count = request_count;
    for (size_t i = 0; i < count; i++) {
        found[i] = requests[i];
    }
    pthread_mutex_unlock(&lock);
    return count;
}

bool answers_host(const char *request)
{
    const char *line = strcasestr(request, "\r\nHost: ");
    return line && strncasecmp(line + 8, ANSWERS_HOST "\r", sizeof ANSWERS_HOST) == 0;
}

/* Instead of gs_sleep. */
int __wrap_gs_sleep(const gs_run *run, int64_t milliseconds, gs_error *err);

int __wrap_gs_sleep(const gs_run *run, int64_t milliseconds, gs_error *err)
{
    (void)run;
    (void)err;
    check(milliseconds >= 0 && milliseconds <= 60000);
    return 0;
}
