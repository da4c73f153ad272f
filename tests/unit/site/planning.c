#include "planning.h"

#include <stdlib.h>
#include <string.h>

#include "gapship/limits.h"

void planned_init(planned *out, const char *release, char image_digest)
{
    gs_error err = {0};
    *out = (planned){0};
    GS_AUTO_BUF gs_buf text;
    gs_buf_init(&text, GS_MIB(1));
    gs_buf_printf(&text, "apiVersion: gapship/v1\nkind: Release\n%s", release);
    assert_ok(&err, gs_release_parse("release.yaml", text.data, text.len, &out->contents.release, &err));
    gs_buf_clear(&text);
    gs_buf_add_text(&text, "{\"apiVersion\": \"gapship/v1\", \"kind\": \"Lock\", \"images\": [");
    for (size_t i = 0; i < out->contents.release->images.count; i++) {
        const gs_image_spec *image = &out->contents.release->images.items[i];
        char digest[65];
        memset(digest, image_digest, sizeof digest - 1);
        digest[64] = '\0';
        gs_buf_printf(&text,
                      "%s{\"from\": \"%s\", \"as\": \"%s\", \"tag\": \"1\", \"digest\": \"sha256:%s\", \"mediaType\": "
                      "\"application/vnd.oci.image.manifest.v1+json\", \"size\": 500}",
                      i == 0 ? "" : ", ", image->from, image->as, digest);
    }
    gs_buf_add_text(&text, "]}");
    assert_ok(&err, gs_lock_parse("release.lock", text.data, text.len, &out->contents.lock, &err));
    memset(out->digest.bytes, (int)out->contents.release->sequence, sizeof out->digest.bytes);
}

void planned_done(planned *bundle)
{
    gs_release_free(bundle->contents.release);
    gs_lock_free(bundle->contents.lock);
}

void past_runs(gs_plan_past *past, const planned *bundle)
{
    past->known = bundle != NULL;
    if (bundle) {
        past->bundle = bundle->digest;
        past->epoch = bundle->contents.release->epoch;
        past->sequence = bundle->contents.release->sequence;
        past->version = bundle->contents.release->version;
        past->contents = &bundle->contents;
    }
}

char *plan_text(const gs_plan_request *request, int *code, gs_error *err)
{
    GS_AUTO_PLAN gs_plan *plan = NULL;
    *code = gs_plan_make(request, &plan, err);
    if (*code != 0) {
        assert_null(plan);
        return NULL;
    }
    gs_buf text;
    gs_buf_init(&text, GS_MIB(1));
    (void)gs_buf_text(&text);
    for (size_t i = 0; i < plan->count; i++) {
        const gs_step *step = &plan->steps[i];
        gs_buf_printf(&text, "%s%s%s%s\n", step->id, step->skip ? " (skipped)" : "", step->revision && !step->skip ? " -> " : "",
                      step->revision && !step->skip ? step->revision : "");
    }
    char *lines = gs_buf_steal(&text);
    assert_non_null(lines);
    gs_buf_done(&text);
    return lines;
}

gs_site *test_site(void)
{
    static const char text[] = "apiVersion: gapship/v1\n"
                               "kind: Site\n"
                               "name: plant-7\n"
                               "store: store\n"
                               "trust: {root: root.json}\n"
                               "registry: {embedded: {listen: \"127.0.0.1:5000\"}}\n"
                               "environments:\n"
                               "  a: {}\n"
                               "  b: {}\n"
                               "  staging: {}\n"
                               "  production: {}\n";
    gs_error err = {0};
    gs_site *site = NULL;
    assert_ok(&err, gs_site_parse("site.yaml", text, sizeof text - 1, &site, &err));
    return site;
}
