/* `gapship serve`: the accepted bundles of the store through the embedded registry, and, from the other process, whether it serves
 * a bundle already. A bundle that is imported while it runs is served within a second: installs depend on it. */
#include <stdlib.h>
#include <string.h>

#include "gapship/registry.h"
#include "gapship/serve.h"
#include "gapship/text.h"
#include "site.h"

#define LOOK_MS 500
#define WAIT_MS 15000

/* ---- serving ---- */

/* What is served at a time: the bundles are borrowed by the server, so they live as long. */
typedef struct serving {
    gs_server *server;
    gs_verified **bundles;
    size_t count;
    int64_t newest; /* row of the ledger that was the newest acceptance or removal */
} serving;

static void close_bundles(serving *s)
{
    for (size_t i = 0; i < s->count; i++) {
        gs_verified_free(s->bundles[i]);
    }
    free(s->bundles);
    s->bundles = NULL;
    s->count = 0;
}

static void stop(serving *s)
{
    gs_serve_stop(s->server);
    close_bundles(s);
    *s = (serving){0};
}

static int compare_order(const void *a, const void *b)
{
    const gs_entry *x = a;
    const gs_entry *y = b;
    int order = gs_order_compare(x->epoch, x->sequence, y->epoch, y->sequence);
    return order != 0 ? order : x->row < y->row ? -1 : 1;
}

static int newest_change(gs_installation *site, int64_t *out, gs_error *err)
{
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    if (!arena) {
        return gs_fail_nomem(err);
    }
    const gs_entry_kind kinds[] = {GS_ENTRY_ACCEPTED, GS_ENTRY_REMOVED};
    int64_t newest = 0;
    int code = 0;
    for (size_t i = 0; code == 0 && i < sizeof kinds / sizeof kinds[0]; i++) {
        const gs_ledger_filter filter = {.kind = kinds[i]};
        gs_entry row = {0};
        bool found = false;
        code = gs_ledger_newest(site->ledger, &filter, arena, &row, &found, err);
        newest = code == 0 && found && row.row > newest ? row.row : newest;
    }
    if (code == 0) {
        *out = newest;
    }
    return code;
}

/* Every accepted bundle that is kept, the newest last. */
static int open_bundles(gs_installation *site, serving *s, gs_error *err)
{
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    if (!arena) {
        return gs_fail_nomem(err);
    }
    const gs_ledger_filter accepted = {.kind = GS_ENTRY_ACCEPTED};
    gs_entry *rows = NULL;
    size_t count = 0;
    int code = gs_ledger_read(site->ledger, &accepted, arena, &rows, &count, err);
    if (code != 0) {
        return code;
    }
    qsort(rows, count, sizeof *rows, compare_order);
    s->bundles = calloc(count > 0 ? count : 1, sizeof(gs_verified *));
    if (!s->bundles) {
        return gs_fail_nomem(err);
    }
    for (size_t i = 0; code == 0 && i < count; i++) {
        bool again = i > 0 && gs_digest_equal(&rows[i].bundle, &rows[i - 1].bundle); /* it came in twice */
        if (rows[i].has_bundle && !again && gs_store_has(site->store, &rows[i].bundle)) {
            gs_terms terms = gs_site_terms(site);
            terms.vouched = &rows[i].bundle; /* accepted once: what runs from it has to be served, whoever was revoked since */
            code = gs_store_bundle(site->store, &rows[i].bundle, &terms, &s->bundles[s->count], err);
            s->count += code == 0 ? 1 : 0;
        }
    }
    return code;
}

/* What is to be served now; closed by the caller, also on failure. */
static int look(gs_installation *site, serving *out, gs_error *err)
{
    int code = newest_change(site, &out->newest, err);
    return code == 0 ? open_bundles(site, out, err) : code;
}

static int start(gs_installation *site, const char *listen, serving *out, gs_error *err)
{
    const gs_site_registry *registry = &site->site->registry;
    const gs_serve_options options = {.listen = listen,
                                      .prefix = registry->prefix,
                                      .certificate = registry->embedded.certificate,
                                      .key = registry->embedded.key,
                                      .users = registry->embedded.users};
    serving s = {0};
    int code = look(site, &s, err);
    if (code == 0) {
        code = gs_serve_start(&site->run, &options, (const gs_verified *const *)s.bundles, s.count, &s.server, err);
    }
    if (code != 0) {
        stop(&s);
        return code;
    }
    *out = s;
    return 0;
}

/* The server goes on: who pulls a layer just now does not notice, and when it fails, what was served still is. */
static int renew(gs_installation *site, serving *s, gs_error *err)
{
    serving fresh = {0};
    int code = look(site, &fresh, err);
    if (code == 0) {
        code = gs_serve_replace(s->server, (const gs_verified *const *)fresh.bundles, fresh.count, err);
    }
    if (code != 0) {
        close_bundles(&fresh);
        return code;
    }
    close_bundles(s);
    fresh.server = s->server;
    *s = fresh;
    const gs_fact facts[] = {GS_NUMBER_FACT("bundles", s->count)};
    gs_emit(&site->run, GS_NOTICE, "served", facts, 1, "serving %zu bundles", s->count);
    return 0;
}

static int catch_up(gs_installation *site, serving *s, gs_error *err)
{
    int64_t newest = 0;
    int code = newest_change(site, &newest, err);
    return code == 0 && newest != s->newest ? renew(site, s, err) : code;
}

int gs_serve(gs_installation *installation, const char *listen, void (*ready)(void *state, const char *address), void *state,
             gs_error *err)
{
    const char *address = listen ? listen : installation->site->registry.embedded.listen;
    if (!address) {
        (void)gs_fail(err, GS_EUSAGE, "site.yaml has no embedded registry to serve");
        (void)gs_error_at(err, "%s", installation->site->path);
        return gs_error_hint(err, "write `registry: {embedded: {listen: \"ADDRESS:PORT\"}}`, or give --listen");
    }
    serving s = {0};
    int code = start(installation, address, &s, err);
    if (code == 0 && ready) {
        ready(state, gs_serve_address(s.server));
    }
    bool told = false;
    while (code == 0 && gs_check_stop(&installation->run, 1, NULL) == 0) {
        gs_error problem = {0};
        bool behind = catch_up(installation, &s, &problem) != 0;
        if (behind && !told) {
            gs_emit(&installation->run, GS_WARNING, "servedOld", NULL, 0, "still serving the %zu bundles from before: %s", s.count,
                    problem.message);
        }
        told = behind;
        if (gs_sleep(&installation->run, LOOK_MS, NULL) != 0) {
            break;
        }
    }
    stop(&s);
    return code;
}

/* ---- asking whether it serves ---- */

/* Where this machine reaches what listens on `listen`: a wildcard is no address to connect to. */
static const char *url_of(const gs_site_registry *registry, gs_arena *arena)
{
    const char *listen = registry->embedded.listen;
    const char *scheme = registry->embedded.certificate ? "https" : "http";
    if (gs_text_starts(listen, "0.0.0.0:")) {
        return gs_arena_printf(arena, "%s://127.0.0.1%s", scheme, listen + strlen("0.0.0.0"));
    }
    if (gs_text_starts(listen, "[::]:")) {
        return gs_arena_printf(arena, "%s://[::1]%s", scheme, listen + strlen("[::]"));
    }
    return gs_arena_printf(arena, "%s://%s", scheme, listen);
}

static int serves_image(const gs_installation *site, gs_registry *registry, const gs_locked_image *image, gs_arena *arena,
                        bool *serves, gs_error *err)
{
    gs_reference reference;
    gs_digest wanted;
    gs_digest found;
    bool there = false;
    const char *text = gs_relocated(site->site, image, arena);
    int code = text ? gs_reference_parse(text, &reference, err) : gs_fail_nomem(err);
    if (code == 0) {
        code = gs_digest_parse(image->digest, &wanted, err);
    }
    if (code == 0) {
        code = gs_registry_head_manifest(registry, reference.path, reference.digest, &there, &found, err);
    }
    if (code == 0) {
        *serves = there && gs_digest_equal(&wanted, &found);
    }
    return code;
}

/* The first image that is not served, or NULL. */
static int find_unserved(const gs_installation *site, const gs_subject *subject, gs_registry *registry, const char **out,
                         gs_error *err)
{
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    const gs_lock *lock = subject->contents->lock;
    int code = arena ? 0 : gs_fail_nomem(err);
    *out = NULL;
    for (size_t i = 0; code == 0 && !*out && i < lock->images.count; i++) {
        bool serves = false;
        code = serves_image(site, registry, &lock->images.items[i], arena, &serves, err);
        *out = code == 0 && !serves ? lock->images.items[i].as : NULL;
    }
    return code;
}

static int wait_served(const gs_installation *site, const gs_subject *subject, gs_registry *registry, gs_error *err)
{
    int64_t end = gs_ticks() + WAIT_MS;
    for (;;) {
        const char *unserved = NULL;
        int code = find_unserved(site, subject, registry, &unserved, err);
        if (code != 0 || !unserved) {
            return code;
        }
        if (gs_ticks() >= end) {
            (void)gs_fail(err, GS_EREGISTRY, "image %s: what listens here does not serve it", unserved);
            (void)gs_error_at(err, "%s", gs_registry_host(registry));
            return gs_error_hint(err, "is it the `gapship serve` of this site? start it again");
        }
        code = gs_sleep(&site->run, LOOK_MS, err);
        if (code != 0) {
            return code;
        }
    }
}

int gs_served_wait(const gs_installation *site, const gs_subject *subject, gs_error *err)
{
    const gs_site_registry *where = &site->site->registry;
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    const char *url = arena && where->embedded.listen ? url_of(where, arena) : NULL;
    if (!url) {
        return where->embedded.listen ? gs_fail_nomem(err) : gs_fail(err, GS_ECHECK, "site.yaml names no registry");
    }
    /* Often nobody serves yet; one that is just taking up a new bundle is back at once. */
    const gs_registry_options options = {
        .url = url, .ca_file = where->embedded.certificate, .credentials_file = where->embedded.users, .tries = 3};
    GS_AUTO_REGISTRY gs_registry *registry = NULL;
    gs_error unreachable = {0};
    int code = gs_registry_new(&site->run, &options, &registry, err);
    if (code != 0) {
        return code;
    }
    if (gs_registry_ping(registry, &unreachable) != 0) {
        gs_emit(&site->run, GS_WARNING, "registry", NULL, 0,
                "nothing serves the images at %s yet: start `gapship serve` before nodes pull them", where->embedded.listen);
        return 0;
    }
    return wait_served(site, subject, registry, err);
}
