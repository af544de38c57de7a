// Fragments as emulation/simt/matrix.hpp has them, for compare_layouts.py: of each line "M N K FORMAT" on stdin, the
// elements of A, B and C in the order of lanes and of a lane's fragment, "A LANE INDEX ROW COLUMN" a line.
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>

#include "emulation/simt/matrix.hpp"

using namespace assay::simt;

namespace {

MatrixFormat format_of(const std::string& name) {
  for (int f = 0; f < static_cast<int>(matrix_formats); ++f) {
    if (matrix_format_name(static_cast<MatrixFormat>(f)) == name) return static_cast<MatrixFormat>(f);
  }
  std::fprintf(stderr, "no format %s\n", name.c_str());
  std::exit(1);
}

void print(char operand, int count, MatrixPlace (*place)(const MatrixOperation&, int, int),
           const MatrixOperation& o) {
  for (int lane = 0; lane < 32; ++lane) {
    for (int i = 0; i < count; ++i) {
      const MatrixPlace at = place(o, lane, i);
      std::printf("%c %d %d %d %d\n", operand, lane, i, at.row, at.column);
    }
  }
}

}  // namespace

int main() {
  MatrixOperation o;
  std::string format;
  while (std::cin >> o.m >> o.n >> o.k >> format) {
    o.a = o.b = format_of(format);
    print('A', elements_of_a(o), place_of_a, o);
    print('B', elements_of_b(o), place_of_b, o);
    print('C', elements_of_c(o), place_of_c, o);
    std::puts("end");
  }
}
