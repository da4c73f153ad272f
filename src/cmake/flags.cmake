# Warnings are errors and hardening is on in every build; the sanitizer build only swaps what cannot go together.
add_library(gapship_flags INTERFACE)
target_include_directories(gapship_flags INTERFACE ${PROJECT_SOURCE_DIR}/include)
target_compile_definitions(gapship_flags INTERFACE _GNU_SOURCE _FILE_OFFSET_BITS=64)
target_compile_options(gapship_flags INTERFACE
  -Wall -Wextra -Werror -Wformat=2 -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wimplicit-fallthrough -Wvla
  -Wundef -Wpointer-arith -Wcast-align -Wwrite-strings -Wno-missing-field-initializers
  -fstack-protector-strong -fno-strict-aliasing -fno-strict-overflow -fno-delete-null-pointer-checks
  -ffile-prefix-map=${PROJECT_SOURCE_DIR}/=)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  target_compile_options(gapship_flags INTERFACE -Wbidi-chars=any -ftrivial-auto-var-init=zero)
endif()
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|amd64")
  target_compile_options(gapship_flags INTERFACE -fcf-protection=full)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64")
  target_compile_options(gapship_flags INTERFACE -mbranch-protection=standard)
endif()

if(GAPSHIP_SANITIZE)
  target_compile_options(gapship_flags INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(gapship_flags INTERFACE -fsanitize=address,undefined)
else()
  target_compile_options(gapship_flags INTERFACE -fstack-clash-protection -U_FORTIFY_SOURCE
    $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=3>)
endif()
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
target_link_options(gapship_flags INTERFACE -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed)
