// SPDX-License-Identifier: Apache-2.0
// The entry of a compiled executable: its own code and its own file.
#include "runtime/app/App.h"

extern "C" const gemma_model_code gemma_model;

int main(int argc, char **argv) {
  gemma::Program program{&gemma_model, "/proc/self/exe"};
  size_t count = argc > 0 ? argc - 1 : 0;
  return gemma::runApp(program, {argv + (argc > 0 ? 1 : 0), count});
}
