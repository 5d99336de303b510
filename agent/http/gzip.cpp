// SPDX-License-Identifier: Apache-2.0
#include "agent/http/gzip.h"

#include <libdeflate.h>

#include <cstddef>
#include <memory>

namespace connscope::http {
namespace {

constexpr int kLevel = 1;

struct FreeCompressor {
  void operator()(libdeflate_compressor* compressor) const { libdeflate_free_compressor(compressor); }
};

}  // namespace

Result<std::string> gzip(std::string_view plain) {
  const std::unique_ptr<libdeflate_compressor, FreeCompressor> compressor(libdeflate_alloc_compressor(kLevel));
  if (!compressor) return Error("gzip: no memory");
  const std::size_t bound = libdeflate_gzip_compress_bound(compressor.get(), plain.size());
  // Far more than is used: not written beforehand.
  const auto packed = std::make_unique_for_overwrite<char[]>(bound);
  const std::size_t size = libdeflate_gzip_compress(compressor.get(), plain.data(), plain.size(), packed.get(), bound);
  if (size == 0) return Error("gzip: the output has no room");
  return std::string(packed.get(), size);
}

}  // namespace connscope::http
