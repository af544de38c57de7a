// Safetensors: a length, a JSON header, and tensors one after another.
//
// Source: the format page of github.com/huggingface/safetensors; as strict as its own reader, so that a file is either
// read by both or by neither.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "validation/io/byte_source.hpp"
#include "validation/io/elements.hpp"

namespace assay::io {

struct SafetensorsEntry {
  std::string name, dtype;  // dtype as the file names it: "BF16"
  Shape shape;
  std::uint64_t begin = 0, end = 0;  // bytes of the data that follow the header
};

struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;  // in the order of their data
  Metadata metadata;
  std::uint64_t data_bytes = 0;
};

// Checks all of the header: its length, its JSON (names once, nothing unknown), every shape against its offsets, and
// that the tensors cover the data without gap or overlap. The source stands at the first byte of data afterwards.
SafetensorsHeader read_safetensors_header(ByteSource& source);

// `name` empty: the file's one tensor.
Array read_safetensors(ByteSource& source, const std::string& name,
                       const std::optional<FormatSpec>& format = std::nullopt);

// Tensors in order of falling element size, so that each is aligned, else in the order given.
void write_safetensors(const std::string& path, const std::vector<NamedRef>& arrays,
                       const Metadata& metadata);

}  // namespace assay::io
