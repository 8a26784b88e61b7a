# gemmac_sysroot: ${CMAKE_BINARY_DIR}/lib/gemmac/<arch>/ holds all that linking
# an executable needs, so that users of gemmac need no compiler.
set(GEMMAC_SYSROOT ${CMAKE_BINARY_DIR}/lib/gemmac/${CMAKE_SYSTEM_PROCESSOR})

set(sysroot_files)
foreach(name crt1.o rcrt1.o crti.o crtn.o crtbeginT.o crtbeginS.o crtend.o
        crtendS.o libc.a libm.a libmvec.a libgcc.a libgcc_eh.a libstdc++.a)
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

foreach(library gemma_app gemma_runtime gemma_tokenizer sentencepiece_lite)
  set(copy ${GEMMAC_SYSROOT}/lib${library}.a)
  add_custom_command(OUTPUT ${copy}
    COMMAND ${CMAKE_COMMAND} -E copy $<TARGET_FILE:${library}> ${copy}
    DEPENDS ${library} VERBATIM)
  list(APPEND sysroot_files ${copy})
endforeach()

add_custom_command(OUTPUT ${GEMMAC_SYSROOT}/cpu-check.o
  COMMAND ${CMAKE_COMMAND} -E copy $<TARGET_OBJECTS:gemma_cpu_check>
          ${GEMMAC_SYSROOT}/cpu-check.o
  DEPENDS gemma_cpu_check $<TARGET_OBJECTS:gemma_cpu_check> VERBATIM)
list(APPEND sysroot_files ${GEMMAC_SYSROOT}/cpu-check.o)

add_custom_target(gemmac_sysroot ALL DEPENDS ${sysroot_files})
