// rewrite FILE.cu FILE.cpp: the rewriter as the build runs it on the programs of the tests.
#include <cstdio>
#include <exception>
#include <fstream>
#include <iterator>
#include <string>

#include "emulation/simt/rewriter.hpp"

int main(int argc, char** argv) try {
  if (argc != 3) return 2;
  std::ifstream in(argv[1]);
  const std::string source((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  std::ofstream(argv[2]) << "#line 1 \"" << argv[1] << "\"\n" << assay::simt::rewrite_cuda(source, argv[1]);
  return 0;
} catch (const std::exception& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
