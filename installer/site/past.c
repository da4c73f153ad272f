/* What ran before, from the ledger, as the planner wants it. Reads; judges nothing. */
#include <string.h>

#include "gapship/text.h"
#include "site.h"

int gs_subject_kept(gs_installation *site, const gs_digest *digest, bool ran, gs_subject *out, gs_error *err)
{
    GS_AUTO_SUBJECT gs_subject subject = {0};
    gs_terms terms = gs_site_terms(site);
    terms.vouched = ran ? digest : NULL;
    int code = gs_store_bundle(site->store, digest, &terms, &subject.verified, err);
    if (code == 0) {
        code = gs_contents_load(subject.verified, &subject.contents, err);
    }
    if (code == 0) {
        *out = subject;
        subject = (gs_subject){0};
    }
    return code;
}

void gs_subject_done(gs_subject *subject)
{
    gs_contents_free(subject->contents);
    gs_verified_free(subject->verified);
    *subject = (gs_subject){0};
}

typedef struct reading {
    gs_installation *site;
    const gs_subject *subject;
    gs_past *past;
} reading;

/* The contents of a bundle that ran here, opened once; NULL when it is not kept. */
static int open_contents(const reading *r, const gs_digest *digest, const gs_contents **out, gs_error *err)
{
    if (gs_digest_equal(digest, gs_verified_digest(r->subject->verified))) {
        *out = r->subject->contents;
        return 0;
    }
    const gs_subject *opened = (const gs_subject *)(const void *)r->past->opened.data;
    for (size_t i = 0; i < r->past->opened.len / sizeof *opened; i++) {
        if (gs_digest_equal(digest, gs_verified_digest(opened[i].verified))) {
            *out = opened[i].contents;
            return 0;
        }
    }
    *out = NULL;
    if (!gs_store_has(r->site->store, digest)) {
        return 0;
    }
    gs_subject subject;
    int code = gs_subject_kept(r->site, digest, true, &subject, err);
    if (code != 0) {
        return gs_error_context(err, "a bundle that ran here before cannot be read");
    }
    gs_buf_add(&r->past->opened, &subject, sizeof subject);
    code = gs_buf_check(&r->past->opened, err);
    if (code != 0) {
        gs_subject_done(&subject);
        return code;
    }
    *out = subject.contents;
    return 0;
}

static bool seen(const gs_entry *rows, size_t before, const gs_entry *row)
{
    for (size_t i = 0; i < before; i++) {
        if (rows[i].state == GS_STATE_DONE && gs_digest_equal(&rows[i].bundle, &row->bundle)) {
            return true;
        }
    }
    return false;
}

/* Bundles between the planned one and the one that runs. */
static int read_between(const reading *r, const gs_entry *rows, size_t count, gs_plan_past *item, gs_error *err)
{
    const gs_release *release = r->subject->contents->release;
    const gs_contents **between = gs_arena_array(r->past->arena, count, sizeof *between);
    if (!between) {
        return gs_fail_nomem(err);
    }
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        bool inside = gs_order_compare(rows[i].epoch, rows[i].sequence, release->epoch, release->sequence) > 0 &&
                      gs_order_compare(rows[i].epoch, rows[i].sequence, item->epoch, item->sequence) < 0;
        if (!inside || rows[i].state != GS_STATE_DONE || seen(rows, i, &rows[i])) {
            continue;
        }
        int code = open_contents(r, &rows[i].bundle, &between[found], err);
        if (code != 0) {
            return code;
        }
        found++;
    }
    item->between = between;
    item->between_count = found;
    return 0;
}

/* schema -> revision, the newest row of each. */
static int read_revisions(const reading *r, gs_plan_past *item, gs_error *err)
{
    const gs_ledger_filter filter = {
        .kind = GS_ENTRY_SCHEMA, .product = r->subject->contents->release->name, .environment = item->environment};
    gs_entry *rows = NULL;
    size_t count = 0;
    int code = gs_ledger_read(r->site->ledger, &filter, r->past->arena, &rows, &count, err);
    if (code != 0) {
        return code;
    }
    gs_text_pair *pairs = gs_arena_array(r->past->arena, count, sizeof *pairs);
    if (!pairs) {
        return gs_fail_nomem(err);
    }
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        size_t at = 0;
        while (at < found && !gs_text_equal(pairs[at].key, rows[i].step)) {
            at++;
        }
        pairs[at] = (gs_text_pair){.key = rows[i].step, .value = rows[i].detail};
        found += at == found ? 1 : 0;
    }
    item->revisions = (gs_text_map){.items = pairs, .count = found};
    return 0;
}

static int read_environment(const reading *r, bool with_contents, gs_plan_past *item, gs_error *err)
{
    const gs_ledger_filter filter = {
        .kind = GS_ENTRY_ENVIRONMENT, .product = r->subject->contents->release->name, .environment = item->environment};
    gs_entry *rows = NULL;
    size_t count = 0;
    int code = gs_ledger_read(r->site->ledger, &filter, r->past->arena, &rows, &count, err);
    if (code != 0 || count == 0) {
        return code;
    }
    for (size_t i = 0; i < count; i++) {
        item->verified = item->verified || (rows[i].state == GS_STATE_DONE &&
                                            gs_digest_equal(&rows[i].bundle, gs_verified_digest(r->subject->verified)));
    }
    const gs_entry *newest = &rows[count - 1];
    item->known = true;
    item->bundle = newest->bundle;
    item->epoch = newest->epoch;
    item->sequence = newest->sequence;
    item->version = newest->version;
    code = read_revisions(r, item, err);
    if (code == 0 && with_contents) {
        code = open_contents(r, &item->bundle, &item->contents, err);
    }
    return code == 0 && with_contents ? read_between(r, rows, count, item, err) : code;
}

int gs_past_read(gs_installation *site, const gs_subject *subject, bool with_contents, gs_past *out, gs_error *err)
{
    const gs_release *release = subject->contents->release;
    *out = (gs_past){.arena = gs_arena_new()};
    gs_buf_init(&out->opened, SIZE_MAX);
    out->items = out->arena ? gs_arena_array(out->arena, release->environments.count, sizeof *out->items) : NULL;
    if (!out->items) {
        return gs_fail_nomem(err);
    }
    out->count = release->environments.count;
    const reading r = {.site = site, .subject = subject, .past = out};
    int code = 0;
    for (size_t i = 0; code == 0 && i < out->count; i++) {
        out->items[i].environment = release->environments.items[i].name;
        code = read_environment(&r, with_contents, &out->items[i], err);
    }
    return code;
}

void gs_past_done(gs_past *past)
{
    gs_subject *opened = (gs_subject *)(void *)past->opened.data;
    for (size_t i = 0; opened && i < past->opened.len / sizeof *opened; i++) {
        gs_subject_done(&opened[i]);
    }
    gs_buf_done(&past->opened);
    gs_arena_free(past->arena);
    *past = (gs_past){0};
}
