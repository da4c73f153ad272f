/* edit.c and edit_plan.c: whole files before and after. */
#include "support.h"

#include <string.h>

#include "gapship/doc.h"
#include "gapship/limits.h"
#include "gapship/render.h"

#define DIGEST "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
#define MIRAI  "ghcr.io/sogos-llc/mirai-app/mirai-backend"

typedef struct edit_case {
    const char *what;
    gs_image_edit edit;
    const char *before, *after;
} edit_case;

static const edit_case cases[] = {
    {"a trailing comment stays",
     {MIRAI, "registry.internal:5000/platform/mirai-backend", "1a2b3c4", NULL},
     "# k8s/backend/kustomization.yaml\n"
     "apiVersion: kustomize.config.k8s.io/v1beta1\n"
     "kind: Kustomization\n"
     "resources:\n"
     "  - deployment.yaml\n"
     "  - service.yaml\n"
     "images:\n"
     "  - name: " MIRAI "\n"
     "    newName: " MIRAI "\n"
     "    newTag: e5c2216  # Updated by GitHub Actions\n",
     "# k8s/backend/kustomization.yaml\n"
     "apiVersion: kustomize.config.k8s.io/v1beta1\n"
     "kind: Kustomization\n"
     "resources:\n"
     "  - deployment.yaml\n"
     "  - service.yaml\n"
     "images:\n"
     "  - name: " MIRAI "\n"
     "    newName: registry.internal:5000/platform/mirai-backend\n"
     "    newTag: 1a2b3c4  # Updated by GitHub Actions\n"},
    {"newName is inserted behind name",
     {"ghcr.io/data-literate/dex", "reg/dex", "sha-1a2b3c4d", NULL},
     "images:\n  - name: ghcr.io/data-literate/dex # the app\n    newTag: sha-COMMIT_SHA\n\nnamespace: dex-dev\n",
     "images:\n  - name: ghcr.io/data-literate/dex # the app\n    newName: reg/dex\n    newTag: sha-1a2b3c4d\n\nnamespace: "
     "dex-dev\n"},
    {"newTag is inserted behind newName",
     {"a", "b", "v1", NULL},
     "images:\n- name: a\n  newName: old\n- name: z\n",
     "images:\n- name: a\n  newName: b\n  newTag: v1\n- name: z\n"},
    {"both are inserted",
     {"a", "b", "v1", NULL},
     "images:\n- name: a\nnamespace: n\n",
     "images:\n- name: a\n  newName: b\n  newTag: v1\nnamespace: n\n"},
    {"a newName that is the name is not inserted",
     {"a", "a", "v1", NULL},
     "images:\n- name: a\n",
     "images:\n- name: a\n  newTag: v1\n"},
    {"no newName: it stays",
     {"a", NULL, "v2", NULL},
     "images:\n- name: a\n  newName: b\n  newTag: v1\n",
     "images:\n- name: a\n  newName: b\n  newTag: v2\n"},
    {"nothing to do, nothing done",
     {"a", "b", "v1", NULL},
     "images: # x\n- newTag: 'v1'\n  name:   \"a\"\n  newName: b   \n",
     "images: # x\n- newTag: 'v1'\n  name:   \"a\"\n  newName: b   \n"},
    {"a tag of digits is quoted",
     {"a", NULL, "1234567", NULL},
     "images:\n- name: a\n  newTag: e5c2216\n",
     "images:\n- name: a\n  newTag: \"1234567\"\n"},
    {"an octal one too",
     {"a", NULL, "0123456", NULL},
     "images:\n- name: a\n  newTag: e5c2216\n",
     "images:\n- name: a\n  newTag: \"0123456\"\n"},
    {"a float too",
     {"a", NULL, "1234e56", NULL},
     "images:\n- name: a\n  newTag: e5c2216 # x\n",
     "images:\n- name: a\n  newTag: \"1234e56\" # x\n"},
    {"a boolean too", {"a", NULL, "on", NULL}, "images:\n- name: a\n", "images:\n- name: a\n  newTag: \"on\"\n"},
    {"a tag of digits that was not quoted",
     {"a", NULL, "7654321", NULL},
     "images:\n- name: a\n  newTag: 1234567\n",
     "images:\n- name: a\n  newTag: \"7654321\"\n"},
    {"the same digits, quoted at last",
     {"a", NULL, "1234567", NULL},
     "images:\n- name: a\n  newTag: 1234567\n",
     "images:\n- name: a\n  newTag: \"1234567\"\n"},
    {"single quotes stay",
     {"a", "b", "v2", NULL},
     "images:\n- name: a\n  newName: 'x'\n  newTag: 'v1'\n",
     "images:\n- name: a\n  newName: 'b'\n  newTag: 'v2'\n"},
    {"double quotes stay",
     {"a", "b", "v2", NULL},
     "images:\n- name: a\n  newName: \"x\"\n  newTag: \"v1\" # c\n",
     "images:\n- name: a\n  newName: \"b\"\n  newTag: \"v2\" # c\n"},
    {"an empty newTag", {"a", NULL, "v2", NULL}, "images:\n- name: a\n  newTag:\n", "images:\n- name: a\n  newTag: v2\n"},
    {"an empty newTag with a comment",
     {"a", NULL, "v2", NULL},
     "images:\n- name: a\n  newTag: # set by CI\n",
     "images:\n- name: a\n  newTag: v2 # set by CI\n"},
    {"a null newTag", {"a", NULL, "v2", NULL}, "images:\n- name: a\n  newTag: ~\n", "images:\n- name: a\n  newTag: v2\n"},
    {"CR LF",
     {"a", "b", "v2", NULL},
     "resources:\r\n- x.yaml\r\nimages:\r\n- name: a\r\n  newTag: v1 # c\r\nnamespace: n\r\n",
     "resources:\r\n- x.yaml\r\nimages:\r\n- name: a\r\n  newName: b\r\n  newTag: v2 # c\r\nnamespace: n\r\n"},
    {"CR LF, a new section",
     {"a", "b", "v2", NULL},
     "resources:\r\n- x.yaml\r\n",
     "resources:\r\n- x.yaml\r\nimages:\r\n- name: a\r\n  newName: b\r\n  newTag: v2\r\n"},
    {"an entry in braces",
     {"a", "b", "v2", NULL},
     "images:\n- {name: a, newTag: v1} # c\n",
     "images:\n- {name: a, newName: b, newTag: v2} # c\n"},
    {"an entry in braces, digits",
     {"a", "r:5000/b", "1234567", NULL},
     "images:\n- { name: a }\n",
     "images:\n- { name: a, newName: r:5000/b, newTag: \"1234567\" }\n"},
    {"a list in brackets",
     {"a", "b", "v2", NULL},
     "images: [{name: z}, {name: a, newTag: v1}]\n",
     "images: [{name: z}, {name: a, newName: b, newTag: v2}]\n"},
    {"a list in brackets gets an entry",
     {"a", "b", "v2", NULL},
     "images: [{name: z, newTag: y} ] # c\n",
     "images: [{name: z, newTag: y}, {name: a, newName: b, newTag: v2} ] # c\n"},
    {"a list of entries in braces gets an entry",
     {"a", "b", "v2", NULL},
     "images:\n  - {name: z, newTag: y} # c\nnamespace: n\n",
     "images:\n  - {name: z, newTag: y} # c\n  - {name: a, newName: b, newTag: v2}\nnamespace: n\n"},
    {"a list at column 0 gets an entry",
     {"a", "b", "v2", NULL},
     "images:\n- name: z\n  newTag: y # c\n\n# about the rest\nnamespace: n\n",
     "images:\n- name: z\n  newTag: y # c\n- name: a\n  newName: b\n  newTag: v2\n\n# about the rest\nnamespace: n\n"},
    {"a list at column 2 gets an entry",
     {"a", "b", "v2", NULL},
     "images:\n  - name: z\n    newTag: y\n",
     "images:\n  - name: z\n    newTag: y\n  - name: a\n    newName: b\n    newTag: v2\n"},
    {"no line break at the end, an entry",
     {"a", "b", "v2", NULL},
     "images:\n  - name: z",
     "images:\n  - name: z\n  - name: a\n    newName: b\n    newTag: v2"},
    {"no line break at the end, keys",
     {"a", "b", "v2", NULL},
     "images:\n- name: a",
     "images:\n- name: a\n  newName: b\n  newTag: v2"},
    {"no line break at the end, a value",
     {"a", NULL, "v2", NULL},
     "images:\n- name: a\n  newTag: v1",
     "images:\n- name: a\n  newTag: v2"},
    {"no line break at the end, a section",
     {"a", NULL, "v2", NULL},
     "resources: [x.yaml]",
     "resources: [x.yaml]\nimages:\n- name: a\n  newTag: v2"},
    {"a section in the style of the file",
     {"a", "b", "v2", NULL},
     "resources:\n    - x.yaml\n# the end\n",
     "resources:\n    - x.yaml\n# the end\nimages:\n    - name: a\n      newName: b\n      newTag: v2\n"},
    {"an empty file", {"a", "b", "v2", NULL}, "", "images:\n- name: a\n  newName: b\n  newTag: v2\n"},
    {"a file of comments",
     {"a", "b", "v2", NULL},
     "# nothing yet\n",
     "# nothing yet\nimages:\n- name: a\n  newName: b\n  newTag: v2\n"},
    {"an empty list",
     {"a", "b", "v2", NULL},
     "images: [] # none\nnamespace: n\n",
     "images: # none\n- name: a\n  newName: b\n  newTag: v2\nnamespace: n\n"},
    {"no list",
     {"a", "b", "v2", NULL},
     "images:\nnamespace: n\n",
     "images:\n- name: a\n  newName: b\n  newTag: v2\nnamespace: n\n"},
    {"a null list",
     {"a", "b", "v2", NULL},
     "images: null\nnamespace: n\n",
     "images:\n- name: a\n  newName: b\n  newTag: v2\nnamespace: n\n"},
    {"an old digest goes",
     {"a", "b", "v2", NULL},
     "images:\n- name: a\n  digest: " DIGEST " # pinned\n  newName: x\n",
     "images:\n- name: a\n  newName: b\n  newTag: v2\n"},
    {"an old digest goes out of braces",
     {"a", NULL, "v2", NULL},
     "images:\n- {name: a, digest: \"" DIGEST "\"}\n",
     "images:\n- {name: a, newTag: v2}\n"},
    {"a digest instead of the tag",
     {"a", "b", NULL, DIGEST},
     "images:\n- name: a\n  newTag: v1\n",
     "images:\n- name: a\n  newName: b\n  digest: " DIGEST "\n"},
    {"a digest beside the tag",
     {"a", "b", "v2", DIGEST},
     "images:\n- name: a\n  newName: b\n  newTag: v1\n  digest: sha256:00\n",
     "images:\n- name: a\n  newName: b\n  newTag: v2\n  digest: " DIGEST "\n"},
    {"a suffix goes", {"a", NULL, "v2", NULL}, "images:\n- name: a\n  tagSuffix: -x\n", "images:\n- name: a\n  newTag: v2\n"},
    {"every entry of that name",
     {"a", NULL, "v2", NULL},
     "images:\n- name: a\n  newTag: v0\n- name: z\n- name: a\n  newTag: v1\n",
     "images:\n- name: a\n  newTag: v2\n- name: z\n- name: a\n  newTag: v2\n"},
    {"a byte order mark and other alphabets",
     {"a", NULL, "v2", NULL},
     "\xef\xbb\xbf# \xc3\xa9t\xc3\xa9\nnamePrefix: \xc3\xbc-\nimages:\n- name: a # \xe2\x82\xac\n  newTag: v1 # \xc3\xa9\n",
     "\xef\xbb\xbf# \xc3\xa9t\xc3\xa9\nnamePrefix: \xc3\xbc-\nimages:\n- name: a # \xe2\x82\xac\n  newTag: v2 # \xc3\xa9\n"},
    {"a dash on a line of its own",
     {"a", NULL, "v2", NULL},
     "images:\n-\n  name: a\n  newTag: v1\n",
     "images:\n-\n  name: a\n  newTag: v2\n"},
    {"a name that YAML would misread",
     {"1234", NULL, "v2", NULL},
     "images:\n- name: z\n",
     "images:\n- name: z\n- name: \"1234\"\n  newTag: v2\n"},
};

static void edits_whole_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        gs_error err = {0};
        GS_AUTO_BUF gs_buf out;
        gs_buf_init(&out, GS_MAX_DOC_BYTES);
        print_message("  %s\n", cases[i].what);
        assert_ok(&err, gs_kustomization_edit("k.yaml", cases[i].before, strlen(cases[i].before), &cases[i].edit, 1, &out, &err));
        assert_string_equal(gs_buf_text(&out), cases[i].after);

        /* A second time there is nothing left to do. */
        GS_AUTO_BUF gs_buf again;
        gs_buf_init(&again, GS_MAX_DOC_BYTES);
        assert_ok(&err, gs_kustomization_edit("k.yaml", out.data, out.len, &cases[i].edit, 1, &again, &err));
        assert_string_equal(gs_buf_text(&again), cases[i].after);
    }
}

static void makes_several_edits_at_once(void **state)
{
    (void)state;
    gs_error err = {0};
    GS_AUTO_BUF gs_buf out;
    const gs_image_edit edits[] = {
        {"c", "r/c", "v3", NULL}, {"a", "r/a", "v1", NULL}, {"d", NULL, "1e5", NULL}, {"b", "r/b", "v2", NULL}};
    const char *before = "images:\n- name: a # first\n  newTag: x\n- name: b\nnamespace: n\n";
    gs_buf_init(&out, GS_MAX_DOC_BYTES);
    assert_ok(&err, gs_kustomization_edit("k.yaml", before, strlen(before), edits, COUNT_OF(edits), &out, &err));
    assert_string_equal(gs_buf_text(&out),
                        "images:\n- name: a # first\n  newName: r/a\n  newTag: v1\n- name: b\n  newName: r/b\n"
                        "  newTag: v2\n- name: c\n  newName: r/c\n  newTag: v3\n- name: d\n  newTag: \"1e5\"\nnamespace: n\n");
    gs_buf_clear(&out);
    assert_ok(&err, gs_kustomization_edit("k.yaml", "namespace: n\n", 13, edits, 2, &out, &err));
    assert_string_equal(
        gs_buf_text(&out),
        "namespace: n\nimages:\n- name: c\n  newName: r/c\n  newTag: v3\n- name: a\n  newName: r/a\n  newTag: v1\n");
    gs_buf_clear(&out);
    assert_ok(&err, gs_kustomization_edit("k.yaml", before, strlen(before), edits, 0, &out, &err));
    assert_string_equal(gs_buf_text(&out), before);
}

static void refuses_what_it_cannot_edit(void **state)
{
    static const struct {
        const char *before, *part;
    } refused[] = {
        {"images: [\n", "k.yaml:"},
        {"- a\n- list\n", "k.yaml"},
        {"images: nginx\n", "not a list"},
        {"images: {a: b}\n", "not a list"},
        {"images:\n- &x {name: z, newTag: v1}\n- <<: *x\n  name: a\n  newTag: v0\n- name: a\n  newTag: &t v9\nnameSuffix: *t\n",
         "edit in place"},
        {"images:\n- name: a\n  newTag: &t v9\nnameSuffix: *t\n", "edit in place"},
        {"images:\n- name: a\n  newTag: |\n    v1\n", "block of lines"},
        {"images:\n- digest: sha256:00\n  name: a\n", "begins with a key that has to go"},
        {"{\"images\": [], \"namespace\": \"n\"}\n", "braces"},
        {"{namespace: n}\n", "edit in place"},
        {"namespace: n\n...\n", "edit in place"},
        {"images:\n- name: a\n  newTag: v1\n---\nimages: []\n", "second document"},
        {"images:\n- name: a\n  name: a\n", "second time"},
    };
    (void)state;
    const gs_image_edit edit = {"a", "b", "v2", NULL};
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        gs_error err = {0};
        GS_AUTO_BUF gs_buf out;
        gs_buf_init(&out, GS_MAX_DOC_BYTES);
        print_message("  %s\n", refused[i].part);
        assert_fails(&err, GS_ESPEC, refused[i].part,
                     gs_kustomization_edit("k.yaml", refused[i].before, strlen(refused[i].before), &edit, 1, &out, &err));
        assert_int_equal(out.len, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edits_whole_files),
        cmocka_unit_test(makes_several_edits_at_once),
        cmocka_unit_test(refuses_what_it_cannot_edit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
