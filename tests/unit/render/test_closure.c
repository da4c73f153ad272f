/* closure.c and kustomization.c. */
#include "support.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gapship/render.h"

static void assert_list(const gs_text_list *list, const char *expected)
{
    char text[2048] = "";
    size_t used = 0;
    for (size_t i = 0; i < list->count; i++) {
        used += (size_t)snprintf(text + used, sizeof text - used, "%s\n", list->items[i]);
    }
    assert_string_equal(text, expected);
}

static void lists_every_file_that_is_read(void **state)
{
    static const char *const files[] = {
        "base/deployment.yaml",
        "base/crd.yaml",
        "base/names.yaml",
        "overlays/prod/patch.yaml",
        "overlays/prod/json6902.yaml",
        "overlays/prod/old.yaml",
        "overlays/prod/app.conf",
        "overlays/prod/a.env",
        "overlays/prod/b.env",
        "overlays/prod/tls.key",
        "overlays/prod/replace.yaml",
        "overlays/prod/schema.json",
        "overlays/prod/p.yaml",
        "components/tls/secret.yaml",
        "unused.yaml",
    };
    gs_tempdir *dir = *state;
    gs_error err = {0};
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    gs_text_list list;
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        support_write(dir->fd, files[i], "x: 1\n");
    }
    support_write(dir->fd, "base/kustomization.yml",
                  "resources: [deployment.yaml]\ncrds: [crd.yaml]\nconfigurations:\n- ./names.yaml\n");
    support_write(dir->fd, "components/tls/Kustomization",
                  "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [secret.yaml]\n");
    support_write(dir->fd, "overlays/prod/t.yaml",
                  "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: t}\npath: p.yaml\n");
    support_write(
        dir->fd, "overlays/prod/kustomization.yaml",
        "resources:\n- ../../base\nbases: [../../base/]\ncomponents:\n- ../../components/tls\n"
        "patches:\n- path: patch.yaml\n- patch: '[]'\n  target: {kind: Deployment}\n"
        "patchesJson6902:\n- {path: json6902.yaml, target: {version: v1, kind: Service, name: a}}\n"
        "patchesStrategicMerge:\n- old.yaml\n- |-\n  apiVersion: v1\n  kind: Service\n  metadata: {name: a}\n"
        "configMapGenerator:\n- name: c\n  files: [app.conf, key=app.conf]\n  envs: [a.env]\n- name: d\n  env: b.env\n"
        "secretGenerator:\n- name: s\n  files:\n  - tls.key=tls.key\n  literals: [A=b/c]\n"
        "replacements:\n- path: replace.yaml\nopenapi: {path: schema.json}\ntransformers: [t.yaml]\n"
        "generators:\n- |-\n  apiVersion: builtin\n  kind: ConfigMapGenerator\n  metadata: {name: g}\n  files: [app.conf]\n");
    assert_ok(&err, gs_render_closure(dir->path, "overlays/prod", arena, &list, &err));
    assert_list(&list,
                "base/crd.yaml\nbase/deployment.yaml\nbase/kustomization.yml\nbase/names.yaml\ncomponents/tls/Kustomization\n"
                "components/tls/secret.yaml\noverlays/prod/a.env\noverlays/prod/app.conf\noverlays/prod/b.env\n"
                "overlays/prod/json6902.yaml\noverlays/prod/kustomization.yaml\noverlays/prod/old.yaml\noverlays/prod/p.yaml\n"
                "overlays/prod/patch.yaml\noverlays/prod/replace.yaml\noverlays/prod/schema.json\noverlays/prod/t.yaml\n"
                "overlays/prod/tls.key\n");
    const gs_run run = {0};
    assert_ok(&err, gs_render_check_hermetic(&run, dir->path, "overlays/prod", &err));
    assert_ok(&err, gs_render_closure(dir->path, "./base/../components//tls/", arena, &list, &err));
    assert_list(&list, "components/tls/Kustomization\ncomponents/tls/secret.yaml\n");
    support_write(dir->fd, "kustomization.yaml", "resources: [unused.yaml]\n");
    assert_ok(&err, gs_render_closure(dir->path, ".", arena, &list, &err));
    assert_list(&list, "kustomization.yaml\nunused.yaml\n");
}

static void refuses_what_leaves_the_tree(void **state)
{
    static const struct {
        const char *text, *part;
    } cases[] = {
        {"resources:\n- x.yaml\n- https://github.com/org/repo//deploy?ref=v1\n", "o/kustomization.yaml:3:3"},
        {"resources:\n- https://raw.githubusercontent.com/org/repo/main/install.yaml\n", "install.yaml"},
        {"resources: [\"github.com/org/repo/deploy\"]\n", "network"},
        {"resources: [\"git@github.com:org/repo.git\"]\n", "network"},
        {"resources: [\"ssh://git@git.internal/repo.git\"]\n", "network"},
        {"resources: [\"git::https://git.internal/repo\"]\n", "network"},
        {"resources: [\"file:///srv/repo.git\"]\n", "network"},
        {"resources: [\"git.internal/repo.git//base\"]\n", "network"},
        {"resources: [\"git.internal/repo?ref=main\"]\n", "git: {url, ref}"},
        {"bases: [\"https://github.com/org/repo\"]\n", "network"},
        {"components: [\"https://github.com/org/repo\"]\n", "network"},
        {"patches: [{path: \"https://example.com/p.yaml\"}]\n", "network"},
        {"configMapGenerator: [{name: a, files: [\"k=https://example.com/f\"]}]\n", "network"},
        {"openapi: {path: \"https://example.com/s.json\"}\n", "network"},
        {"transformers: [\"https://example.com/t.yaml\"]\n", "network"},
        {"helmCharts:\n- name: redis\n  repo: https://charts.example.com\n", "chart \"redis\""},
        {"helmCharts:\n- name: redis\n", "o/kustomization.yaml:2:3"},
        {"helmChartInflationGenerator: [{name: a}]\n", "`charts`"},
        {"generators:\n- |-\n  apiVersion: builtin\n  kind: HelmChartInflationGenerator\n  name: redis\n", "chart \"redis\""},
        {"resources: [../../outside]\n", "leaves the tree"},
        {"resources: [../x.yaml, /etc/passwd]\n", "leaves the tree"},
        {"resources: [link.yaml]\n", "leaves the tree"},
        {"resources: [near.yaml]\n", "leaves the tree"},
        {"resources: [gone.yaml]\n", "does not exist: \"gone.yaml\""},
        {"patches: [{path: ../o}]\n", "directory where a file is due"},
        {"resources: [../empty]\n", "no kustomization.yaml in the directory empty"},
        {"resources:\n- ../empty\n", "o/kustomization.yaml:2:3"},
        {"resources: [../two]\n", "two/kustomization.yaml and two/kustomization.yml"},
        {"resources: [x.yaml\n", "o/kustomization.yaml:"},
        {"resources: [x.yaml]\nresources: [x.yaml]\n", "second time"},
        {"generators: [bad.yaml]\n", "o/bad.yaml:"},
    };
    gs_tempdir *dir = *state;
    const gs_run run = {0};
    char tree[512], link[512];
    (void)snprintf(tree, sizeof tree, "%s/tree", dir->path);
    (void)snprintf(link, sizeof link, "%s/tree/o/link.yaml", dir->path);
    support_write(dir->fd, "outside/kustomization.yaml", "");
    support_write(dir->fd, "tree/x.yaml", "x: 1\n");
    support_write(dir->fd, "tree/o/x.yaml", "x: 1\n");
    support_write(dir->fd, "tree/o/bad.yaml", "a: [\n");
    support_write(dir->fd, "tree/empty/x.yaml", "x: 1\n");
    support_write(dir->fd, "tree/two/kustomization.yaml", "");
    support_write(dir->fd, "tree/two/kustomization.yml", "");
    assert_int_equal(symlink("/etc/hostname", link), 0);
    support_write(dir->fd, "tree-near/x.yaml", "x: 1\n");
    (void)snprintf(link, sizeof link, "%s/tree/o/near.yaml", dir->path);
    assert_int_equal(symlink("../../tree-near/x.yaml", link), 0);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        gs_error err = {0};
        support_write(dir->fd, "tree/o/kustomization.yaml", cases[i].text);
        print_message("  %s\n", cases[i].part);
        assert_fails(&err, GS_ECHECK, cases[i].part, gs_render_check_hermetic(&run, tree, "o", &err));
    }
    gs_error err = {0};
    assert_fails(&err, GS_ECHECK, "no kustomization.yaml", gs_render_check_hermetic(&run, tree, "gone", &err));
    assert_fails(&err, GS_ECHECK, "leaves the overlay", gs_render_check_hermetic(&run, tree, "../outside", &err));
    assert_fails(&err, GS_ECHECK, NULL, gs_render_check_hermetic(&run, "/nowhere", ".", &err));
}

static void cycles_and_diamonds_end(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    gs_text_list list;
    support_write(dir->fd, "a/kustomization.yaml", "resources: [../b, ../c]\n");
    support_write(dir->fd, "b/kustomization.yaml", "resources: [../c]\n");
    support_write(dir->fd, "c/kustomization.yaml", "resources: [../a]\n");
    assert_ok(&err, gs_render_closure(dir->path, "a", arena, &list, &err));
    assert_list(&list, "a/kustomization.yaml\nb/kustomization.yaml\nc/kustomization.yaml\n");
}

static void a_chain_without_end_is_refused(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    const gs_run run = {0};
    for (int i = 0; i < 70; i++) {
        char path[64], text[64];
        (void)snprintf(path, sizeof path, "d%d/kustomization.yaml", i);
        (void)snprintf(text, sizeof text, "resources: [../d%d]\n", i + 1);
        support_write(dir->fd, path, text);
    }
    assert_fails(&err, GS_ELIMIT, "deep", gs_render_check_hermetic(&run, dir->path, "d0", &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_in_tempdir(lists_every_file_that_is_read),
        test_in_tempdir(refuses_what_leaves_the_tree),
        test_in_tempdir(cycles_and_diamonds_end),
        test_in_tempdir(a_chain_without_end_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
