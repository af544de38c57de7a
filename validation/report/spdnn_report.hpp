// Runs of sparse networks, as text and as JSON. Nothing here knows a network: names, counts and seconds come as
// data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "validation/report/result.hpp"

namespace assay {

// What a run is asked for: known before it begins.
struct SpdnnTask {
  std::int64_t neurons = 0, layers = 0;
  std::string weights{};                                  // a folder; empty: generated
  std::string inputs{}, inputs_path{}, reason{};          // their kind, the file (empty: none), why these
  std::uint64_t needed_memory = 0, available_memory = 0;  // bytes
};
// What it is and what memory it takes: three lines.
std::string spdnn_task_text(const SpdnnTask& task);

// What any run measures.
struct SpdnnFigures {
  std::size_t images = 0;
  std::string kernel{}, isa{};       // isa: empty where the kernels are CUDA's
  std::string device{"cpu"}, cpu{};  // "cpu", "simt: what that means"; this machine's model
  int threads = 1;
  std::vector<std::string> skipped{};            // what was not computed because it is zero
  double read = 0, generate = 0, inference = 0;  // seconds
  double nominal_edges_per_s = 0, executed_edges_per_s = 0;
  std::uint64_t row_layers = 0, row_layers_computed = 0;
};

// What the categories were compared with.
struct SpdnnTruth {
  std::string path{};              // empty: there is none
  std::string none{};              // why
  std::optional<Status> status{};  // empty: there is none
  std::vector<std::uint32_t> missing{}, extra{};
};

struct SpdnnResult {
  SpdnnTask task{};
  SpdnnFigures figures{};
  std::size_t all_images = 0;  // of the inputs; those that were run are the first
  std::size_t categories = 0;
  std::string out{};  // where they were written; empty: nowhere
  SpdnnTruth truth{};
};
std::string spdnn_text(const SpdnnResult& result);  // all that follows spdnn_task_text()
std::string spdnn_json(const SpdnnResult& result);  // everything, on one line, without the line feed

// A trained network on images with labels.
struct TrainedResult {
  std::string network{}, images_path{};
  std::int64_t neurons = 0;
  std::int64_t layers = 0, sparse_nonzeros = 0;
  SpdnnFigures figures{};
  std::size_t correct = 0;
  double accuracy = 0;
};
std::string trained_text(const TrainedResult& result);
std::string trained_json(const TrainedResult& result);

// Layer files that were written.
struct WrittenLayers {
  std::int64_t neurons = 0;
  int layers = 0;
  std::string folder{};
  std::uint64_t bytes = 0;  // of text, before gzip
  bool gzip = false;
  double seconds = 0;
};
std::string layers_to_write_text(const WrittenLayers& layers);
std::string written_layers_text(const WrittenLayers& layers);
std::string written_layers_json(const WrittenLayers& layers);

// "64.22 GiB", "12.5 KiB", so that no size but 0 is shown as 0.
std::string size_text(std::uint64_t bytes);

}  // namespace assay
