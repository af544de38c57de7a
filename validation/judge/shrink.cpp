#include "validation/judge/shrink.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <numeric>
#include <utility>

#include "reference/core/error.hpp"

namespace assay::judge {
namespace {

// Which index each dimension of an array runs over: "mk" of A in gemm, "km" if it is stored transposed.
struct Part {
  std::string name{};  // "a", "b", "c", "bias", "got"
  io::Array* array = nullptr;
  std::string dims{};
};
using Kept = std::map<char, std::vector<std::size_t>>;

// A dimension of one that a program added or left out is no matter; other numbers of dimensions are refused.
void give_dimensions(Part& part) {
  io::Shape& shape = part.array->shape;
  const std::size_t wanted = part.dims.size();
  while (shape.size() < wanted) shape.insert(shape.begin(), 1);
  while (shape.size() > wanted && std::find(shape.begin(), shape.end(), 1) != shape.end())
    shape.erase(std::find(shape.begin(), shape.end(), 1));
  if (shape.size() != wanted)
    throw InputError(part.array->origin, "", fmt::format("{} dimensions", wanted),
                     "shape " + io::to_string(shape));
}

// The arrays of the request with their indices.
std::vector<Part> parts_of(Request& r) {
  std::vector<Part> parts;
  const auto add = [&](const char* name, std::optional<io::Array>& array, const char* dims) {
    if (array) parts.push_back({name, &*array, dims});
  };
  if (r.operation == "gemm") {
    add("a", r.a, r.transpose_a ? "km" : "mk");
    add("b", r.b, r.transpose_b ? "nk" : "kn");
    add("c", r.c, "mn");
    add("bias", r.bias, r.bias_along == "rows" ? "m" : "n");
    parts.push_back({"got", &r.got, "mn"});
  } else if (r.operation == "dot") {
    add("a", r.a, "mk");
    add("b", r.b, "mk");
    add("c", r.c, "m");
    parts.push_back({"got", &r.got, "m"});
  } else {
    r.a->shape = {r.a->size()};
    r.got.shape = {r.got.size()};
    add("a", r.a, "m");
    parts.push_back({"got", &r.got, "m"});
  }
  for (Part& part : parts) give_dimensions(part);
  return parts;
}

io::Array selected(const Part& part, const Kept& kept) {
  io::Shape shape;
  for (const char d : part.dims) shape.push_back(static_cast<std::int64_t>(kept.at(d).size()));
  io::Array out = io::make_array(part.array->element, shape);
  out.origin = part.array->origin;
  const std::size_t bytes = out.element.bytes(), n = static_cast<std::size_t>(out.size());
  for (std::size_t i = 0; i < n; ++i) {
    std::size_t rest = i, place = 0, step = 1;
    for (std::size_t d = part.dims.size(); d-- > 0;) {
      const std::vector<std::size_t>& indices = kept.at(part.dims[d]);
      place += indices[rest % indices.size()] * step;
      rest /= indices.size();
      step *= static_cast<std::size_t>(part.array->shape[d]);
    }
    std::memcpy(out.bytes.data() + i * bytes, part.array->bytes.data() + place * bytes, bytes);
  }
  return out;
}

Kept all_of(const std::vector<Part>& parts) {
  Kept kept;
  for (const Part& part : parts) {
    for (std::size_t d = 0; d < part.dims.size(); ++d) {
      const auto size = static_cast<std::size_t>(part.array->shape[d]);
      std::vector<std::size_t>& indices = kept[part.dims[d]];
      if (!indices.empty() && indices.size() != size)
        throw InputError(part.array->origin, "",
                         fmt::format("{} along the index {}", indices.size(), part.dims[d]),
                         "shape " + io::to_string(part.array->shape));
      indices.resize(size);
      std::iota(indices.begin(), indices.end(), std::size_t{0});
    }
  }
  return kept;
}

bool is_zero(const io::Array& array, std::size_t i) {
  const FormatSpec& f = array.element.format();
  const std::uint64_t code = array.code(static_cast<std::int64_t>(i));
  return (code & f.magnitude_mask()) == 0 && !f.is_nan(code);
}

std::size_t nonzeros(const io::Array& array) {
  std::size_t n = 0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(array.size()); ++i) n += is_zero(array, i) ? 0 : 1;
  return n;
}

bool is_finite(const io::Array& array) {
  for (std::int64_t i = 0; i < array.size(); ++i) {
    if (!array.element.format().is_finite(array.code(i))) return false;
  }
  return true;
}

// `array` with zeros but at these places.
io::Array only(const io::Array& array, const std::vector<std::size_t>& places) {
  io::Array some = io::make_array(array.element, array.shape);
  some.origin = array.origin;
  const std::size_t bytes = array.element.bytes();
  for (const std::size_t i : places)
    std::memcpy(some.bytes.data() + i * bytes, array.bytes.data() + i * bytes, bytes);
  return some;
}

class Shrinker {
 public:
  Shrinker(Request request, const Answers& answers, std::uint64_t limit)
      : whole_(std::move(request)), parts_(parts_of(whole_)), kept_(all_of(parts_)), answers_(answers) {
    budget_.most = limit;
    whole_.progress = nullptr;
  }

  Shrunk run() {
    const std::string before = text();
    if (!fails(part())) {
      throw UsageError(
          answers_ ? "shrink requires a check that fails: this one does not, on what the program answers"
                   : "shrink requires a check that fails: this one does not");
    }
    bool smaller = true;
    while (smaller && !budget_.spent()) {
      smaller = false;
      for (const char axis : {'m', 'n', 'k'}) smaller = shrink_axis(axis) || smaller;
      if (answers_) smaller = zero_inputs() || smaller;
    }
    Request last = part();
    if (!answer(last) || !disagrees(last))
      throw UsageError("shrink: the failure came and went: the program answers the same inputs differently");
    return {std::move(last), before, text(), budget_.asked, budget_.spent()};
  }

 private:
  // What is kept, as a request.
  Request part() const {
    Request r = whole_;
    for (const Part& one : parts_) {
      io::Array some = selected(one, kept_);
      if (one.name == "a") r.a = std::move(some);
      if (one.name == "b") r.b = std::move(some);
      if (one.name == "c") r.c = std::move(some);
      if (one.name == "bias") r.bias = std::move(some);
      if (one.name == "got") r.got = std::move(some);
    }
    return r;
  }
  // Asks for got where somebody answers; false if that fails.
  bool answer(Request& r) const {
    if (!answers_) return true;
    std::optional<io::Array> got = answers_(r);
    if (!got) return false;
    r.got = std::move(*got);
    return true;
  }
  static bool disagrees(const Request& r) {
    return check(r).comparison.verdict == compare::Verdict::disagree;
  }
  bool fails(Request r) const { return answer(r) && disagrees(r); }

  const io::Array* array(std::string_view name) const {
    const auto found =
        std::find_if(parts_.begin(), parts_.end(), [&](const Part& p) { return p.name == name; });
    return found == parts_.end() ? nullptr : found->array;
  }

  bool shrink_axis(char axis) {
    if (!kept_.contains(axis)) return false;
    const std::vector<std::size_t> before = kept_.at(axis);
    std::vector<std::size_t> fixed, free = before;
    if (axis == 'k' && !answers_) {
      // Only terms that are an exact zero for every output: the bound in any order holds without them too. Under an
      // order or a unit their place counts.
      if (whole_.arithmetic != nullptr || whole_.given.contains("order") || !is_finite(*array("a")) ||
          !is_finite(*array("b")))
        return false;
      free.clear();
      for (const std::size_t k : before) (vanishes(k) ? free : fixed).push_back(k);
      if (free.empty()) return false;
    }
    const auto with = [&](const std::vector<std::size_t>& some) {
      std::vector<std::size_t> joined;
      std::set_union(fixed.begin(), fixed.end(), some.begin(), some.end(), std::back_inserter(joined));
      return joined;
    };
    const std::vector<std::size_t> smallest = smallest_failing(
        free, fixed.empty() ? 1 : 0,
        [&](const std::vector<std::size_t>& some) {
          kept_[axis] = with(some);
          return fails(part());
        },
        budget_);
    kept_[axis] = with(smallest);
    return kept_[axis].size() < before.size();
  }

  // Is term k an exact zero for every output that is left?
  bool vanishes(std::size_t k) const {
    Kept one = kept_;
    one['k'] = {k};
    return std::any_of(parts_.begin(), parts_.end(), [&](const Part& p) {
      return (p.name == "a" || p.name == "b") && nonzeros(selected(p, one)) == 0;
    });
  }

  // Inputs that may as well be zeros.
  bool zero_inputs() {
    bool any = false;
    // What was left out is gone for good: from here on the operands are the small ones.
    for (Part& one : parts_) {
      io::Array small = selected(one, kept_);
      *one.array = std::move(small);
    }
    for (auto& [axis, indices] : kept_) std::iota(indices.begin(), indices.end(), std::size_t{0});
    for (Part& one : parts_) {
      if (one.name == "got" || one.name == "bias") continue;
      const io::Array whole = *one.array;
      std::vector<std::size_t> nonzero;
      for (std::size_t i = 0; i < static_cast<std::size_t>(whole.size()); ++i) {
        if (!is_zero(whole, i)) nonzero.push_back(i);
      }
      const std::vector<std::size_t> needed = smallest_failing(
          nonzero, 0,
          [&](const std::vector<std::size_t>& some) {
            *one.array = only(whole, some);
            return fails(part());
          },
          budget_);
      *one.array = only(whole, needed);
      any = any || needed.size() < nonzero.size();
    }
    return any;
  }

  std::string text() const {
    std::vector<std::string> words;
    for (const auto& [axis, indices] : kept_) words.push_back(fmt::format("{}={}", axis, indices.size()));
    for (const Part& one : parts_) {
      if (one.name == "a" || one.name == "b")
        words.push_back(fmt::format("{} nonzero in {}", nonzeros(selected(one, kept_)), one.name));
    }
    return fmt::format("{}", fmt::join(words, ", "));
  }

  Request whole_;
  std::vector<Part> parts_;  // of whole_
  Kept kept_;
  const Answers& answers_;
  ShrinkBudget budget_{};
};

}  // namespace

void require_shrinkable(std::string_view operation) {
  if (operation != "gemm" && operation != "dot" && operation != "convert")
    throw UsageError("shrink takes check gemm, dot or convert: a check of " + std::string(operation) +
                     " fails as a whole");
}

Shrunk shrink(Request request, const Answers& answers, std::uint64_t limit) {
  require_shrinkable(request.operation);
  if (request.a_scales.blocks || request.b_scales.blocks)
    throw UsageError("shrink takes a check without " + request.option("a-scales") + " and " +
                     request.option("b-scales"));
  if (request.batch || request.stale || request.sparse)
    throw UsageError("shrink takes a check of single matrices, without " + request.option("batch") + " and " +
                     request.option("stale"));
  return Shrinker(std::move(request), answers, limit).run();
}

}  // namespace assay::judge
