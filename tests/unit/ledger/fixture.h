/* A ledger with some rows, and the sqlite3 shell as the hand that tampers with it. */
#ifndef GAPSHIP_TEST_LEDGER_FIXTURE_H
#define GAPSHIP_TEST_LEDGER_FIXTURE_H

#include "gapship/ledger.h"
#include "support.h"

#define T0 1800000000

typedef struct fixture {
    gs_tempdir dir;
    char *path;
    gs_ledger *ledger; /* open */
    gs_arena *arena;
} fixture;

/* cmocka setup and teardown: *state is a fixture whose ledger has its first row. */
int fixture_enter(void **state);
int fixture_leave(void **state);
#define test_with_ledger(function) cmocka_unit_test_setup_teardown(function, fixture_enter, fixture_leave)

/* A digest whose bytes are all `byte`. */
gs_digest digest_of_byte(unsigned char byte);
/* Appends, with time T0 + row. */
void append(fixture *f, gs_entry entry);
void close_ledger(fixture *f);
/* Runs the sqlite3 shell on the closed ledger; the triggers are taken away first. */
void tamper(fixture *f, const char *sql);

#endif
