/* What reading and writing of bound structs share. */
#ifndef GAPSHIP_BIND_INTERNAL_H
#define GAPSHIP_BIND_INTERNAL_H

#include "gapship/bind.h"

/* The value of an INTEGER, BOOL, DURATION or CHOICE. False when the node is no such value. */
bool gs_bind_value(const gs_bind_field *field, const gs_node *node, int64_t *out);
/* The same for the field's default: 0 without one. False when the table's author made a mistake. */
bool gs_bind_default(const gs_bind_field *field, int64_t *out);

/* Members by address. */
#define GS_BIND_MEMBER(type, base, field) ((type *)(void *)((char *)(base) + (field)->offset))

/* The shape of every STRUCT_LIST and STRUCT_MAP. */
typedef struct gs_bind_array {
    void *items;
    size_t count;
} gs_bind_array;

#endif
