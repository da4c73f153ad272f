# Which sources these are: GAPSHIP_REVISION, and GAPSHIP_COMMITTED, seconds since 1970. Where there is no git, that is now, or SOURCE_DATE_EPOCH.
function(gs_git out)
  execute_process(COMMAND git -C ${PROJECT_SOURCE_DIR} ${ARGN} OUTPUT_VARIABLE said OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  set(${out} "${said}" PARENT_SCOPE)
endfunction()

gs_git(GAPSHIP_REVISION rev-parse --short=12 HEAD)
gs_git(GAPSHIP_COMMITTED log -1 --format=%ct)
if(GAPSHIP_REVISION)
  # It moves with every commit; then CMake has to ask again.
  gs_git(moves rev-parse --path-format=absolute --git-path logs/HEAD)
  if(EXISTS "${moves}")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${moves})
  endif()
else()
  set(GAPSHIP_REVISION "no git revision")
  string(TIMESTAMP GAPSHIP_COMMITTED "%s" UTC)
endif()
