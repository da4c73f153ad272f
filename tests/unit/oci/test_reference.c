/* Image references against the vectors of references.txt, and what the vectors do not say. */
#include <stdio.h>
#include <string.h>

#include "gapship/limits.h"
#include "gapship/oci.h"
#include "gapship/text.h"
#include "support.h"

#define SEPARATOR " | "

/* Cuts off the text before the separator. */
static char *next_field(char **rest)
{
    char *field = *rest;
    char *end = strstr(field, SEPARATOR);
    *rest = end ? end + strlen(SEPARATOR) : field + strlen(field);
    if (end) {
        *end = '\0';
    }
    return field;
}

static void check_part(const char *input, const char *part, const char *seen, const char *wanted)
{
    if (strcmp(seen, strcmp(wanted, "-") == 0 ? "" : wanted) != 0) {
        fail_msg("\"%s\": the %s is \"%s\", wanted \"%s\"", input, part, seen, wanted);
    }
}

static void check_round_trip(const char *input, const gs_reference *reference)
{
    gs_error err = {0};
    gs_reference again;
    char text[GS_REFERENCE_TEXT];
    gs_reference_text(reference, text);
    assert_ok(&err, gs_reference_parse(text, &again, &err));
    if (memcmp(reference, &again, sizeof again) != 0) {
        fail_msg("\"%s\" becomes \"%s\", which is another reference", input, text);
    }
}

static void check_vector(char *line)
{
    gs_error err = {0};
    gs_reference reference = {.host = "untouched"};
    char *rest = line;
    const char *input = next_field(&rest);
    if (strcmp(rest, "ERR") == 0) {
        if (gs_reference_parse(input, &reference, &err) != GS_ESPEC) {
            fail_msg("\"%s\" is accepted", input);
        }
        assert_string_equal(reference.host, "untouched");
        assert_contains(err.message, "is not an image reference: ");
        assert_true(err.hint[0] != '\0');
        return;
    }
    if (gs_reference_parse(input, &reference, &err) != 0) {
        fail_msg("\"%s\" is refused: %s", input, err.message);
    }
    check_part(input, "host", reference.host, next_field(&rest));
    check_part(input, "path", reference.path, next_field(&rest));
    check_part(input, "tag", reference.tag, next_field(&rest));
    check_part(input, "digest", reference.digest, next_field(&rest));
    check_round_trip(input, &reference);
}

static void references_mean_what_docker_and_cri_say(void **state)
{
    (void)state;
    GS_AUTO_BUF gs_buf file;
    gs_buf_init(&file, GS_MIB(1));
    support_read_fixture("tests/unit/oci/references.txt", &file);
    size_t vectors = 0;
    char *line = file.data;
    while (*line) {
        char *end = line + strcspn(line, "\n");
        char *next = *end ? end + 1 : end;
        *end = '\0';
        if (line[0] != '#') {
            check_vector(line);
            vectors++;
        }
        line = next;
    }
    assert_true(vectors >= 100);
}

static void a_mistake_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *reason;
    } cases[] = {
        {"", "it is empty"},
        {"docker://busybox", "transport prefix"},
        {"example.com/App", "must be lower case"},
        {"app:", "a tag has 1 to 128"},
        {"app@sha256:12", "a digest is sha256:"},
        {"foo_bar.com/app", "not a host name"},
        {":tag", "the repository is missing"},
        {"a..b", "separators that are not allowed"},
    };
    gs_error err = {0};
    gs_reference reference;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_fails(&err, GS_ESPEC, cases[i].reason, gs_reference_parse(cases[i].text, &reference, &err));
    }
}

static void an_endless_reference_is_refused(void **state)
{
    (void)state;
    gs_error err = {0};
    gs_reference reference;
    char text[4000];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_fails(&err, GS_ESPEC, "too long", gs_reference_parse(text, &reference, &err));
    text[300] = '.';
    text[301] = '/';
    text[310] = '\0';
    assert_fails(&err, GS_ESPEC, NULL, gs_reference_parse(text, &reference, &err));
}

static void docker_hub_is_spoken_to_at_its_registry(void **state)
{
    (void)state;
    gs_error err = {0};
    gs_reference reference;
    assert_ok(&err, gs_reference_parse("busybox", &reference, &err));
    assert_string_equal(gs_reference_server(&reference), "registry-1.docker.io");
    assert_ok(&err, gs_reference_parse("ghcr.io/a/b", &reference, &err));
    assert_string_equal(gs_reference_server(&reference), "ghcr.io");
}

static void repositories_and_tags_alone(void **state)
{
    (void)state;
    char path[300];
    memset(path, 'a', sizeof path);
    path[255] = '\0';
    assert_true(gs_repository_valid(path));
    path[255] = 'a';
    path[256] = '\0';
    assert_false(gs_repository_valid(path));
    assert_true(gs_repository_valid("a/b-c/d_e"));
    assert_false(gs_repository_valid(""));
    assert_false(gs_repository_valid("a/../b"));
    assert_false(gs_repository_valid("a/b:c"));
    assert_true(gs_tag_valid("_v1.0-x"));
    assert_false(gs_tag_valid(""));
    assert_false(gs_tag_valid("a/b"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(references_mean_what_docker_and_cri_say),
        cmocka_unit_test(a_mistake_is_named),
        cmocka_unit_test(an_endless_reference_is_refused),
        cmocka_unit_test(docker_hub_is_spoken_to_at_its_registry),
        cmocka_unit_test(repositories_and_tags_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
