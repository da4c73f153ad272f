/* hook.c */
#include "support.h"

#include <stdio.h>
#include <string.h>

#include "gapship/kube.h"

static gs_doc *parse(const char *annotations)
{
    gs_error err = {0};
    gs_doc *doc = NULL;
    char text[1024];
    int len = snprintf(text, sizeof text, "apiVersion: batch/v1\nkind: Job\nmetadata: {name: x, annotations: {%s}}\n", annotations);
    assert_ok(&err, gs_doc_parse(GS_MANIFEST, "case", text, (size_t)len, &doc, &err));
    return doc;
}

static const struct {
    const char *annotations;
    gs_hook_kind kind;
    int64_t wave;
} cases[] = {
    {"", GS_HOOK_NONE, 0},
    {"argocd.argoproj.io/sync-wave: '3'", GS_HOOK_NONE, 3},
    {"argocd.argoproj.io/hook: PreSync, argocd.argoproj.io/sync-wave: '-5'", GS_HOOK_PRE, -5},
    {"argocd.argoproj.io/hook: Sync", GS_HOOK_SYNC, 0},
    {"argocd.argoproj.io/hook: PostSync", GS_HOOK_POST, 0},
    {"argocd.argoproj.io/hook: 'PostSync, PreSync'", GS_HOOK_PRE, 0},
    {"argocd.argoproj.io/hook: SyncFail", GS_HOOK_OTHER, 0},
    {"argocd.argoproj.io/hook: Skip", GS_HOOK_OTHER, 0},
    {"argocd.argoproj.io/hook: PreDelete", GS_HOOK_OTHER, 0},
    {"helm.sh/hook: 'pre-install,pre-upgrade', helm.sh/hook-weight: '-10'", GS_HOOK_PRE, -10},
    {"helm.sh/hook: 'post-install, post-upgrade', helm.sh/hook-weight: '+10'", GS_HOOK_POST, 10},
    {"helm.sh/hook: 'post-install,post-delete'", GS_HOOK_POST, 0},
    {"helm.sh/hook: pre-delete", GS_HOOK_OTHER, 0},
    {"helm.sh/hook: test", GS_HOOK_OTHER, 0},
    {"helm.sh/hook: crd-install", GS_HOOK_NONE, 0},
    {"helm.sh/hook-weight: '4'", GS_HOOK_NONE, 0},
    {"helm.sh/hook: post-install, helm.sh/hook-weight: '1', argocd.argoproj.io/hook: PreSync, argocd.argoproj.io/sync-wave: '2'",
     GS_HOOK_PRE, 2},
    {"helm.sh/hook: post-install, helm.sh/hook-weight: '1', argocd.argoproj.io/hook: PreSync", GS_HOOK_PRE, 0},
    {"helm.sh/hook: post-install, helm.sh/hook-weight: '1', argocd.argoproj.io/sync-wave: '2'", GS_HOOK_POST, 2},
};

static void reads_annotations(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        gs_error err = {0};
        gs_hook hook = {.wave = 99};
        GS_AUTO_DOC gs_doc *doc = parse(cases[i].annotations);
        assert_ok(&err, gs_kube_hook(doc->root, &hook, &err));
        assert_int_equal(hook.kind, cases[i].kind);
        assert_int_equal(hook.wave, cases[i].wave);
    }
}

static void refuses_what_nobody_would_run(void **state)
{
    static const struct {
        const char *annotations, *part;
    } refused[] = {
        {"argocd.argoproj.io/hook: PreSnyc", "PreSnyc"},
        {"argocd.argoproj.io/hook: presync", "presync"},
        {"helm.sh/hook: 'pre-install,pre-upgarde'", "pre-upgarde"},
        {"argocd.argoproj.io/sync-wave: first", "no number"},
        {"helm.sh/hook: test, helm.sh/hook-weight: 1.5", "1.5"},
        {"argocd.argoproj.io/sync-wave: '99999999999999999999'", "no number"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        gs_error err = {0};
        gs_hook hook = {.wave = 99};
        GS_AUTO_DOC gs_doc *doc = parse(refused[i].annotations);
        assert_fails(&err, GS_ESPEC, refused[i].part, gs_kube_hook(doc->root, &hook, &err));
        assert_int_equal(hook.wave, 99);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reads_annotations), cmocka_unit_test(refuses_what_nobody_would_run)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
