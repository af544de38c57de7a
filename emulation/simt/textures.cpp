// Texture and surface objects: include/texture_indirect_functions.h and include/surface_indirect_functions.h.
#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "emulation/simt/block.hpp"
#include "emulation/simt/runtime.hpp"
#include "reference/core/error.hpp"

namespace assay_simt {
namespace {

using runtime::is_array;
using runtime::is_mipmapped;
using runtime::memory;
using runtime::Place;
using runtime::remember;

struct Level {
  const unsigned char* first;
  std::int64_t width, height, depth;  // depth: slices, layers or faces
  std::size_t row, slice;             // bytes
};

struct Texture {
  cudaResourceDesc resource{};
  cudaTextureDesc description{};
  cudaResourceViewDesc view{};
  bool viewed = false;
  cudaChannelFormatDesc format{};
  int channels = 0;
  std::size_t element = 0;
  unsigned flags = 0;  // of the array
  bool rows = false, slices = false;
  std::vector<Level> levels{};
  // What a fetch asks for, known once all else is.
  TexelKind kind{};
  unsigned shapes = 0;  // bits, by the numbers of Fetch
  bool linear = false;  // filters

  bool gives_floats() const { return kind == TexelKind::floating; }
  bool gives(Fetch how, TexelWanted wanted) const {
    return (shapes >> static_cast<unsigned>(how) & 1) != 0 && wanted.kind == kind &&
           (gives_floats() || format.x == 8 * wanted.bytes) && wanted.channels <= channels;
  }
};
struct Surface {
  cudaResourceDesc resource{};
  cudaArray* array = nullptr;
};

// Objects by their handles, which are not used twice.
template <class T>
class Handles {
 public:
  unsigned long long add(std::unique_ptr<T> object) {
    const std::scoped_lock lock(mutex_);
    if (next_ == capacity) return 0;
    std::atomic_ref(all_[next_]).store(object.release(), std::memory_order_release);
    return ++next_;
  }
  T* find(unsigned long long handle) {
    return handle == 0 || handle > capacity
               ? nullptr
               : std::atomic_ref(all_[handle - 1]).load(std::memory_order_acquire);
  }
  bool remove(unsigned long long handle) {
    if (handle == 0 || handle > capacity) return false;
    T* const object = std::atomic_ref(all_[handle - 1]).exchange(nullptr);
    delete object;
    return object != nullptr;
  }

 private:
  static constexpr std::size_t capacity = std::size_t{1} << 20;
  std::mutex mutex_{};
  std::size_t next_ = 0;
  T* all_[capacity] = {};
};
constinit Handles<Texture> textures;
constinit Handles<Surface> surfaces;

[[noreturn]] void refuse(const std::string& why) {
  if (assay::simt::Block* const block = assay::simt::Block::current()) block->fail(why);
  throw assay::ContractError("simt: " + why);
}

// --- addresses -------------------------------------------------------------------------------------------------------

// -1: the border.
std::int64_t resolve(cudaTextureAddressMode mode, bool normalized, std::int64_t i, std::int64_t n) {
  if (mode == cudaAddressModeBorder) return i < 0 || i >= n ? -1 : i;
  if (normalized && mode == cudaAddressModeWrap) return (i % n + n) % n;
  if (normalized && mode == cudaAddressModeMirror) {
    const std::int64_t in_pair = (i % (2 * n) + 2 * n) % (2 * n);
    return in_pair < n ? in_pair : 2 * n - 1 - in_pair;
  }
  return std::clamp<std::int64_t>(i, 0, n - 1);
}

// A coordinate in elements. What is no number is 0, and what is far out is as far out as integers reach.
double in_elements(float x, bool normalized, std::int64_t n) {
  if (std::isnan(x)) return 0;
  constexpr double most = 1LL << 52;
  return std::clamp(normalized ? double{x} * static_cast<double>(n) : double{x}, -most, most);
}

struct Between {
  std::int64_t i;
  double part;  // of element i + 1, in steps of 1/256
};
double in_steps(double part) { return std::floor(part * 256 + 0.5) / 256; }
Between between(double x) {
  const double from_centre = x - 0.5, i = std::floor(from_centre);
  return {static_cast<std::int64_t>(i), in_steps(from_centre - i)};
}

// --- elements --------------------------------------------------------------------------------------------------------

float float_of_half(std::uint16_t bits) {
  const unsigned sign = bits >> 15U, exponent = bits >> 10U & 31U, fraction = bits & 1023U;
  const auto magnitude = [&]() -> double {
    if (exponent == 31) return fraction == 0 ? HUGE_VAL : std::nan("");
    if (exponent == 0) return std::ldexp(fraction, -24);
    return std::ldexp(1024 + fraction, static_cast<int>(exponent) - 25);
  }();
  return static_cast<float>(sign != 0 ? -magnitude : magnitude);
}

template <class T>
T load(const unsigned char* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}
int integer_at(const unsigned char* at, const cudaChannelFormatDesc& format) {
  const bool with_sign = format.f == cudaChannelFormatKindSigned;
  switch (format.x) {
    case 8: return with_sign ? load<std::int8_t>(at) : load<std::uint8_t>(at);
    case 16: return with_sign ? load<std::int16_t>(at) : load<std::uint16_t>(at);
    default: return load<std::int32_t>(at);
  }
}
float normalized_float(int value, const cudaChannelFormatDesc& format) {
  if (format.f == cudaChannelFormatKindUnsigned) {
    const int most = (1 << format.x) - 1;
    return static_cast<float>(value) / static_cast<float>(most);
  }
  const int most = (1 << (format.x - 1)) - 1;
  return std::max(-1.0F, static_cast<float>(value) / static_cast<float>(most));
}

Texel texel_of(const Texture& texture, const unsigned char* at) {
  Texel texel{};
  if (texture.format.x == 32) {
    // As they lie there; most textures have these.
    if (texture.channels == 1)
      texel.i[0] = load<int>(at);
    else
      std::memcpy(&texel, at, texture.element);
    return texel;
  }
  const std::size_t bytes = static_cast<std::size_t>(texture.format.x) / 8;
  for (int c = 0; c < texture.channels; ++c, at += bytes) {
    if (texture.format.f == cudaChannelFormatKindFloat)
      texel.f[c] = bytes == 4 ? load<float>(at) : float_of_half(load<std::uint16_t>(at));
    else if (texture.gives_floats())
      texel.f[c] = normalized_float(integer_at(at, texture.format), texture.format);
    else
      texel.i[c] = integer_at(at, texture.format);
  }
  return texel;
}
Texel border_of(const Texture& texture) {
  Texel texel{};
  for (int c = 0; c < texture.channels; ++c) {
    const float colour = texture.description.borderColor[c];
    if (texture.gives_floats())
      texel.f[c] = colour;
    else
      texel.i[c] = static_cast<int>(colour);
  }
  return texel;
}
Texel texel_at(const Texture& texture, const Level& level, std::int64_t x, std::int64_t y, std::int64_t z) {
  if (x < 0 || y < 0 || z < 0) return border_of(texture);
  return texel_of(texture, level.first + static_cast<std::size_t>(z) * level.slice +
                               static_cast<std::size_t>(y) * level.row +
                               static_cast<std::size_t>(x) * texture.element);
}

// Of a texture that gives floats, channel 0 alone.
inline float float_at(const Texture& texture, const Level& level, std::int64_t x, std::int64_t y,
                      std::int64_t z) {
  if (x < 0 || y < 0 || z < 0) return texture.description.borderColor[0];
  const unsigned char* const at = level.first + static_cast<std::size_t>(z) * level.slice +
                                  static_cast<std::size_t>(y) * level.row +
                                  static_cast<std::size_t>(x) * texture.element;
  return texture.format.x == 32 ? load<float>(at) : texel_of(texture, at).f[0];
}

// --- fetches ---------------------------------------------------------------------------------------------------------

// Where a fetch reads within a level, once layers and faces are chosen: `dimensions` coordinates, the rest fixed.
struct Place3 {
  float at[3];
  int dimensions;
  std::int64_t slice;  // of layers and faces
  bool normalized;
  cudaTextureAddressMode modes[3];
};

// A template, so that its loops are none.
template <int dimensions, bool linear, int channels>
Texel fetch_level_of(const Texture& texture, const Level& level, const Place3& place) {
  const std::int64_t extent[3] = {level.width, level.height, level.depth};
  std::int64_t index[2][3] = {{0, 0, place.slice}, {0, 0, place.slice}};
  double part[3] = {0, 0, 0};
  for (int d = 0; d < dimensions; ++d) {
    const double x = in_elements(place.at[d], place.normalized, extent[d]);
    Between found{static_cast<std::int64_t>(std::floor(x)), 0};
    if (linear) found = between(x);
    for (int k = 0; k < (linear ? 2 : 1); ++k)
      index[k][d] = resolve(place.modes[d], place.normalized, found.i + k, extent[d]);
    part[d] = found.part;
  }
  if (!linear) return texel_at(texture, level, index[0][0], index[0][1], index[0][2]);
  // All four, of which those that the texture lacks are 0, or one: a number of passes that the compiler knows.
  double sum[channels] = {};
  for (int corner = 0; corner < 1 << dimensions; ++corner) {
    double weight = 1;
    int k[3] = {0, 0, 0};
    for (int d = 0; d < dimensions; ++d) {
      k[d] = corner >> d & 1;
      weight *= k[d] != 0 ? part[d] : 1 - part[d];
    }
    if (weight == 0) continue;
    const std::int64_t x = index[k[0]][0], y = index[k[1]][1], z = index[k[2]][2];
    if constexpr (channels == 1) {
      sum[0] += weight * double{float_at(texture, level, x, y, z)};
    } else {
      const Texel texel = texel_at(texture, level, x, y, z);
      for (int c = 0; c < channels; ++c) sum[c] += weight * double{texel.f[c]};
    }
  }
  Texel blended{};
  for (int c = 0; c < channels; ++c) blended.f[c] = static_cast<float>(sum[c]);
  return blended;
}

template <int dimensions>
Texel fetch_level_of(const Texture& texture, const Level& level, const Place3& place) {
  if (!texture.linear) return fetch_level_of<dimensions, false, 1>(texture, level, place);
  return texture.channels == 1 ? fetch_level_of<dimensions, true, 1>(texture, level, place)
                               : fetch_level_of<dimensions, true, 4>(texture, level, place);
}

Texel fetch_level(const Texture& texture, const Level& level, const Place3& place) {
  switch (place.dimensions) {
    case 1: return fetch_level_of<1>(texture, level, place);
    case 2: return fetch_level_of<2>(texture, level, place);
    default: return fetch_level_of<3>(texture, level, place);
  }
}

Texel fetch_levels(const Texture& texture, const Place3& place, float wanted) {
  const cudaTextureDesc& description = texture.description;
  if (texture.levels.size() == 1) return fetch_level(texture, texture.levels[0], place);
  const float most = static_cast<float>(texture.levels.size() - 1);
  float level = std::isnan(wanted) ? 0 : wanted + description.mipmapLevelBias;
  level = std::min(std::max(level, description.minMipmapLevelClamp), description.maxMipmapLevelClamp);
  level = std::clamp(level, 0.0F, most);
  if (description.mipmapFilterMode == cudaFilterModePoint || !texture.gives_floats())
    return fetch_level(texture, texture.levels[static_cast<std::size_t>(std::floor(level + 0.5F))], place);
  const double below = std::floor(level), part = in_steps(level - below);
  const auto first = static_cast<std::size_t>(below);
  Texel texel = fetch_level(texture, texture.levels[first], place);
  if (part == 0) return texel;
  const Texel next = fetch_level(texture, texture.levels[first + 1], place);
  for (int c = 0; c < texture.channels; ++c)
    texel.f[c] = static_cast<float>((1 - part) * double{texel.f[c]} + part * double{next.f[c]});
  return texel;
}

// The face of the largest component, and where its other two meet it, in [0, 1].
struct OnFace {
  int face;
  float s, t;
};
OnFace on_face(float x, float y, float z) {
  const float ax = std::fabs(x), ay = std::fabs(y), az = std::fabs(z);
  int face;
  float m, s, t;
  if (ax >= ay && ax >= az) {
    face = x >= 0 ? 0 : 1;
    m = ax, s = x >= 0 ? -z : z, t = -y;
  } else if (ay >= az) {
    face = y >= 0 ? 2 : 3;
    m = ay, s = x, t = y >= 0 ? z : -z;
  } else {
    face = z >= 0 ? 4 : 5;
    m = az, s = z >= 0 ? x : -x, t = -y;
  }
  return {face, (s / m + 1) / 2, (t / m + 1) / 2};
}

const char* name_of(Fetch how) {
  switch (how) {
    case Fetch::linear_memory: return "tex1Dfetch";
    case Fetch::d1: return "tex1D";
    case Fetch::d2: return "tex2D";
    case Fetch::d3: return "tex3D";
    case Fetch::layered_1: return "tex1DLayered";
    case Fetch::layered_2: return "tex2DLayered";
    case Fetch::cubemap: return "texCubemap";
    case Fetch::layered_cubemap: return "texCubemapLayered";
  }
  return "?";
}

const Texture& texture_for(cudaTextureObject_t handle, const char* what, TexelWanted wanted) {
  const Texture* const texture = textures.find(handle);
  if (texture == nullptr) refuse(std::string(what) + " through what is no texture object");
  const bool same =
      texture->kind == wanted.kind && (texture->gives_floats() || texture->format.x == 8 * wanted.bytes);
  if (!same)
    refuse(
        std::string(what) + " of another type than the texture gives: " +
        (texture->gives_floats() ? "floats" : "integers of " + std::to_string(texture->format.x) + " bits"));
  if (wanted.channels > texture->channels)
    refuse(std::string(what) + " of " + std::to_string(wanted.channels) + " channels, and the texture has " +
           std::to_string(texture->channels));
  return *texture;
}

bool has_shape(const Texture& texture, Fetch how) {
  const bool layered = (texture.flags & cudaArrayLayered) != 0,
             cube = (texture.flags & cudaArrayCubemap) != 0;
  switch (how) {
    case Fetch::linear_memory: return texture.resource.resType == cudaResourceTypeLinear;
    case Fetch::d1: return !texture.rows && !texture.slices && !layered && !cube;
    case Fetch::d2: return texture.rows && !texture.slices && !layered && !cube;
    case Fetch::d3: return texture.rows && texture.slices && !layered && !cube;
    case Fetch::layered_1: return layered && !cube && !texture.rows;
    case Fetch::layered_2: return layered && !cube && texture.rows;
    case Fetch::cubemap: return cube && !layered;
    case Fetch::layered_cubemap: return cube && layered;
  }
  return false;
}

Place3 place_of(const Texture& texture, Fetch how, const FetchAt& at) {
  const cudaTextureDesc& description = texture.description;
  Place3 place{{at.x, at.y, at.z}, 1, 0, description.normalizedCoords != 0, {}};
  std::copy(std::begin(description.addressMode), std::end(description.addressMode), std::begin(place.modes));
  const std::int64_t layers = texture.levels[0].depth;
  const auto layer = [&](std::int64_t most) { return std::clamp<std::int64_t>(at.layer, 0, most - 1); };
  switch (how) {
    case Fetch::linear_memory:
    case Fetch::d1: break;
    case Fetch::d2: place.dimensions = 2; break;
    case Fetch::d3: place.dimensions = 3; break;
    case Fetch::layered_1: place.slice = layer(layers); break;
    case Fetch::layered_2:
      place.dimensions = 2;
      place.slice = layer(layers);
      break;
    case Fetch::cubemap:
    case Fetch::layered_cubemap: {
      const OnFace on = on_face(at.x, at.y, at.z);
      place = {{on.s, on.t, 0},
               2,
               on.face,
               true,
               {cudaAddressModeClamp, cudaAddressModeClamp, cudaAddressModeClamp}};
      if (how == Fetch::layered_cubemap) place.slice += 6 * layer(layers / 6);
      break;
    }
  }
  return place;
}

// --- making ----------------------------------------------------------------------------------------------------------

Level level_of(const cudaArray& array) {
  return {array.memory.get(),
          static_cast<std::int64_t>(array.extent.width),
          static_cast<std::int64_t>(array.rows()),
          static_cast<std::int64_t>(array.slices()),
          array.row_bytes(),
          array.row_bytes() * array.rows()};
}

// The format that a view's name stands for; no channels for another.
cudaChannelFormatDesc format_of(cudaResourceViewFormat view) {
  const unsigned number = static_cast<unsigned>(view) - 1;
  if (view < cudaResViewFormatUnsignedChar1 || view > cudaResViewFormatFloat4) return {};
  constexpr int bits[] = {8, 8, 16, 16, 32, 32, 16, 32}, channels[] = {1, 2, 4};
  const unsigned type = number / 3;
  const int count = channels[number % 3], size = bits[type];
  const cudaChannelFormatKind kind = type >= 6       ? cudaChannelFormatKindFloat
                                     : type % 2 == 0 ? cudaChannelFormatKindUnsigned
                                                     : cudaChannelFormatKindSigned;
  return {size, count > 1 ? size : 0, count > 2 ? size : 0, count > 3 ? size : 0, kind};
}

cudaError_t add_arrays(Texture& texture) {
  std::vector<const cudaArray*> arrays;
  if (texture.resource.resType == cudaResourceTypeArray) {
    const cudaArray* const array = texture.resource.res.array.array;
    if (!is_array(array)) return cudaErrorInvalidResourceHandle;
    arrays.push_back(array);
  } else {
    const cudaMipmappedArray* const array = texture.resource.res.mipmap.mipmap;
    if (!is_mipmapped(array)) return cudaErrorInvalidResourceHandle;
    for (const auto& level : array->levels) arrays.push_back(level.get());
  }
  texture.format = arrays[0]->format;
  texture.flags = arrays[0]->flags;
  texture.rows = arrays[0]->extent.height != 0;
  texture.slices = arrays[0]->extent.depth != 0;
  for (const cudaArray* const array : arrays) texture.levels.push_back(level_of(*array));
  return cudaSuccess;
}

cudaError_t add_linear(Texture& texture) {
  const auto& linear = texture.resource.res.linear;
  const auto& pitched = texture.resource.res.pitch2D;
  const bool rows = texture.resource.resType == cudaResourceTypePitch2D;
  texture.format = rows ? pitched.desc : linear.desc;
  texture.rows = rows;
  const std::size_t element = runtime::element_bytes(texture.format);
  if (element == 0) return cudaErrorInvalidChannelDescriptor;
  const void* const first = rows ? pitched.devPtr : linear.devPtr;
  const std::size_t width = rows ? pitched.width : linear.sizeInBytes / element,
                    height = rows ? pitched.height : 1;
  const std::size_t pitch = rows ? pitched.pitchInBytes : linear.sizeInBytes;
  constexpr std::size_t alignment = 512, pitch_unit = 32;
  if (first == nullptr || width == 0 || height == 0) return cudaErrorInvalidValue;
  if (reinterpret_cast<std::uintptr_t>(first) % alignment != 0) return cudaErrorInvalidValue;
  if (rows && (pitch % pitch_unit != 0 || width * element > pitch)) return cudaErrorInvalidValue;
  if (memory().find(first).place == Place::host ||
      !memory().whole(first, (height - 1) * pitch + width * element))
    return cudaErrorInvalidValue;
  texture.levels.push_back({static_cast<const unsigned char*>(first), static_cast<std::int64_t>(width),
                            static_cast<std::int64_t>(height), 1, pitch, pitch * height});
  return cudaSuccess;
}

cudaError_t apply_view(Texture& texture) {
  const cudaResourceViewDesc& view = texture.view;
  if (texture.resource.resType != cudaResourceTypeArray &&
      texture.resource.resType != cudaResourceTypeMipmappedArray)
    return cudaErrorInvalidValue;
  if (view.format != cudaResViewFormatNone) {
    const cudaChannelFormatDesc format = format_of(view.format);
    if (format.x == 0) return cudaErrorNotSupported;
    if (runtime::element_bytes(format) != runtime::element_bytes(texture.format))
      return cudaErrorInvalidValue;
    texture.format = format;
  }
  if (view.firstMipmapLevel > view.lastMipmapLevel || view.firstMipmapLevel >= texture.levels.size() ||
      view.firstLayer > view.lastLayer)
    return cudaErrorInvalidValue;
  const std::size_t end = std::min<std::size_t>(view.lastMipmapLevel + std::size_t{1}, texture.levels.size());
  texture.levels.erase(texture.levels.begin() + static_cast<std::ptrdiff_t>(end), texture.levels.end());
  texture.levels.erase(texture.levels.begin(), texture.levels.begin() + view.firstMipmapLevel);
  if ((texture.flags & (cudaArrayLayered | cudaArrayCubemap)) != 0 && view.lastLayer != 0) {
    for (Level& level : texture.levels) {
      if (view.lastLayer >= level.depth) return cudaErrorInvalidValue;
      level.first += view.firstLayer * level.slice;
      level.depth = view.lastLayer - view.firstLayer + 1;
    }
  }
  return cudaSuccess;
}

cudaError_t make_texture(Texture& texture) {
  const cudaTextureDesc& description = texture.description;
  cudaError_t error = cudaErrorInvalidValue;
  switch (texture.resource.resType) {
    case cudaResourceTypeArray:
    case cudaResourceTypeMipmappedArray: error = add_arrays(texture); break;
    case cudaResourceTypeLinear:
    case cudaResourceTypePitch2D: error = add_linear(texture); break;
  }
  if (error == cudaSuccess && texture.viewed) error = apply_view(texture);
  if (error != cudaSuccess) return error;
  texture.element = runtime::element_bytes(texture.format);
  texture.channels = static_cast<int>(texture.element * 8) / texture.format.x;
  const bool floats = texture.format.f == cudaChannelFormatKindFloat ||
                      (description.readMode == cudaReadModeNormalizedFloat && texture.format.x < 32);
  texture.kind = floats                                            ? TexelKind::floating
                 : texture.format.f == cudaChannelFormatKindSigned ? TexelKind::signed_integer
                                                                   : TexelKind::unsigned_integer;
  texture.linear = floats && description.filterMode == cudaFilterModeLinear;
  for (unsigned how = 0; how <= static_cast<unsigned>(Fetch::layered_cubemap); ++how) {
    if (has_shape(texture, static_cast<Fetch>(how))) texture.shapes |= 1U << how;
  }
  if (description.sRGB != 0 || description.seamlessCubemap != 0) return cudaErrorNotSupported;
  for (const cudaTextureAddressMode mode : description.addressMode) {
    if (mode < cudaAddressModeWrap || mode > cudaAddressModeBorder) return cudaErrorInvalidValue;
  }
  const bool filters =
      description.filterMode == cudaFilterModeLinear && texture.resource.resType != cudaResourceTypeLinear;
  return filters && !texture.gives_floats() ? cudaErrorInvalidFilterSetting : cudaSuccess;
}

// --- surfaces --------------------------------------------------------------------------------------------------------

// Of the element; null for one outside where that is allowed.
unsigned char* element_of(cudaSurfaceObject_t handle, SurfaceKind kind, SurfaceAt at, std::size_t bytes,
                          cudaSurfaceBoundaryMode mode, const char* what) {
  const Surface* const surface = surfaces.find(handle);
  if (surface == nullptr) refuse(std::string("a surface ") + what + " through what is no surface object");
  const cudaArray& array = *surface->array;
  const bool layered = (array.flags & cudaArrayLayered) != 0, cube = (array.flags & cudaArrayCubemap) != 0;
  const bool rows = array.extent.height != 0, slices = array.extent.depth != 0;
  const bool right = [&] {
    switch (kind) {
      case SurfaceKind::d1: return !rows && !slices;
      case SurfaceKind::d2: return rows && !slices;
      case SurfaceKind::d3: return rows && slices && !layered && !cube;
      case SurfaceKind::layered_1: return layered && !cube && !rows;
      case SurfaceKind::layered_2: return layered && !cube && rows;
      case SurfaceKind::cubemap: return cube && !layered;
      case SurfaceKind::layered_cubemap: return cube && layered;
    }
    return false;
  }();
  if (!right) refuse(std::string("a surface ") + what + " of another shape than the array has");
  const auto element = static_cast<int>(array.element);
  if (bytes != array.element || at.x % element != 0)
    refuse(std::string("a surface ") + what + " of " + std::to_string(bytes) + " bytes at byte " +
           std::to_string(at.x) + ", where elements have " + std::to_string(element));
  int* const index[] = {&at.x, &at.y, &at.z};
  at.x = at.x / element;
  const std::size_t extent[] = {array.extent.width, array.rows(), array.slices()};
  for (int d = 0; d < 3; ++d) {
    const auto n = static_cast<int>(extent[d]);
    if (*index[d] >= 0 && *index[d] < n) continue;
    if (mode == cudaBoundaryModeZero) return nullptr;
    if (mode == cudaBoundaryModeTrap)
      refuse(std::string("a surface ") + what + " outside: " + "xyz"[d] + std::string(" = ") +
             std::to_string(*index[d]) + " of " + std::to_string(n));
    *index[d] = std::clamp(*index[d], 0, n - 1);
  }
  return array.row(static_cast<std::size_t>(at.y), static_cast<std::size_t>(at.z)) +
         static_cast<std::size_t>(at.x) * array.element;
}

}  // namespace

Texel fetch(cudaTextureObject_t handle, Fetch how, const FetchAt& at, TexelWanted wanted) {
  const Texture* const found = textures.find(handle);
  if (found == nullptr || !found->gives(how, wanted)) [[unlikely]] {
    texture_for(handle, name_of(how), wanted);
    refuse(std::string(name_of(how)) + " of a texture of another shape");
  }
  const Texture& texture = *found;
  if (how == Fetch::linear_memory) {
    const Level& level = texture.levels[0];
    if (at.layer < 0 || at.layer >= level.width) return {};
    return texel_at(texture, level, at.layer, 0, 0);
  }
  return fetch_levels(texture, place_of(texture, how, at), at.level);
}

Texel gather(cudaTextureObject_t handle, float x, float y, int channel, TexelWanted wanted) {
  wanted.channels = 1;
  const Texture& texture = texture_for(handle, "tex2Dgather", wanted);
  if (!has_shape(texture, Fetch::d2)) refuse("tex2Dgather of a texture of another shape");
  if (channel < 0 || channel >= texture.channels)
    refuse("tex2Dgather of channel " + std::to_string(channel) + " of " + std::to_string(texture.channels));
  const Level& level = texture.levels[0];
  const cudaTextureDesc& description = texture.description;
  const bool normalized = description.normalizedCoords != 0;
  const std::int64_t i = between(in_elements(x, normalized, level.width)).i;
  const std::int64_t j = between(in_elements(y, normalized, level.height)).i;
  constexpr int offsets[4][2] = {{0, 1}, {1, 1}, {1, 0}, {0, 0}};
  Texel four{};
  for (int k = 0; k < 4; ++k) {
    const Texel texel = texel_at(
        texture, level, resolve(description.addressMode[0], normalized, i + offsets[k][0], level.width),
        resolve(description.addressMode[1], normalized, j + offsets[k][1], level.height), 0);
    four.i[k] = texel.i[channel];
  }
  return four;
}

void read_surface(cudaSurfaceObject_t surface, SurfaceKind kind, const SurfaceAt& at, void* out,
                  std::size_t bytes, cudaSurfaceBoundaryMode mode) {
  const unsigned char* const element = element_of(surface, kind, at, bytes, mode, "read");
  if (element == nullptr)
    std::memset(out, 0, bytes);
  else
    std::memcpy(out, element, bytes);
}
void write_surface(cudaSurfaceObject_t surface, SurfaceKind kind, const SurfaceAt& at, const void* value,
                   std::size_t bytes, cudaSurfaceBoundaryMode mode) {
  unsigned char* const element = element_of(surface, kind, at, bytes, mode, "write");
  if (element != nullptr) std::memcpy(element, value, bytes);
}

}  // namespace assay_simt

using assay_simt::remember;
using assay_simt::Surface;
using assay_simt::surfaces;
using assay_simt::Texture;
using assay_simt::textures;

cudaError_t cudaCreateTextureObject(cudaTextureObject_t* out, const cudaResourceDesc* resource,
                                    const cudaTextureDesc* description, const cudaResourceViewDesc* view) {
  if (out == nullptr || resource == nullptr || description == nullptr) return remember(cudaErrorInvalidValue);
  *out = 0;
  return assay_simt::runtime::on_device([&] {
    auto texture = std::make_unique<Texture>();
    texture->resource = *resource;
    texture->description = *description;
    texture->viewed = view != nullptr;
    if (view != nullptr) texture->view = *view;
    if (const cudaError_t error = make_texture(*texture); error != cudaSuccess) return error;
    *out = textures.add(std::move(texture));
    return *out == 0 ? cudaErrorMemoryAllocation : cudaSuccess;
  });
}
cudaError_t cudaDestroyTextureObject(cudaTextureObject_t texture) {
  return texture == 0 || textures.remove(texture) ? cudaSuccess : remember(cudaErrorInvalidValue);
}

namespace assay_simt {
namespace {
template <class T, class Object>
cudaError_t tell_of(T* out, const Object* object, T Object::*member) {
  if (out == nullptr || object == nullptr) return remember(cudaErrorInvalidValue);
  *out = object->*member;
  return cudaSuccess;
}
}  // namespace
}  // namespace assay_simt

cudaError_t cudaGetTextureObjectResourceDesc(cudaResourceDesc* out, cudaTextureObject_t texture) {
  return assay_simt::tell_of(out, textures.find(texture), &Texture::resource);
}
cudaError_t cudaGetTextureObjectTextureDesc(cudaTextureDesc* out, cudaTextureObject_t texture) {
  return assay_simt::tell_of(out, textures.find(texture), &Texture::description);
}
cudaError_t cudaGetTextureObjectResourceViewDesc(cudaResourceViewDesc* out, cudaTextureObject_t texture) {
  const Texture* const found = textures.find(texture);
  if (found != nullptr && !found->viewed) return remember(cudaErrorInvalidValue);
  return assay_simt::tell_of(out, found, &Texture::view);
}
cudaError_t cudaCreateSurfaceObject(cudaSurfaceObject_t* out, const cudaResourceDesc* resource) {
  if (out == nullptr || resource == nullptr) return remember(cudaErrorInvalidValue);
  *out = 0;
  return assay_simt::runtime::on_device([&] {
    if (resource->resType != cudaResourceTypeArray) return cudaErrorInvalidValue;
    cudaArray* const array = resource->res.array.array;
    if (!assay_simt::is_array(array)) return cudaErrorInvalidResourceHandle;
    if ((array->flags & cudaArraySurfaceLoadStore) == 0) return cudaErrorInvalidValue;
    auto surface = std::make_unique<Surface>();
    surface->resource = *resource;
    surface->array = array;
    *out = surfaces.add(std::move(surface));
    return *out == 0 ? cudaErrorMemoryAllocation : cudaSuccess;
  });
}
cudaError_t cudaDestroySurfaceObject(cudaSurfaceObject_t surface) {
  return surface == 0 || surfaces.remove(surface) ? cudaSuccess : remember(cudaErrorInvalidValue);
}
cudaError_t cudaGetSurfaceObjectResourceDesc(cudaResourceDesc* out, cudaSurfaceObject_t surface) {
  return assay_simt::tell_of(out, surfaces.find(surface), &Surface::resource);
}
