#include "validation/report/spdnn_report.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "validation/report/json.hpp"

namespace assay {
namespace {

using report::Json;

// The first few numbers of a list.
std::string some(const std::vector<std::uint32_t>& images) {
  constexpr std::size_t most = 10;
  const std::vector<std::uint32_t> first(
      images.begin(), images.begin() + static_cast<std::ptrdiff_t>(std::min(images.size(), most)));
  return fmt::format("{}{}", fmt::join(first, ", "), images.size() > most ? ", ..." : "");
}

std::string kernel_text(const SpdnnFigures& f) {
  return fmt::format("kernel      {}, {} threads, {}\n", f.kernel, f.threads, f.cpu) +
         (f.device == "cpu" ? "" : fmt::format("device      {}\n", f.device));
}

std::string figures_text(const SpdnnFigures& f) {
  const double share = 100 * static_cast<double>(f.row_layers_computed) / static_cast<double>(f.row_layers);
  return fmt::format(
      "seconds     read {:.3f}, generate {:.3f}, inference {:.3f}\n"
      "nominal     {:.4g} edges/s\n"
      "executed    {:.4g} edges/s ({:.2f} % of the row-layers)\n"
      "skipped     {}\n",
      f.read, f.generate, f.inference, f.nominal_edges_per_s, f.executed_edges_per_s, share,
      f.skipped.empty() ? "nothing" : fmt::format("{}", fmt::join(f.skipped, ", ")));
}

std::string truth_text(const SpdnnResult& r) {
  const SpdnnTruth& t = r.truth;
  if (!t.status)
    return fmt::format("truth       none, so this run has measured and judged nothing: {}\n", t.none);
  const std::size_t images = r.figures.images;
  const std::string prefix = images < r.all_images ? fmt::format(" on the first {} images", images) : "";
  const std::string_view outcome = *t.status == Status::passed    ? "agrees"
                                   : *t.status == Status::vacuous ? "VACUOUS"
                                                                  : "DISAGREES";
  std::string text = fmt::format(
      "truth       {}: {}{}{}\n", t.path, outcome, prefix,
      *t.status == Status::vacuous
          ? ": it has no category there, so every dead network would agree (--expects-zero if it should)"
          : "");
  if (!t.missing.empty()) text += fmt::format("  missing   {}: {}\n", t.missing.size(), some(t.missing));
  if (!t.extra.empty()) text += fmt::format("  extra     {}: {}\n", t.extra.size(), some(t.extra));
  return text;
}

Json isa_json(const SpdnnFigures& f) { return f.isa.empty() ? Json() : Json(f.isa); }
std::string device_name(const SpdnnFigures& f) { return f.device.substr(0, f.device.find(':')); }

Json seconds_json(const SpdnnFigures& f) {
  return {{"read", f.read}, {"generate", f.generate}, {"inference", f.inference}};
}

}  // namespace

std::string size_text(std::uint64_t bytes) {
  constexpr std::uint64_t kib = 1U << 10, mib = 1U << 20, gib = 1U << 30;
  const auto x = static_cast<double>(bytes);
  if (bytes >= gib) return fmt::format("{:.2f} GiB", x / gib);
  if (bytes >= mib) return fmt::format("{:.1f} MiB", x / mib);
  return bytes >= kib ? fmt::format("{:.1f} KiB", x / kib) : fmt::format("{} bytes", bytes);
}

std::string spdnn_task_text(const SpdnnTask& t) {
  return fmt::format("network     {} neurons x {} layers, {}\n", t.neurons, t.layers,
                     t.weights.empty() ? "generated" : "from " + t.weights) +
         fmt::format("inputs      {}{}{}{}\n", t.inputs, t.inputs_path.empty() ? "" : ": ", t.inputs_path,
                     t.reason.empty() ? "" : " (" + t.reason + ")") +
         fmt::format("memory      {} needed, {} available\n", size_text(t.needed_memory),
                     size_text(t.available_memory));
}

std::string spdnn_text(const SpdnnResult& r) {
  const std::size_t images = r.figures.images;
  return fmt::format("images      {}{}\n", images,
                     images < r.all_images
                         ? fmt::format(", the first of {}; the picture is of all", r.all_images)
                         : "") +
         kernel_text(r.figures) + figures_text(r.figures) +
         fmt::format("categories  {}{}\n", r.categories, r.out.empty() ? "" : ", written to " + r.out) +
         truth_text(r);
}

std::string spdnn_json(const SpdnnResult& r) {
  const SpdnnTask& t = r.task;
  const SpdnnFigures& f = r.figures;
  const std::optional<Status>& status = r.truth.status;
  Json json{{"neurons", t.neurons},
            {"layers", t.layers},
            {"weights", t.weights.empty() ? Json("generated") : Json(t.weights)},
            {"inputs", t.inputs},
            {"inputs_path", t.inputs_path.empty() ? Json() : Json(t.inputs_path)},
            {"images", f.images},
            {"threads", f.threads},
            {"isa", isa_json(f)},
            {"device", device_name(f)},
            {"kernel", f.kernel},
            {"skipped", f.skipped},
            {"seconds", seconds_json(f)},
            {"nominal_edges_per_s", f.nominal_edges_per_s},
            {"executed_edges_per_s", f.executed_edges_per_s},
            {"row_layers_computed", f.row_layers_computed},
            {"categories", r.categories},
            {"status", status ? Json(status_name(*status)) : Json()},
            {"truth", Json()}};
  if (status) {
    json["truth"] = {{"path", r.truth.path},
                     {"agrees", *status == Status::vacuous ? Json() : Json(*status == Status::passed)},
                     {"missing", r.truth.missing.size()},
                     {"extra", r.truth.extra.size()},
                     {"missing_images", r.truth.missing},
                     {"extra_images", r.truth.extra}};
  }
  json["no_truth"] = r.truth.none;
  json["inputs_reason"] = t.reason;
  json["all_images"] = r.all_images;
  json["cpu"] = f.cpu;
  json["row_layers"] = f.row_layers;
  json["memory"] = {{"needed", t.needed_memory}, {"available", t.available_memory}};
  json["out"] = r.out.empty() ? Json() : Json(r.out);
  return report::one_line(json);
}

std::string trained_text(const TrainedResult& r) {
  return fmt::format("network     {}: {} layers, {} nonzeros in the sparse ones\n", r.network, r.layers,
                     r.sparse_nonzeros) +
         fmt::format("inputs      {} images of {}\n", r.figures.images, r.images_path) +
         kernel_text(r.figures) + figures_text(r.figures) +
         fmt::format("accuracy    {:.4f}: {} of {} right\n", r.accuracy, r.correct, r.figures.images);
}

std::string trained_json(const TrainedResult& r) {
  const SpdnnFigures& f = r.figures;
  return report::one_line({{"network", r.network},
                           {"neurons", r.neurons},
                           {"layers", r.layers},
                           {"sparse_nonzeros", r.sparse_nonzeros},
                           {"inputs", "mnist-test"},
                           {"inputs_path", r.images_path},
                           {"images", f.images},
                           {"threads", f.threads},
                           {"isa", isa_json(f)},
                           {"device", device_name(f)},
                           {"kernel", f.kernel},
                           {"skipped", f.skipped},
                           {"seconds", seconds_json(f)},
                           {"nominal_edges_per_s", f.nominal_edges_per_s},
                           {"executed_edges_per_s", f.executed_edges_per_s},
                           {"status", Json()},
                           {"correct", r.correct},
                           {"accuracy", r.accuracy},
                           {"cpu", f.cpu},
                           {"row_layers", f.row_layers},
                           {"row_layers_computed", f.row_layers_computed}});
}

std::string layers_to_write_text(const WrittenLayers& w) {
  return fmt::format("network     {} neurons x {} layers: {} of text{}\n", w.neurons, w.layers,
                     size_text(w.bytes), w.gzip ? ", less when gzipped" : "");
}

std::string written_layers_text(const WrittenLayers& w) {
  return fmt::format("written     {} files to {} in {:.1f} s\n", w.layers, w.folder, w.seconds);
}

std::string written_layers_json(const WrittenLayers& w) {
  return report::one_line({{"neurons", w.neurons},
                           {"layers", w.layers},
                           {"folder", w.folder},
                           {"bytes", w.bytes},
                           {"gzip", w.gzip},
                           {"seconds", w.seconds}});
}

}  // namespace assay
