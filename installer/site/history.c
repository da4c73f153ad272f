/* history: the ledger as a table. Without --audit the rows that say what came, what runs and what did not; with it every row, and
 * the chain is walked. */
#include "site.h"

static bool matters(const gs_entry *row)
{
    switch (row->kind) {
    case GS_ENTRY_CREATED:
    case GS_ENTRY_ACCEPTED:
    case GS_ENTRY_REFUSED:
    case GS_ENTRY_ENVIRONMENT:
    case GS_ENTRY_REMOVED:
    case GS_ENTRY_ROOT:
        return row->state != GS_STATE_BEGUN;
    case GS_ENTRY_STEP:
        return row->state == GS_STATE_FAILED || row->state == GS_STATE_UNCERTAIN;
    case GS_ENTRY_SCHEMA:
    case GS_ENTRY_ANY:
        break;
    }
    return false;
}

/* A row about a root names that by its fingerprint. */
static bool is_of_root(const gs_entry *row)
{
    return row->kind == GS_ENTRY_ROOT || row->kind == GS_ENTRY_CREATED;
}

static gs_node *describe(gs_arena *arena, const gs_entry *row, bool audit)
{
    gs_node *node = gs_node_new_map(arena);
    const char *state = gs_entry_state_name(row->state);
    node = gs_node_set_integer(arena, node, "row", row->row);
    node = gs_node_set_text(arena, node, "time", gs_time_text(arena, row->time));
    node = gs_node_set_text(arena, node, "kind", gs_entry_kind_name(row->kind));
    node = gs_node_set_text(arena, node, "state", state[0] != '\0' ? state : NULL);
    node = gs_node_set_text(arena, node, "verb", row->verb);
    node = gs_node_set_text(arena, node, "product", row->product);
    node = gs_node_set_text(arena, node, "version", row->version);
    node = gs_node_set_text(arena, node, is_of_root(row) ? "fingerprint" : "bundle",
                            row->has_bundle ? gs_digest_in(arena, &row->bundle) : NULL);
    node = gs_node_set_text(arena, node, "environment", row->environment);
    node = gs_node_set_text(arena, node, "step", row->step);
    node = gs_node_set_text(arena, node, "detail", row->detail);
    if (row->duration > 0) {
        node = gs_node_set_integer(arena, node, "duration", row->duration / 1000);
    }
    node = gs_node_set_text(arena, node, "run", row->run);
    if (audit) {
        node = row->has_bundle ? gs_node_set_integer(arena, node, "epoch", row->epoch) : node;
        node = row->has_bundle ? gs_node_set_integer(arena, node, "sequence", row->sequence) : node;
        node = gs_node_set_text(arena, node, "hash", row->hash);
    }
    return node;
}

int gs_history(gs_installation *installation, bool audit, gs_arena *arena, gs_node **result, gs_error *err)
{
    const gs_ledger_filter all = {0};
    gs_entry *rows = NULL;
    size_t count = 0;
    int64_t checked = 0;
    int code = audit ? gs_ledger_check(installation->ledger, &checked, err) : 0;
    if (code == 0) {
        code = gs_ledger_read(installation->ledger, &all, arena, &rows, &count, err);
    }
    if (code != 0) {
        return code;
    }
    gs_node *list = gs_node_new_list(arena);
    for (size_t i = 0; i < count; i++) {
        if (audit || matters(&rows[i])) {
            list = gs_node_append(arena, list, describe(arena, &rows[i], audit));
        }
    }
    gs_node *node = gs_node_set_text(arena, gs_node_new_map(arena), "site", installation->site->name);
    node = gs_node_set(arena, node, "rows", list);
    if (audit) {
        node = gs_node_set_integer(arena, node, "checked", checked);
        node = gs_node_set_text(arena, node, "head", count > 0 ? rows[count - 1].hash : NULL);
    }
    if (!node) {
        return gs_fail_nomem(err);
    }
    *result = node;
    return 0;
}
