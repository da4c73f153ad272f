/* release.lock: what is accepted names every repository once, with digests and tags that are some, is found again by its names, and
 * is written and read again as the same lock. */
#include <string.h>

#include "fuzz.h"
#include "gapship/limits.h"
#include "gapship/lock.h"

static void check_content(const gs_locked_content *content)
{
    gs_digest digest;
    check(content->size >= 0 && (!content->digest || gs_digest_parse(content->digest, &digest, NULL) == 0));
}

static void check_images(const gs_lock *lock)
{
    for (size_t i = 0; i < lock->images.count; i++) {
        const gs_locked_image *image = &lock->images.items[i];
        gs_digest digest;
        gs_reference named;
        check(gs_lock_image(lock, image->as) == image && gs_repository_valid(image->as) && image->size > 0);
        check(gs_digest_parse(image->digest, &digest, NULL) == 0 && (image->tag[0] == '\0' || gs_tag_valid(image->tag)));
        if (gs_reference_parse(image->from, &named, NULL) == 0) {
            const gs_locked_image *found = gs_lock_match(lock, &named);
            check(!found || found->digest);
        }
    }
}

static void check_rewritten(const gs_lock *lock)
{
    gs_error err = {0};
    gs_lock *again = NULL;
    gs_buf first;
    gs_buf second;
    gs_buf_init(&first, GS_MIB(64));
    gs_buf_init(&second, GS_MIB(64));
    check(gs_lock_write(lock, &first, &err) == 0);
    check(gs_lock_parse("again", first.data, first.len, &again, &err) == 0);
    check(gs_lock_write(again, &second, &err) == 0);
    check(first.len == second.len && memcmp(first.data, second.data, first.len) == 0);
    gs_lock_free(again);
    gs_buf_done(&first);
    gs_buf_done(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gs_error err = {0};
    gs_lock *lock = NULL;
    if (gs_lock_parse("fuzz", (const char *)data, size, &lock, &err) == 0) {
        check_images(lock);
        for (size_t i = 0; i < lock->charts.count; i++) {
            check_content(&lock->charts.items[i]);
        }
        check_content(&lock->sources);
        check_rewritten(lock);
        gs_lock_free(lock);
    } else {
        check(err.code == GS_ESPEC || err.code == GS_ELIMIT);
    }
    return 0;
}
