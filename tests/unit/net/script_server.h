/* A server on loopback that answers each request by the next text of a script and keeps what it was asked. */
#ifndef GAPSHIP_TEST_SCRIPT_SERVER_H
#define GAPSHIP_TEST_SCRIPT_SERVER_H

#include "support.h"

/* Instead of an answer: */
#define HANG_UP "hang up" /* close the connection */
#define STALL   "stall"   /* say nothing until the client goes away */

typedef struct script_server script_server;

/* Starts; answers is NULL-terminated and borrowed; the last one is repeated. socket_path: a unix socket instead of a port. */
script_server *script_server_start(const char *const *answers, const char *socket_path);
/* Ends the server and frees it. */
void script_server_stop(script_server *server);
/* "http://127.0.0.1:PORT". */
const char *script_server_url(const script_server *server);
/* How many requests came, and the n-th (head and body); owned by the server, to be read after the client's call has returned. */
size_t script_server_count(script_server *server);
const char *script_server_request(script_server *server, size_t n);
size_t script_server_connections(script_server *server);

#endif
