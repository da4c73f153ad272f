/* What every fuzz target has: the function that libFuzzer and driver.c call, and the way to say that a property does not hold. */
#ifndef GAPSHIP_FUZZ_H
#define GAPSHIP_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define check(property)                                                                                                            \
    do {                                                                                                                           \
        if (!(property)) {                                                                                                         \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #property);                                          \
            abort();                                                                                                               \
        }                                                                                                                          \
    } while (0)

#endif
