/* Bundles in the store: whole read-only files under their digest, there or not there. Knows the directory of bundles alone. */
#include <string.h>
#include <sys/stat.h>

#include "gapship/limits.h"
#include "gapship/num.h"
#include "gapship/store.h"
#include "gapship/text.h"
#include "internal.h"

/* A directory may have to grow, and the ledger wants to say that it happened. */
#define SPARE_BYTES  GS_MIB(4)
#define SPARE_INODES 16u

void gs_store_name(const gs_digest *digest, char out[GS_STORE_NAME])
{
    gs_digest_hex(digest, out);
    memcpy(out + GS_DIGEST_HEX - 1, GS_STORE_SUFFIX, sizeof GS_STORE_SUFFIX);
}

static bool parse_name(const char *name, gs_digest *out)
{
    char hex[GS_DIGEST_HEX];
    if (strlen(name) != GS_STORE_NAME - 1 || strcmp(name + GS_DIGEST_HEX - 1, GS_STORE_SUFFIX) != 0) {
        return false;
    }
    memcpy(hex, name, GS_DIGEST_HEX - 1);
    hex[GS_DIGEST_HEX - 1] = '\0';
    return gs_hex_decode(hex, out->bytes, GS_DIGEST_BYTES);
}

bool gs_store_has(const gs_store *store, const gs_digest *digest)
{
    char name[GS_STORE_NAME];
    gs_store_name(digest, name);
    return gs_fs_exists(store->bundles, name);
}

static int check_space(const gs_store *store, uint64_t length, gs_error *err)
{
    uint64_t bytes = 0;
    uint64_t inodes = 0;
    int code = gs_fs_space(store->bundles, &bytes, &inodes, err);
    if (code != 0) {
        return code;
    }
    uint64_t wanted;
    if (!gs_add_u64(length, SPARE_BYTES, &wanted) || wanted > bytes) {
        char needs[GS_SIZE_TEXT];
        char has[GS_SIZE_TEXT];
        gs_format_size(length, needs);
        gs_format_size(bytes, has);
        code = gs_fail(err, GS_ENOSPACE, "keeping the bundle needs %s, and the store's file system has %s free", needs, has);
    } else if (inodes < SPARE_INODES) {
        code = gs_fail(err, GS_ENOSPACE, "the store's file system has only %llu inodes free", (unsigned long long)inodes);
    }
    if (code != 0) {
        (void)gs_error_at(err, "%s", store->path);
        (void)gs_error_hint(err, "make room there, or move the store to a larger file system and change `store` in site.yaml");
    }
    return code;
}

int gs_store_keep(const gs_run *run, gs_store *store, const gs_verified *verified, bool renew, gs_error *err)
{
    if (!renew && gs_store_has(store, gs_verified_digest(verified))) {
        return 0;
    }
    int code = check_space(store, gs_verified_length(verified), err);
    if (code != 0) {
        return code;
    }
    char name[GS_STORE_NAME];
    gs_store_name(gs_verified_digest(verified), name);
    GS_AUTO_NEWFILE gs_newfile file = GS_NEWFILE_INIT;
    code = gs_newfile_begin(&file, store->bundles, name, 0440, err);
    if (code == 0) {
        code = gs_fs_allocate(file.fd, gs_verified_length(verified), err);
    }
    if (code == 0) {
        code = gs_verified_copy(run, verified, file.fd, err);
    }
    return code == 0 ? gs_newfile_commit(&file, renew, err) : code;
}

static int verify_kept(gs_bundle **bundle, const gs_digest *digest, const gs_terms *terms, gs_verified **out, gs_error *err)
{
    GS_AUTO_VERIFIED gs_verified *verified = NULL;
    int code = gs_bundle_verify(bundle, terms, &verified, err);
    if (code == 0 && !gs_digest_equal(gs_verified_digest(verified), digest)) {
        code = gs_fail(err, GS_ESTATE, "the kept file holds another bundle than its name says");
    }
    if (code == 0) {
        *out = GS_STEAL(verified);
    }
    return code;
}

int gs_store_bundle(gs_store *store, const gs_digest *digest, const gs_terms *terms, gs_verified **out, gs_error *err)
{
    char name[GS_STORE_NAME];
    gs_store_name(digest, name);
    GS_AUTO_BUNDLE gs_bundle *bundle = NULL;
    int code = gs_bundle_open_at(store->bundles, name, &bundle, err);
    if (code == GS_ENOTFOUND) {
        (void)gs_fail(err, GS_ENOTFOUND, "the store does not hold the bundle sha256:%.*s", GS_DIGEST_HEX - 1, name);
        (void)gs_error_at(err, "%s", store->path);
        (void)gs_error_hint(err, "bring the bundle file and run `gapship import FILE`");
        return code;
    }
    if (code == 0) {
        code = verify_kept(&bundle, digest, terms, out, err);
    }
    if (code == GS_EFORMAT || code == GS_EDIGEST || code == GS_ESTATE) {
        if (err) {
            err->hint[0] = '\0'; /* what helps with a bundle on a medium does not help here */
        }
        (void)gs_error_hint(err, "the kept copy is damaged: remove %s/" GS_STORE_BUNDLES "/%s and import the bundle again",
                            store->path, name);
    }
    return code;
}

const char *gs_store_bundle_path(const gs_store *store, gs_arena *arena, const gs_digest *digest)
{
    char name[GS_STORE_NAME];
    gs_store_name(digest, name);
    return gs_arena_printf(arena, "%s/" GS_STORE_BUNDLES "/%s", store->path, name);
}

int gs_store_list(const gs_store *store, gs_arena *arena, gs_digest **out, size_t *count, gs_error *err)
{
    gs_fs_entry *entries = NULL;
    size_t found = 0;
    int code = gs_fs_walk(store->bundles, GS_MAX_MEMBERS, arena, &entries, &found, err);
    if (code != 0) {
        return code;
    }
    gs_digest *digests = gs_arena_array(arena, found, sizeof *digests);
    if (!digests) {
        return gs_fail_nomem(err);
    }
    /* The walk is in byte order of the names, and lower-case hex sorts as the bytes do. */
    size_t kept = 0;
    for (size_t i = 0; i < found; i++) {
        kept += parse_name(entries[i].path, &digests[kept]) ? 1 : 0;
    }
    *out = digests;
    *count = kept;
    return 0;
}

int gs_store_remove(gs_store *store, const gs_digest *digest, gs_error *err)
{
    char name[GS_STORE_NAME];
    gs_store_name(digest, name);
    int code = gs_fs_remove(store->bundles, name, err);
    return code == 0 ? gs_fs_sync(store->bundles, err) : code;
}
