#include "validation/io/byte_source.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "reference/core/error.hpp"

namespace assay::io {

std::size_t ByteSource::read(void* dst, std::size_t n) {
  auto* const bytes = static_cast<char*>(dst);
  const std::size_t peeked = std::min(n, ahead_.size() - ahead_begin_);
  if (peeked != 0) std::memcpy(bytes, ahead_.data() + ahead_begin_, peeked);
  ahead_begin_ += peeked;
  const std::size_t done = peeked < n ? peeked + take(bytes + peeked, n - peeked) : peeked;
  offset_ += done;
  return done;
}

void ByteSource::read_exact(void* dst, std::size_t n, std::string_view what) {
  const std::size_t got = read(dst, n);
  if (got == n) return;
  fail(std::to_string(n) + " bytes of " + std::string(what), "the end after " + std::to_string(got));
}

void ByteSource::skip(std::uint64_t n, std::string_view what) {
  std::array<char, 1 << 16> unread;  // NOLINT: filled by read
  while (n > 0) {
    const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(n, unread.size()));
    read_exact(unread.data(), part, what);
    n -= part;
  }
}

std::string_view ByteSource::peek(std::size_t n) {
  ahead_.erase(ahead_.begin(), ahead_.begin() + static_cast<std::ptrdiff_t>(ahead_begin_));
  ahead_begin_ = 0;
  const std::size_t old = ahead_.size();
  if (old < n) {
    ahead_.resize(n);
    ahead_.resize(old + take(ahead_.data() + old, n - old));
  }
  return {ahead_.data(), std::min(n, ahead_.size())};
}

void ByteSource::expect_end(std::string_view after) {
  char next = 0;
  if (read(&next, 1) != 0) fail("the end after " + std::string(after), "more bytes");
}

void ByteSource::fail(std::string place, std::string expected, std::string found) const {
  throw InputError(origin_, std::move(place), std::move(expected), std::move(found));
}

void ByteSource::fail(std::string expected, std::string found) const {
  fail("byte " + std::to_string(offset_), std::move(expected), std::move(found));
}

std::size_t MemorySource::take(void* dst, std::size_t n) {
  const std::size_t part = std::min(n, bytes_.size());
  if (part != 0) std::memcpy(dst, bytes_.data(), part);
  bytes_ = bytes_.subspan(part);
  return part;
}

}  // namespace assay::io
