# SPDX-License-Identifier: Apache-2.0
# lit set-up: every .mlir file is a test, run with this build's gemmac-opt and
# gemmac and LLVM's FileCheck. `%s` the file, `%t` a scratch path.
import os

import lit.formats

config.name = "gemmac"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir"]
config.test_source_root = config.source_root
config.test_exec_root = config.build_root
config.environment["PATH"] = os.pathsep.join(
    config.tools + [config.environment["PATH"]])
# Where programs that count their lines write (test/coverage.sh).
if "LLVM_PROFILE_FILE" in os.environ:
    config.environment["LLVM_PROFILE_FILE"] = os.environ["LLVM_PROFILE_FILE"]
