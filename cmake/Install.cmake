# SPDX-License-Identifier: Apache-2.0
# cmake --install DIR --prefix X: X has the build tree's layout, so that gemmac
# finds the parts of executables from its own place by one rule,
# ../lib/gemmac, wherever X stands or moves to (runtime/Sysroot.cmake installs
# them). LLVM stays where it is.
set_target_properties(gemmac gemmac-opt gemmac-lsp-server PROPERTIES
  INSTALL_RPATH_USE_LINK_PATH ON)
install(TARGETS gemmac gemmac-opt gemmac-lsp-server RUNTIME DESTINATION bin)
install(DIRECTORY runtime/include/ DESTINATION include)
install(FILES LICENSE DESTINATION share/doc/gemmac)
# Made by docs/reference/generate.py.
install(DIRECTORY docs/man/ DESTINATION share/man/man1)
install(DIRECTORY share/ DESTINATION share)
