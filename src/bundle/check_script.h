/* check.sh as bytes, out of a source file that CMakeLists.txt makes of it. */
#ifndef GAPSHIP_BUNDLE_CHECK_SCRIPT_H
#define GAPSHIP_BUNDLE_CHECK_SCRIPT_H

#include <stddef.h>

extern const unsigned char gs_check_script[];
extern const size_t gs_check_script_size;

#endif
