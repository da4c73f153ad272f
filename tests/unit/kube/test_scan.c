/* scan.c, through a ConfigMap beside a Pod that runs redis and quay.io/o/known: which texts mention an image. */
#include "support.h"

#include <string.h>

#include "gapship/kube.h"

#define HEX "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

static const struct {
    const char *text, *image; /* NULL: none */
} cases[] = {
    /* a host and a tag or digest */
    {"ghcr.io/org/app:v1", "ghcr.io/org/app:v1"},
    {"ghcr.io/org/app:1234567", "ghcr.io/org/app:1234567"},
    {"ghcr.io/org/app@sha256:" HEX, "ghcr.io/org/app@sha256:" HEX},
    {"registry.internal:5000/app:latest", "registry.internal:5000/app:latest"},
    {"localhost/app:1", "localhost/app:1"},
    {"localhost:5000/app:80", "localhost:5000/app:80"},
    {"app@sha256:" HEX, "app@sha256:" HEX},
    /* a host that serves only images */
    {"ghcr.io/org/app", "ghcr.io/org/app"},
    {"europe-docker.pkg.dev/p/r/app", "europe-docker.pkg.dev/p/r/app"},
    {"123.dkr.ecr.eu-west-1.amazonaws.com/app", "123.dkr.ecr.eu-west-1.amazonaws.com/app"},
    {"registry.example.com/app", "registry.example.com/app"},
    {"quay.io/o/known", NULL}, /* it runs: its name alone says nothing new */
    {"ghcr.io", NULL},
    /* no host: the tag has to say version */
    {"bitnami/kubectl:1.28", "bitnami/kubectl:1.28"},
    {"org/app:e5c2216", "org/app:e5c2216"},
    {"busybox:1.36", "busybox:1.36"},
    {"busybox:latest", "busybox:latest"},
    {"app:sha-1a2b3c4d", "app:sha-1a2b3c4d"},
    /* repositories that run */
    {"redis:7.2-alpine", "redis:7.2-alpine"},
    {"redis:alpine", "redis:alpine"},
    {"redis:6379", NULL},
    {"docker.io/library/redis:8", "docker.io/library/redis:8"},
    /* in a text */
    {"--image=ghcr.io/o/a:1", "ghcr.io/o/a:1"},
    {"run \"ghcr.io/o/a:1\".", "ghcr.io/o/a:1"},
    {"(ghcr.io/o/a:1)", "ghcr.io/o/a:1"},
    {"see ghcr.io/o/a:1.", "ghcr.io/o/a:1"},
    {"a=b,c=ghcr.io/o/a:1;d", "ghcr.io/o/a:1"},
    {"${X:-ghcr.io/o/a:1}", NULL}, /* a shell default; the word is X:-ghcr.io… */
    /* what only looks so */
    {"kubernetes.io/hostname", NULL},
    {"app.kubernetes.io/name", NULL},
    {"rbac.authorization.k8s.io/v1", NULL},
    {"system:masters", NULL},
    {"system:serviceaccount:ns:name", NULL},
    {"postgres:5432", NULL},
    {"0.0.0.0:8080", NULL},
    {"10.0.0.1:80/path", NULL},
    {"svc.ns.svc.cluster.local:8080/metrics", NULL},
    {"https://ghcr.io/o/a:1", NULL},
    {"oci://ghcr.io/o/chart:1.0.0", NULL},
    {"postgres://user:pass@db:5432/app", NULL},
    {"user@example.com", NULL},
    {"12:30", NULL},
    {"16:9", NULL},
    {"a/b/c", NULL},
    {"tcp/redis:6379", NULL},
    {"arn:aws:iam::123:role/x", NULL},
    {HEX, NULL},
    {"sha256:" HEX, NULL},
    {"/var/lib/data:ro", NULL},
    {"GHCR.io/Org/App:1", NULL},
    {"", NULL},
};

static void tells_images_from_what_looks_like_them(void **state)
{
    static const char pod[] =
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{image: 'redis:7'}, {image: quay.io/o/known}]}\n";
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        gs_error err = {0};
        GS_AUTO_DOC gs_doc *doc = NULL;
        gs_image_use *uses;
        size_t count;
        assert_ok(&err, gs_doc_parse_manifests("case", pod, strlen(pod), &doc, &err));
        gs_node *map = gs_node_set_text(doc->arena, gs_node_new_map(doc->arena), "text", cases[i].text);
        assert_non_null(gs_node_append(doc->arena, doc->root, map));
        assert_ok(&err, gs_kube_images(doc->root, doc->arena, &uses, &count, &err));
        print_message("  %s\n", cases[i].text);
        assert_int_equal(count, cases[i].image ? 3 : 2);
        if (cases[i].image) {
            assert_string_equal(uses[2].image, cases[i].image);
            assert_int_equal(uses[2].certainty, GS_IMAGE_MENTIONED);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(tells_images_from_what_looks_like_them)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
