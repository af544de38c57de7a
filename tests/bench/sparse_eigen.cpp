// Eigen's row-major sparse product; this file is compiled for the CPU at hand.
#include <Eigen/Dense>
#include <Eigen/Sparse>

#include "tests/bench/sparse_peers.hpp"

Peer eigen_peer() {
  return {.name = "Eigen row-major", .is_dense = false, .why_not = "", .prepare = [](const PeerProblem& p) {
            using Rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
            return Product{[&p] {
              const Eigen::Map<const Eigen::SparseMatrix<float, Eigen::RowMajor, int>> a(
                  p.rows, p.cols, p.row_offsets[p.rows], p.row_offsets, p.column_indices, p.values);
              if (p.n == 1) {
                const Eigen::Map<const Eigen::VectorXf> vector(p.x, p.cols);
                Eigen::Map<Eigen::VectorXf>(p.y, p.rows).noalias() = a * vector;
                return;
              }
              const Eigen::Map<const Rows> x(p.x, p.cols, p.n);
              Eigen::Map<Rows> y(p.y, p.rows, p.n);
              y.noalias() = a * x;
            }};
          }};
}
