# SPDX-License-Identifier: Apache-2.0
# gemmac_sysroot: ${CMAKE_BINARY_DIR}/lib/gemmac/ARCHITECTURE/ holds all that
# linking an executable needs, so that users of gemmac need no compiler. Names of
# architectures and files are those of targets/Architecture.cpp. A build makes
# the sysroot of what its compiler compiles for; another architecture's, from a
# build there, may stand beside it.
string(TOLOWER ${CMAKE_SYSTEM_PROCESSOR} GEMMAC_ARCHITECTURE)
set(GEMMAC_SYSROOT ${CMAKE_BINARY_DIR}/lib/gemmac/${GEMMAC_ARCHITECTURE})

set(sysroot_x86_64 rcrt1.o crti.o crtn.o crtbeginS.o crtendS.o
  libc.a libm.a libmvec.a libgcc.a libgcc_eh.a libstdc++.a)
if(NOT DEFINED sysroot_${GEMMAC_ARCHITECTURE})
  message(FATAL_ERROR "sysroot: expected an architecture that "
    "targets/Architecture.cpp has, found ${GEMMAC_ARCHITECTURE}")
endif()

set(sysroot_files)
foreach(name ${sysroot_${GEMMAC_ARCHITECTURE}})
  execute_process(
    COMMAND ${CMAKE_CXX_COMPILER} -print-file-name=${name}
    OUTPUT_VARIABLE path OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(NOT IS_ABSOLUTE "${path}")
    execute_process(
      COMMAND gcc -print-file-name=${name}
      OUTPUT_VARIABLE path OUTPUT_STRIP_TRAILING_WHITESPACE)
  endif()
  if(NOT IS_ABSOLUTE "${path}")
    message(FATAL_ERROR "sysroot: expected the compiler to know ${name}, "
      "found ${path} (apt-get install libc6-dev libstdc++-12-dev)")
  endif()
  get_filename_component(path ${path} REALPATH)
  # Debian's libm.a is a linker script that names libm-2.36.a.
  if(name STREQUAL "libm.a")
    get_filename_component(folder ${path} DIRECTORY)
    file(GLOB versioned ${folder}/libm-*.a)
    if(versioned)
      list(GET versioned 0 path)
    endif()
  endif()
  add_custom_command(OUTPUT ${GEMMAC_SYSROOT}/${name}
    COMMAND ${CMAKE_COMMAND} -E copy ${path} ${GEMMAC_SYSROOT}/${name}
    DEPENDS ${path} VERBATIM)
  list(APPEND sysroot_files ${GEMMAC_SYSROOT}/${name})
endforeach()

# gemma_shipped(RESULT LIBRARY): the target whose archive goes into executables.
# Where the runtime's own tests have assertions, a sanitizer or counted lines it is a second
# one, compiled without: what ships is the same code in every build type, and a
# static executable cannot hold a sanitizer.
function(gemma_shipped result library)
  set(${result} ${library} PARENT_SCOPE)
  if(NOT GEMMAC_SANITIZE AND NOT GEMMA_ASSERTIONS AND NOT GEMMAC_COVERAGE)
    return()
  endif()
  set(shipped ${library}_shipped)
  set(${result} ${shipped} PARENT_SCOPE)
  add_library(${shipped} STATIC)
  add_dependencies(${shipped} sentencepiece_lite_generated)
  gemma_copy_sources(${shipped} ${library})
  foreach(property INCLUDE_DIRECTORIES COMPILE_DEFINITIONS COMPILE_OPTIONS)
    set_property(TARGET ${shipped} PROPERTY ${property}
      $<TARGET_PROPERTY:${library},${property}>)
  endforeach()
  target_compile_definitions(${shipped} PRIVATE NDEBUG)
  target_compile_options(${shipped} PRIVATE -fno-sanitize=all
    -fno-profile-instr-generate -fno-coverage-mapping)
  set_target_properties(${shipped} PROPERTIES POSITION_INDEPENDENT_CODE ON)
endfunction()

# An object library among the sources counts as its own sources.
function(gemma_copy_sources to from)
  get_target_property(folder ${from} SOURCE_DIR)
  get_target_property(sources ${from} SOURCES)
  foreach(source ${sources})
    if(source MATCHES "TARGET_OBJECTS:([^>]+)>")
      gemma_copy_sources(${to} ${CMAKE_MATCH_1})
    else()
      cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY ${folder})
      target_sources(${to} PRIVATE ${source})
    endif()
  endforeach()
endfunction()

foreach(library gemma_app gemma_runtime gemma_tokenizer sentencepiece_lite)
  gemma_shipped(shipped ${library})
  set(copy ${GEMMAC_SYSROOT}/lib${library}.a)
  add_custom_command(OUTPUT ${copy}
    COMMAND ${CMAKE_COMMAND} -E copy $<TARGET_FILE:${shipped}> ${copy}
    DEPENDS ${shipped} VERBATIM)
  list(APPEND sysroot_files ${copy})
endforeach()

add_custom_command(OUTPUT ${GEMMAC_SYSROOT}/cpu-check.o
  COMMAND ${CMAKE_COMMAND} -E copy $<TARGET_OBJECTS:gemma_cpu_check>
          ${GEMMAC_SYSROOT}/cpu-check.o
  DEPENDS gemma_cpu_check $<TARGET_OBJECTS:gemma_cpu_check> VERBATIM)
list(APPEND sysroot_files ${GEMMAC_SYSROOT}/cpu-check.o)

add_custom_target(gemmac_sysroot ALL DEPENDS ${sysroot_files})
install(FILES ${sysroot_files}
  DESTINATION lib/gemmac/${GEMMAC_ARCHITECTURE})
