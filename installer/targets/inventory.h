/* Private to installer/targets. */
#ifndef GAPSHIP_TARGETS_INVENTORY_H
#define GAPSHIP_TARGETS_INVENTORY_H

#include "kubeapi.h"

typedef struct gs_inventory {
    gs_object_id *items;
    size_t count;
    const char *bundle; /* whose application came to its end, hooks included; NULL: one is under way */
} gs_inventory;

const char *gs_inventory_namespace(const gs_target_job *job);

/* What earlier applications left; empty when there was none. */
int gs_inventory_read(const gs_target_job *job, gs_api *api, gs_arena *arena, gs_inventory *out, gs_error *err) GS_MUST_USE;
/* Lines "apiVersion kind namespace name"; the namespace of a cluster-wide object is "-". GS_ESTATE for anything else. */
int gs_inventory_parse(const char *text, gs_arena *arena, gs_inventory *out, gs_error *err) GS_MUST_USE;
/* The objects that are no hooks. Borrows from them. */
int gs_inventory_of(const gs_node *objects, gs_arena *arena, gs_inventory *out, gs_error *err) GS_MUST_USE;
bool gs_inventory_has(const gs_inventory *inventory, const gs_object_id *id);
/* Writes both together (second may be NULL): before an application the old and the new, so that a killed one loses track of
 * nothing. */
int gs_inventory_write(const gs_target_job *job, gs_api *api, const gs_inventory *first, const gs_inventory *second,
                       gs_error *err) GS_MUST_USE;
/* What was there and is not wanted any more: every one into the changes, those that may go into remove. */
int gs_inventory_surplus(const gs_inventory *before, const gs_inventory *wanted, gs_arena *arena, gs_changes *out,
                         gs_inventory *remove, gs_error *err) GS_MUST_USE;

#endif
