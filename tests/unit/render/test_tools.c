/* tools.c: the real tools, and programs that are none. */
#include "render_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gapship/text.h"

struct heard {
    char text[1024];
};

static void hear(void *state, const gs_event *event)
{
    struct heard *h = state;
    if (event->level == GS_WARNING) {
        (void)snprintf(h->text, sizeof h->text, "%s", event->text);
    }
}

static void finds_the_real_tools(void **state)
{
    static const struct {
        const char *helm, *oldest, *newest;
    } cases[] = {{"helm3", "3.14", "4"}, {"helm4", "4", "5"}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        gs_error err = {0};
        gs_tools tools = {0};
        render_support_tools(cases[i].helm, &tools);
        assert_true(gs_version_compare(tools.helm_version, cases[i].oldest) >= 0);
        assert_true(gs_version_compare(tools.helm_version, cases[i].newest) < 0);
        assert_true(gs_version_compare(tools.kubectl_version, "1.22") >= 0);
        assert_true(gs_version_compare(tools.kustomize_version, "4.2.0") >= 0);
        assert_ok(&err, gs_tools_need_helm(&tools, &err));
        assert_ok(&err, gs_tools_need_kubectl(&tools, &err));
        gs_tools_done(&tools);
        gs_tools_done(&tools);
    }
}

static void write_program(const gs_tempdir *dir, const char *name, const char *script, char path[512])
{
    support_write(dir->fd, name, script);
    (void)snprintf(path, 512, "%s/%s", dir->path, name);
    assert_int_equal(chmod(path, 0755), 0);
}

static void assert_unusable(const char *variable, const char *program, const char *warning)
{
    gs_error err = {0};
    gs_tools tools = {0};
    struct heard last = {""};
    const gs_run run = {.emit = hear, .state = &last};
    assert_int_equal(setenv("GAPSHIP_HELM", "/nowhere/helm", 1), 0);
    assert_int_equal(setenv("GAPSHIP_KUBECTL", "/nowhere/kubectl", 1), 0);
    assert_int_equal(setenv(variable, program, 1), 0);
    assert_ok(&err, gs_tools_find(&run, &tools, &err));
    assert_null(tools.helm);
    assert_null(tools.kubectl);
    assert_fails(&err, GS_ECHECK, "GAPSHIP_HELM", gs_tools_need_helm(&tools, &err));
    assert_fails(&err, GS_ECHECK, "GAPSHIP_KUBECTL", gs_tools_need_kubectl(&tools, &err));
    assert_contains(last.text, warning);
    gs_tools_done(&tools);
}

static void what_cannot_be_used_counts_as_absent(void **state)
{
    gs_tempdir *dir = *state;
    char path[512];
    assert_unusable("GAPSHIP_HELM", "/nowhere/helm", "");
    write_program(dir, "helm2", "#!/bin/sh\necho v2.17.0\n", path);
    assert_unusable("GAPSHIP_HELM", path, "helm 2.17.0 is too old");
    write_program(dir, "broken", "#!/bin/sh\necho no such luck >&2\nexit 3\n", path);
    assert_unusable("GAPSHIP_HELM", path, "no such luck");
    assert_unusable("GAPSHIP_KUBECTL", path, "no such luck");
    write_program(dir, "words", "#!/bin/sh\necho hello\n", path);
    assert_unusable("GAPSHIP_HELM", path, "");
    assert_unusable("GAPSHIP_KUBECTL", path, "");
    write_program(dir, "kubectl20", "#!/bin/sh\necho '{\"clientVersion\": {\"gitVersion\": \"v1.20.2\"}}'\n", path);
    assert_unusable("GAPSHIP_KUBECTL", path, "kubectl 1.20.2 is too old");
    write_program(dir, "kubectl21",
                  "#!/bin/sh\necho '{\"clientVersion\": {\"gitVersion\": \"v1.21.0\"}, \"kustomizeVersion\": \"v4.0.5\"}'\n", path);
    assert_unusable("GAPSHIP_KUBECTL", path, "kubectl 1.21.0 is too old");
}

static void a_relative_path_works_from_everywhere(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    gs_tools tools = {0};
    const gs_run run = {0};
    char path[512];
    write_program(dir, "h/helm", "#!/bin/sh\necho v3.99.1\n", path);
    char *relative = strchr(path + 1, '/');
    char *text = NULL;
    assert_true(asprintf(&text, "/%.*s/..%s", (int)(relative - path - 1), path + 1, path) > 0);
    assert_int_equal(setenv("GAPSHIP_HELM", text, 1), 0);
    free(text);
    assert_ok(&err, gs_tools_find(&run, &tools, &err));
    assert_string_equal(tools.helm_version, "3.99.1");
    assert_int_equal(tools.helm[0], '/');
    assert_null(strstr(tools.helm, ".."));
    gs_tools_done(&tools);
}

static void stops_when_told_to(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    gs_tools tools = {0};
    char path[512];
    static const volatile sig_atomic_t stop = 2;
    const gs_run run = {.stop = &stop};
    write_program(dir, "slow", "#!/bin/sh\nsleep 30\n", path);
    assert_int_equal(setenv("GAPSHIP_HELM", path, 1), 0);
    assert_fails(&err, GS_EINTERRUPTED, NULL, gs_tools_find(&run, &tools, &err));
    assert_null(tools.helm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_real_tools),
        test_in_tempdir(what_cannot_be_used_counts_as_absent),
        test_in_tempdir(a_relative_path_works_from_everywhere),
        test_in_tempdir(stops_when_told_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
