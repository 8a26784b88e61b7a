// SPDX-License-Identifier: Apache-2.0
// Part of every sanitised program: LLD's archives, compiled without a
// sanitizer, share LLVM's inline allocator with our code, which would poison
// memory that they never unpoison.
extern "C" const char *__asan_default_options() {
  return "allow_user_poisoning=0";
}
