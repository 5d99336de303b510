// SPDX-License-Identifier: Apache-2.0
#include "agent/http/gzip.h"

#include <zlib.h>

#include <cstddef>
#include <limits>
#include <memory>

namespace connscope::http {
namespace {

constexpr int kLevel = 1;
constexpr int kGzipWindowBits = 15 + 16;  // the largest window; + 16 asks zlib for a gzip header instead of its own
constexpr int kMemoryLevel = 8;           // zlib's default

}  // namespace

Result<std::string> gzip(std::string_view plain) {
  z_stream stream{};
  const int begun = deflateInit2(&stream, kLevel, Z_DEFLATED, kGzipWindowBits, kMemoryLevel, Z_DEFAULT_STRATEGY);
  if (begun != Z_OK) return Error(std::string("gzip: ") + zError(begun));
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, &deflateEnd);

  const std::size_t bound = deflateBound(&stream, plain.size());
  if (bound > std::numeric_limits<uInt>::max()) return Error("gzip: more than zlib takes at once");
  // Far more than is used: not written beforehand.
  const auto packed = std::make_unique_for_overwrite<Bytef[]>(bound);
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(plain.data()));  // zlib's C interface, read only
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = packed.get();
  stream.avail_out = static_cast<uInt>(bound);
  const int done = deflate(&stream, Z_FINISH);
  if (done != Z_STREAM_END) return Error(std::string("gzip: ") + zError(done));
  return std::string(reinterpret_cast<const char*>(packed.get()), stream.total_out);
}

}  // namespace connscope::http
