// assay compare: two arrays, and everything that there is to say about their difference.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "reference/core/error.hpp"
#include "reference/formats/rounding.hpp"
#include "validation/cli/command.hpp"
#include "validation/cli/comparison_command.hpp"

namespace assay::cli {
namespace {

struct Options {
  std::string got, want, bound, stale;
  std::string format, got_format, want_format, rounding = "nearest-even";
  bool convert = false, expects_zero = false;
  PolicyOptions policy;
  RawOptions raw;
  ShowOptions show;
};

void check_alike(const io::Array& got, const io::Array& want, const compare::Policy& policy, bool convert) {
  if (got.shape != want.shape) {
    const bool turned = got.shape == io::Shape(want.shape.rbegin(), want.shape.rend());
    throw InputError(got.origin, "", "shape " + io::to_string(want.shape) + ", that of " + want.origin,
                     io::to_string(got.shape) + (turned ? ", which is that of its transpose" : ""));
  }
  if (policy.kind == compare::PolicyKind::bit_equal && !convert && !(got.element == want.element)) {
    throw InputError(
        got.origin, "",
        want.element.name() + ", that of " + want.origin +
            " (bit-equal compares codes; with --convert, want is first rounded into got's format)",
        got.element.name());
  }
}

io::Array read_alike(const std::string& path, const io::Array& got, const RawOptions& raw,
                     std::string_view what) {
  io::Array array = as_floating(read_dense_operand(path, "", raw));
  if (array.shape != got.shape) {
    throw InputError(path, "",
                     fmt::format("{} of shape {}, that of {}", what, io::to_string(got.shape), got.origin),
                     io::to_string(array.shape));
  }
  return array;
}

int run(const Options& o, const std::string& repro) {
  const auto begin = std::chrono::steady_clock::now();
  const compare::Policy policy = chosen_policy(o.policy);
  const bool by_bound = policy.kind == compare::PolicyKind::bound;
  if (by_bound && o.bound.empty()) {
    throw InputError("--policy " + policy.name, "",
                     "--bound FILE, a bound for each value; `assay check` computes one", "none");
  }
  if (!by_bound && !o.bound.empty())
    throw InputError("--bound", "", "--policy bound", "--policy " + policy.name);

  check_format("--format", o.format);
  check_format("--got-format", o.got_format);
  check_format("--want-format", o.want_format);
  io::Array got = read_dense_operand(o.got, o.got_format.empty() ? o.format : o.got_format, o.raw);
  io::Array want = read_dense_operand(o.want, o.want_format.empty() ? o.format : o.want_format, o.raw);
  check_alike(got, want, policy, o.convert);
  Finding finding;
  if (!got.element.is_floating() || !want.element.is_floating()) {
    finding.notes.push_back(fmt::format("note   {} and {} are compared as numbers; --format reads codes",
                                        got.element.name(), want.element.name()));
  }
  got = as_floating(std::move(got));
  want = as_floating(std::move(want));

  compare::Options options;
  options.policy = policy;
  options.convert = o.convert;
  options.rounding = typed_for("--rounding", [&] { return parse_rounding(o.rounding); });
  if (options.rounding == Rounding::stochastic) {
    throw InputError("--rounding", "", "a rounding that gives the same code every time", "stochastic");
  }
  options.expects_zero = o.expects_zero;
  options.threads = o.show.threads;
  compare::Expected expected{.codes = codes_of(want)};
  std::vector<double> bound;
  if (by_bound) {
    bound = values_of(read_alike(o.bound, got, o.raw, "bounds"));
    for (std::size_t i = 0; i < bound.size(); ++i) {
      if (!(bound[i] >= 0))
        throw InputError(o.bound, "value " + std::to_string(i), "a bound, 0 or more",
                         fmt::format("{}", bound[i]));
    }
    expected.bound = bound;
  }
  io::Array stale;
  if (!o.stale.empty()) {
    stale = read_alike(o.stale, got, o.raw, "the earlier content");
    if (!(stale.element == got.element)) {
      throw InputError(o.stale, "", got.element.name() + ", that of " + got.origin, stale.element.name());
    }
    options.stale = codes_of(stale);
  }
  compare::Comparison comparison = judge(codes_of(got), expected, options);
  finding.suite = "compare";
  finding.name = fmt::format("compare/{} want={}", o.got, o.want);
  finding.evidence = "the values in " + o.want;
  finding.repro = repro;
  finding.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return show(o.show, finding, std::move(comparison));
}

}  // namespace

std::function<int()> make_compare(CLI::App& app) {
  const auto o = std::make_shared<Options>();
  app.add_option(
         "got", o->got,
         "The output: npy, npz, safetensors, Matrix Market or raw; FILE:NAME for one array of several")
      ->required();
  app.add_option("want", o->want, "What it should be")->required();
  add_policy_options(app, o->policy, "bit-equal");
  app.add_option("--bound", o->bound, "With a policy of kind bound: a file with the bound of each value");
  app.add_flag("--convert", o->convert, "Formats may differ: want is rounded once into got's format");
  app.add_option("--rounding", o->rounding,
                 "Rounding of want into got's format: a name of `assay list roundings`")
      ->capture_default_str();
  app.add_option("--format,-f", o->format, "Read arrays of codes (uint8, uint16, ...) as this format");
  app.add_option("--got-format", o->got_format, "The same for got alone");
  app.add_option("--want-format", o->want_format, "The same for want alone");
  add_raw_options(app, o->raw);
  app.add_flag("--expects-zero", o->expects_zero,
               "That want is zero everywhere is what this is about: not VACUOUS");
  app.add_option("--stale", o->stale, "What the memory of got held before: would it pass?");
  add_show_options(app, o->show);
  return [o, &app] { return run(*o, command_text(app)); };
}

}  // namespace assay::cli
