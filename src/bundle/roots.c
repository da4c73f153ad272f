/* The chain of roots that a bundle carries (FORMAT.md sections 3 and 8): kept when a bundle is made, walked before it is verified, and
 * compared with the statement when that is. What a chain says is the business of trust.h. */
#include <inttypes.h>

#include "bundle_internal.h"
#include "writer_internal.h"

int gs_bundle_walk(const gs_bundle *bundle, gs_trust **trust, int (*reached)(void *state, const gs_trust *next, gs_error *err),
                   void *state, gs_error *err)
{
    const gs_envelope *envelope = &bundle->envelope;
    if (envelope->roots_length == 0) {
        return 0;
    }
    int code = gs_trust_walk(trust, bundle->head + envelope->roots_offset, envelope->roots_length, reached, state, err);
    return code == GS_EFORMAT || code == GS_ESIGNATURE ? gs_error_at(err, "%s", bundle->name) : code;
}

int gs_bundle_check_roots(const gs_bundle *bundle, const gs_statement *statement, gs_error *err)
{
    const gs_envelope *envelope = &bundle->envelope;
    if (envelope->roots_length != statement->roots_size) {
        return gs_fail(err, GS_EFORMAT, "the chain of roots has %zu bytes, but the signed statement says %" PRIu64,
                       envelope->roots_length, statement->roots_size);
    }
    if (envelope->roots_length == 0) {
        return 0;
    }
    gs_digest digest;
    int code = gs_digest_of(bundle->head + envelope->roots_offset, envelope->roots_length, &digest, err);
    if (code == 0 && !gs_digest_equal(&digest, &statement->roots)) {
        code = gs_fail(err, GS_EDIGEST, "the chain of roots does not have the digest that was signed: the file was changed");
    }
    return code;
}

int gs_writer_keep_roots(gs_writer *writer, const gs_writer_plan *plan, gs_error *err)
{
    if (plan->roots_len == 0) {
        return 0;
    }
    writer->roots = gs_arena_copy(writer->arena, plan->roots, plan->roots_len);
    if (!writer->roots) {
        return gs_fail_nomem(err);
    }
    writer->statement.roots_size = plan->roots_len;
    return gs_digest_of(plan->roots, plan->roots_len, &writer->statement.roots, err);
}
