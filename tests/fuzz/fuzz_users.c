/* The file of those who may pull, and after a line "====" an Authorization header: of a file that is accepted every line opens the
 * registry, and nothing else does. */
#include <string.h>
#include <strings.h>

#include "fuzz.h"
#include "gapship/crypto.h"
#include "gapship/limits.h"
#include "scratch.h"
#include "serve/users.h"

#define SEPARATOR "\n====\n"
#define SCHEME    "Basic "

static const uint8_t *file;
static size_t file_size;

/* The next line that names somebody, without its end, or NULL. */
static const char *next_user(size_t *at, size_t *len)
{
    while (*at < file_size) {
        const char *line = (const char *)file + *at;
        const char *end = memchr(line, '\n', file_size - *at);
        size_t width = end ? (size_t)(end - line) : file_size - *at;
        *at += width + 1;
        *len = width > 0 && line[width - 1] == '\r' ? width - 1 : width;
        if (*len > 0 && line[0] != '#') {
            return line;
        }
    }
    return NULL;
}

static bool is_named(const gs_buf *pair)
{
    size_t at = 0;
    size_t len;
    for (const char *line = next_user(&at, &len); line; line = next_user(&at, &len)) {
        if (len == pair->len && memcmp(line, pair->data, len) == 0) {
            return true;
        }
    }
    return false;
}

static void check_everybody(const gs_users *users)
{
    size_t at = 0;
    size_t len;
    for (const char *line = next_user(&at, &len); line; line = next_user(&at, &len)) {
        gs_error err = {0};
        GS_AUTO_BUF gs_buf header;
        gs_buf_init(&header, 2 * GS_MAX_SPEC_BYTES);
        gs_buf_add_text(&header, SCHEME);
        check(gs_base64_encode(line, len, &header, &err) == 0 && memchr(line, ':', len));
        check(gs_users_check(users, gs_buf_text(&header)) == (len <= GS_KIB(4)));
    }
}

static void check_header(const gs_users *users, const char *header)
{
    gs_error err = {0};
    GS_AUTO_BUF gs_buf pair;
    gs_buf_init(&pair, GS_MAX_SPEC_BYTES);
    bool named = strncasecmp(header, SCHEME, strlen(SCHEME)) == 0 && gs_base64_decode(header + strlen(SCHEME), &pair, &err) == 0 &&
                 is_named(&pair);
    check(gs_users_check(users, header) == (named && pair.len <= GS_KIB(4)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gs_error err = {0};
    gs_users *users = NULL;
    char path[SCRATCH_PATH];
    const uint8_t *end = memmem(data, size, SEPARATOR, strlen(SEPARATOR));
    file = data;
    file_size = end ? (size_t)(end - data) : size;
    char *header = end ? strndup((const char *)end + strlen(SEPARATOR), size - file_size - strlen(SEPARATOR)) : strdup("");
    scratch_write("users", file, file_size, path);
    if (gs_users_load(path, &users, &err) == 0) {
        check_everybody(users);
        check_header(users, header);
        check(!gs_users_check(users, NULL));
    } else {
        check(err.code == GS_ESPEC || err.code == GS_ELIMIT);
    }
    gs_users_free(users);
    free(header);
    return 0;
}
