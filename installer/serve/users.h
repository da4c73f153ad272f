/* Basic authentication of the embedded registry. Private to installer/serve. */
#ifndef GAPSHIP_SERVE_USERS_H
#define GAPSHIP_SERVE_USERS_H

#include <stdbool.h>

#include "gapship/error.h"

typedef struct gs_users gs_users;
/* "user:password" lines of a file that only its owner may read. */
int gs_users_load(const char *path, gs_users **out, gs_error *err) GS_MUST_USE;
void gs_users_free(gs_users *users);
/* Whether an Authorization header names one of them. Takes as long for a wrong password as for a right one. */
bool gs_users_check(const gs_users *users, const char *authorization);

#endif
