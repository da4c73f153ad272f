/* What a permit says: there is one text for it, so what is accepted is written as the same bytes; it lets in one bundle that is below
 * what it counts below. */
#include <string.h>

#include "fuzz.h"
#include "gapship/limits.h"
#include "gapship/num.h"
#include "gapship/permit.h"
#include "gapship/text.h"

static void check_permit(const gs_permit *permit)
{
    check(gs_permit_problem(permit) == NULL);
    check(gs_name_valid(permit->product) && (!permit->site || gs_name_valid(permit->site)));
    check(permit->epoch <= GS_LARGEST_NUMBER && permit->sequence <= GS_LARGEST_NUMBER);
    check(permit->below_epoch <= GS_LARGEST_NUMBER && permit->below_sequence <= GS_LARGEST_NUMBER);
    check(permit->epoch < permit->below_epoch ||
          (permit->epoch == permit->below_epoch && permit->sequence < permit->below_sequence));
    check(permit->expires == 0 || permit->expires >= permit->issued_at);
    check(permit->reason[0] != '\0' && !strpbrk(permit->reason, "\r\n\033"));
    check(!permit->signers); /* nobody has looked for signatures */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gs_error err = {0};
    gs_permit permit;
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    GS_AUTO_BUF gs_buf again;
    gs_buf_init(&again, GS_MAX_DOCUMENT_BYTES);
    check(arena);
    if (gs_permit_parse(data, size, arena, &permit, &err) == 0) {
        check_permit(&permit);
        check(gs_permit_body(&permit, &again, &err) == 0);
        check(again.len == size && memcmp(again.data, data, size) == 0);
    } else {
        check(err.code == GS_EFORMAT);
    }
    return 0;
}
