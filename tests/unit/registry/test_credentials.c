/* Credentials files as docker, podman and people write them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gapship/registry.h"
#include "gapship/text.h"
#include "support.h"

/* "rita:secret", "org:secret", "user:pa:ss:word" */
#define RITA  "cml0YTpzZWNyZXQ="
#define ORG   "b3JnOnNlY3JldA=="
#define COLON "dXNlcjpwYTpzczp3b3Jk"

static int read_text(const gs_tempdir *dir, const char *text, const char *host, const char *repository, gs_credentials *out,
                     gs_error *err)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/auth", dir->path);
    support_write(dir->fd, "auth", text);
    assert_int_equal(chmod(path, 0600), 0);
    return gs_credentials_read(NULL, path, host, repository, out, err);
}

static void entries_are_found(void **state)
{
    static const struct {
        const char *file, *host, *repository, *user, *password;
    } cases[] = {
        {"rita:secret", "h", "a", "rita", "secret"},
        {"rita:secret\r\n", "h", "a", "rita", "secret"},
        {"user:pa:ss:word\n", "h", "a", "user", "pa:ss:word"},
        {"rita:\n", "h", "a", "rita", ""},
        {"{}", "h", "a", NULL, NULL},
        {"{\"auths\":{}}", "h", "a", NULL, NULL},
        {"{\"auths\":{\"h\":{\"auth\":\"" RITA "\"}}}", "h", "a", "rita", "secret"},
        {"{\"auths\":{\"h\":{\"auth\":\"" COLON "\"}}}", "h", "a", "user", "pa:ss:word"},
        {"{\"auths\":{\"h\":{\"username\":\"u\",\"password\":\"p:w\"}}}", "h", "a", "u", "p:w"},
        {"{\"auths\":{\"h\":{}}}", "h", "a", NULL, NULL},
        {"{\"auths\":{\"h:5000\":{\"auth\":\"" RITA "\"}}}", "h:5000", "a", "rita", "secret"},
        {"{\"auths\":{\"h:5000\":{\"auth\":\"" RITA "\"}}}", "h", "a", NULL, NULL},
        {"{\"auths\":{\"h\":{\"auth\":\"" RITA "\"}}}", "h.evil", "a", NULL, NULL},
        /* the keys of old docker versions */
        {"{\"auths\":{\"https://h/v1/\":{\"auth\":\"" RITA "\"}}}", "h", "a", "rita", "secret"},
        {"{\"auths\":{\"https://h\":{\"auth\":\"" RITA "\"}}}", "h", "a", "rita", "secret"},
        {"{\"auths\":{\"h/v2/\":{\"auth\":\"" RITA "\"}}}", "h", "a", "rita", "secret"},
        /* Docker Hub by each of its names */
        {"{\"auths\":{\"https://index.docker.io/v1/\":{\"auth\":\"" RITA "\"}}}", "registry-1.docker.io", "library/a", "rita",
         "secret"},
        {"{\"auths\":{\"docker.io\":{\"auth\":\"" RITA "\"}}}", "docker.io", "library/a", "rita", "secret"},
        {"{\"auths\":{\"index.docker.io\":{\"auth\":\"" RITA "\"}}}", "registry-1.docker.io", "library/a", "rita", "secret"},
        /* the longest path wins, and a path is more than the start of a name */
        {"{\"auths\":{\"h\":{\"auth\":\"" RITA "\"},\"h/org\":{\"auth\":\"" ORG "\"}}}", "h", "org/app", "org", "secret"},
        {"{\"auths\":{\"h/org\":{\"auth\":\"" ORG "\"},\"h\":{\"auth\":\"" RITA "\"}}}", "h", "org", "org", "secret"},
        {"{\"auths\":{\"h\":{\"auth\":\"" RITA "\"},\"h/org\":{\"auth\":\"" ORG "\"}}}", "h", "organ/app", "rita", "secret"},
        {"{\"auths\":{\"h/org/app\":{\"auth\":\"" RITA "\"},\"h/org\":{\"auth\":\"" ORG "\"}}}", "h", "org/app", "rita", "secret"},
        {"{\"auths\":{\"h/org\":{\"auth\":\"" ORG "\"}}}", "h", "other", NULL, NULL},
        {"{\"auths\":{\"h/org\":{\"auth\":\"" ORG "\"}}}", "h", "", NULL, NULL},
    };
    gs_tempdir *dir = *state;
    gs_error err = {0};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        gs_credentials found = {0};
        assert_ok(&err, read_text(dir, cases[i].file, cases[i].host, cases[i].repository, &found, &err));
        if (!gs_text_equal(found.user, cases[i].user) || !gs_text_equal(found.password, cases[i].password)) {
            fail_msg("%s for %s/%s: %s:%s", cases[i].file, cases[i].host, cases[i].repository, found.user, found.password);
        }
        gs_credentials_done(&found);
        assert_null(found.password);
    }
}

static void tokens_are_found(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    gs_credentials found = {0};
    assert_ok(&err,
              read_text(dir, "{\"auths\":{\"h\":{\"identitytoken\":\"refresh\",\"auth\":\"cml0YTo=\"}}}", "h", "a", &found, &err));
    assert_string_equal(found.identity_token, "refresh");
    assert_string_equal(found.user, "rita");
    assert_null(found.password);
    gs_credentials_done(&found);
    assert_ok(&err, read_text(dir, "{\"auths\":{\"h\":{\"registrytoken\":\"bearer\"}}}", "h", "a", &found, &err));
    assert_string_equal(found.registry_token, "bearer");
    gs_credentials_done(&found);
}

static void files_that_cannot_be_used(void **state)
{
    static const struct {
        const char *file, *says;
    } cases[] = {
        {"", "not of the form user:password"},
        {"verysecret", "not of the form user:password"},
        {":verysecret", "not of the form user:password"},
        {"rita:verysecret\nrita:verysecret\n", "neither one line"},
        {"{\"auths\":{\"h\":{\"auth\":\"***\"}}}", "the entry \"h\": \"auth\" is not base64"},
        {"{\"auths\":{\"h\":{\"auth\":\"dmVyeXNlY3JldA==\"}}}", "the entry \"h\": it is not of the form"},
        {"{\"auths\":", NULL},
        {"{\"credsStore\":\"../../bin/sh\"}", "not the name of a credential helper"},
    };
    gs_tempdir *dir = *state;
    gs_error err = {0};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        gs_credentials found = {.user = NULL};
        assert_int_equal(read_text(dir, cases[i].file, "h", "a", &found, &err), GS_ESPEC);
        assert_contains(err.message, "/auth cannot be used");
        assert_contains(err.message, cases[i].says ? cases[i].says : "");
        assert_null(strstr(err.message, "verysecret"));
        assert_null(found.user);
    }
}

static void a_file_that_others_can_read(void **state)
{
    gs_tempdir *dir = *state;
    char path[256];
    gs_error err = {0};
    gs_credentials found = {0};
    (void)snprintf(path, sizeof path, "%s/auth", dir->path);
    support_write(dir->fd, "auth", "rita:secret");
    static const mode_t modes[] = {0644, 0640, 0604, 0660};
    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        assert_int_equal(chmod(path, modes[i]), 0);
        assert_fails(&err, GS_ESPEC, "chmod 600", gs_credentials_read(NULL, path, "h", "a", &found, &err));
    }
    assert_fails(&err, GS_ENOTFOUND, "absent", gs_credentials_read(NULL, "absent", "h", "a", &found, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_in_tempdir(entries_are_found),
        test_in_tempdir(tokens_are_found),
        test_in_tempdir(files_that_cannot_be_used),
        test_in_tempdir(a_file_that_others_can_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
