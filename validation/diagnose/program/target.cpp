#include "validation/diagnose/program/target.hpp"

#include "reference/core/error.hpp"

namespace assay::diagnose {

Target target_of(const Arithmetic& arithmetic) {
  return [&arithmetic](const Problem& p, std::span<const Case> cases) {
    if (p.scaled() || p.operation == SumOperation::mean)
      throw ContractError("an arithmetic was asked for more than a sum: " + to_string(p));
    std::vector<Answer> answers;
    for (const Case& x : cases) {
      Answer answer;
      const bool matrix = p.operation == SumOperation::gemm;
      const CodeMatrix a{x.a.data(), p.m, p.k, static_cast<std::ptrdiff_t>(p.k), 1, p.a};
      const CodeMatrix b = matrix ? CodeMatrix{x.b.data(), p.k, p.n, static_cast<std::ptrdiff_t>(p.n), 1, p.b}
                                  : CodeMatrix{x.b.data(), p.k, 1, 1, 1, p.b};
      for (std::size_t o = 0; o < p.outputs(); ++o) {
        std::optional<std::uint64_t> c;
        if (p.c) c = detail::load_code(x.c.data(), static_cast<std::ptrdiff_t>(o), code_bytes(*p.c));
        answer.push_back(
            arithmetic.dot(a.row(matrix ? o / p.n : 0), b.column(matrix ? o % p.n : 0), c, p.output, o));
      }
      answers.push_back(std::move(answer));
    }
    return answers;
  };
}

}  // namespace assay::diagnose
