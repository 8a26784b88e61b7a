# SPDX-License-Identifier: Apache-2.0
# gemmac_library(NAME [SOURCES...] [LINK ...] [DEPENDS ...]): one folder of the compiler as a
# static library over the shared MLIR and LLVM, with the precompiled header of
# all compiler code (a pass file: 0.5 s instead of 2-6 s).
separate_arguments(GEMMAC_LLVM_DEFINITIONS NATIVE_COMMAND ${LLVM_DEFINITIONS})

add_library(gemmac_compiler_flags INTERFACE)
target_include_directories(gemmac_compiler_flags INTERFACE
  ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR})
target_include_directories(gemmac_compiler_flags SYSTEM INTERFACE
  ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
target_compile_definitions(gemmac_compiler_flags INTERFACE)
target_compile_options(gemmac_compiler_flags INTERFACE
  ${GEMMAC_LLVM_DEFINITIONS} -Xclang -fno-pch-timestamp)

file(WRITE ${PROJECT_BINARY_DIR}/pch.cpp "")
add_library(gemmac_pch OBJECT ${PROJECT_BINARY_DIR}/pch.cpp)
target_link_libraries(gemmac_pch PRIVATE gemmac_compiler_flags)
target_precompile_headers(gemmac_pch PRIVATE
  ${PROJECT_SOURCE_DIR}/cmake/CompilerPch.h)

function(gemmac_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK;DEPENDS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PUBLIC gemmac_compiler_flags ${ARG_LINK})
  target_precompile_headers(${name} REUSE_FROM gemmac_pch)
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
endfunction()

# gemmac_executable: the same for a program; links the shared libraries.
function(gemmac_executable name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE gemmac_compiler_flags ${ARG_LINK}
    MLIR LLVM)
  target_precompile_headers(${name} REUSE_FROM gemmac_pch)
  if(GEMMAC_SANITIZE MATCHES "address")
    target_sources(${name} PRIVATE
      ${PROJECT_SOURCE_DIR}/cmake/SanitizerOptions.cpp)
  endif()
endfunction()

# gemmac_tablegen(TARGET FILE.td "-gen-x;out.inc" ...): generated headers land
# in the mirror of the source folder under the build folder.
function(gemmac_tablegen target td)
  set(LLVM_TARGET_DEFINITIONS ${td})
  foreach(pair ${ARGN})
    string(REPLACE "=" ";" parts ${pair})
    list(GET parts 0 out)
    list(REMOVE_AT parts 0)
    mlir_tablegen(${out} ${parts} EXTRA_INCLUDES ${PROJECT_SOURCE_DIR} ${MLIR_INCLUDE_DIRS})
  endforeach()
  add_public_tablegen_target(${target})
endfunction()
