/* Who may pull: the file of users, and the header. */
#include "serve/users.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "gapship/crypto.h"
#include "gapship/limits.h"
#include "support.h"

static void path_of(const gs_tempdir *dir, char out[512])
{
    (void)snprintf(out, 512, "%s/users", dir->path);
}

static int load(const gs_tempdir *dir, const char *text, size_t len, mode_t mode, gs_users **out, gs_error *err)
{
    char path[512];
    gs_error mine = {0};
    path_of(dir, path);
    assert_ok(&mine, gs_fs_write_file(AT_FDCWD, path, text, len, 0600, &mine));
    assert_int_equal(chmod(path, mode), 0);
    return gs_users_load(path, out, err);
}

static bool lets_in(const gs_users *users, const char *scheme, const char *pair, size_t len)
{
    gs_error err = {0};
    gs_buf text;
    gs_buf_init(&text, GS_KIB(64));
    gs_buf_add_text(&text, scheme);
    gs_buf encoded;
    gs_buf_init(&encoded, GS_KIB(64));
    assert_ok(&err, gs_base64_encode(pair, len, &encoded, &err));
    gs_buf_add_text(&text, gs_buf_text(&encoded));
    bool found = gs_users_check(users, gs_buf_text(&text));
    gs_buf_done(&encoded);
    gs_buf_done(&text);
    return found;
}

static void the_named_ones_are_let_in(void **state)
{
    static const char file[] = "# nodes\nnode:s3cret\r\n\nadmin:a:b\nempty:\nlast:one";
    static const struct {
        const char *scheme, *pair;
        bool in;
    } cases[] = {
        {"Basic ", "node:s3cret", true},
        {"basic ", "node:s3cret", true},
        {"Basic ", "admin:a:b", true},
        {"Basic ", "empty:", true},
        {"Basic ", "last:one", true},
        {"Basic ", "node:s3cre", false},
        {"Basic ", "node:s3cret2", false},
        {"Basic ", "node:s3cret\r", false},
        {"Basic ", "Node:s3cret", false},
        {"Basic ", "node", false},
        {"Basic ", "", false},
        {"Basic ", "# nodes", false},
        {"Bearer ", "node:s3cret", false},
        {"", "node:s3cret", false},
        {"Basic", "node:s3cret", false},
    };
    gs_error err = {0};
    gs_users *users = NULL;
    assert_ok(&err, load(*state, file, strlen(file), 0600, &users, &err));
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        if (lets_in(users, cases[i].scheme, cases[i].pair, strlen(cases[i].pair)) != cases[i].in) {
            fail_msg("%s%s", cases[i].scheme, cases[i].pair);
        }
    }
    assert_false(lets_in(users, "Basic ", "node:s3cret\0x", 13));
    assert_false(gs_users_check(users, NULL));
    assert_false(gs_users_check(users, ""));
    assert_false(gs_users_check(users, "Basic "));
    assert_false(gs_users_check(users, "Basic !!!"));
    assert_false(gs_users_check(users, "Basic bm9kZTpzM2NyZXQ")); /* its padding is missing */
    assert_false(gs_users_check(users, "Basic bm9kZTpzM2NyZXQ= x"));
    gs_users_free(users);
}

static void a_long_header_is_refused_not_cut(void **state)
{
    gs_error err = {0};
    gs_users *users = NULL;
    gs_buf pair;
    gs_buf_init(&pair, GS_KIB(64));
    gs_buf_add_text(&pair, "node:s3cret");
    assert_ok(&err, load(*state, pair.data, pair.len, 0600, &users, &err));
    gs_buf_add_zeros(&pair, 20000);
    assert_false(lets_in(users, "Basic ", pair.data, pair.len));
    gs_buf_done(&pair);
    gs_users_free(users);
}

static void bad_files_are_named_with_the_line(void **state)
{
    static const struct {
        const char *text;
        mode_t mode;
        int code;
        const char *says;
    } cases[] = {
        {"node:s3cret\n", 0640, GS_ESPEC, "others can read this secret"},
        {"node:s3cret\n", 0604, GS_ESPEC, "0604"},
        {"node:s3cret\nadmin\n", 0600, GS_ESPEC, "this line is not \"user:password\""},
        {"node:s3cret\nadmin\n", 0600, GS_ESPEC, "/users:2"},
        {"\n\n:s3cret\n", 0600, GS_ESPEC, "/users:3"},
        {"", 0600, GS_ESPEC, "nobody is named here"},
        {"# node:s3cret\n\n", 0600, GS_ESPEC, "nobody is named here"},
    };
    gs_error err = {0};
    gs_users *users = NULL;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_fails(&err, cases[i].code, cases[i].says,
                     load(*state, cases[i].text, strlen(cases[i].text), cases[i].mode, &users, &err));
        assert_null(users);
    }
}

static void too_many_users_are_refused(void **state)
{
    gs_error err = {0};
    gs_users *users = NULL;
    gs_buf text;
    gs_buf_init(&text, GS_MIB(1));
    for (int i = 0; i < 1000; i++) {
        gs_buf_printf(&text, "user%d:password\n", i);
    }
    assert_ok(&err, load(*state, text.data, text.len, 0600, &users, &err));
    assert_true(lets_in(users, "Basic ", "user999:password", 16));
    gs_users_free(users);
    users = NULL;
    gs_buf_add_text(&text, "one:more\n");
    assert_fails(&err, GS_ELIMIT, "/users:1001", load(*state, text.data, text.len, 0600, &users, &err));
    gs_buf_done(&text);
}

static void a_missing_file_is_an_error(void **state)
{
    gs_error err = {0};
    gs_users *users = NULL;
    char path[512];
    path_of(*state, path);
    assert_fails(&err, GS_ENOTFOUND, "users", gs_users_load(path, &users, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_in_tempdir(the_named_ones_are_let_in),         test_in_tempdir(a_long_header_is_refused_not_cut),
        test_in_tempdir(bad_files_are_named_with_the_line), test_in_tempdir(too_many_users_are_refused),
        test_in_tempdir(a_missing_file_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
